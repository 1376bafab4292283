"""Files that appear whole or not at all."""

import os
import signal
import subprocess
import sys
import time
import uuid

import pytest

from clrs_text_bench import storage
from clrs_text_bench.errors import BadInput
from clrs_text_bench.storage import Folder

from .. import small_disk


@pytest.fixture(params=["local", "memory", "file"])
def folder(request, tmp_path):
    urls = {
        "local": str(tmp_path / "data"),
        "memory": f"memory://{uuid.uuid4().hex}/data",
        "file": f"file://{tmp_path}/data",
    }
    return Folder.at(urls[request.param])


def test_what_is_written_is_read(folder):
    assert not folder.exists()
    assert folder.names() == []
    folder.write("a/b/c.bin", b"one")
    folder.write("d.bin", b"")
    folder.write("a/b/c.bin", b"two")
    assert folder.exists()
    assert folder.exists("d.bin")
    assert not folder.exists("e.bin")
    assert folder.names() == ["a/b/c.bin", "d.bin"]
    assert (folder.read("a/b/c.bin"), folder.read("d.bin")) == (b"two", b"")
    assert folder.within("a").read("b/c.bin") == b"two"
    folder.remove("d.bin")
    assert folder.names() == ["a/b/c.bin"]
    folder.clear()
    assert not folder.exists()
    folder.clear()


def test_a_missing_file_is_a_sentence(folder):
    folder.write("a", b"")
    with pytest.raises(BadInput) as caught:
        folder.read("b")
    assert str(caught.value) == f"{folder.url} has no file b"


def test_only_memory_is_for_one_process_alone(tmp_path):
    assert Folder.at("memory://x").in_memory()
    assert not Folder.at(tmp_path).in_memory()


def test_a_name_with_spaces_and_letters_of_any_script(tmp_path):
    folder = Folder.at(tmp_path / "dätå set" / "✓")
    folder.write("ü/ö.bin", b"x")
    assert folder.names() == ["ü/ö.bin"]
    assert folder.read("ü/ö.bin") == b"x"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "an empty path is no folder"),
        ("nosuch://x", "cannot open 'nosuch://x': Protocol not known: nosuch"),
    ],
)
def test_a_url_that_nothing_serves_is_a_sentence(url, sentence):
    with pytest.raises(BadInput) as caught:
        Folder.at(url)
    assert str(caught.value).startswith(sentence)


def test_what_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "taken" / "name").mkdir(parents=True)
    for folder, name in ((tmp_path / "file", "a"), (tmp_path / "taken", "name")):
        with pytest.raises(BadInput, match=f"^cannot write {name} of "):
            Folder.at(folder).write(name, b"data")
    assert (tmp_path / "file").read_text() == "x"
    assert Folder.at(tmp_path / "taken").names() == []


def test_what_cannot_be_read_is_a_sentence(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadInput, match=r"^cannot read folder of .*: Is a directory$"):
        Folder.at(tmp_path).read("folder")


def test_temporary_files_do_not_count_and_are_swept(tmp_path):
    folder = Folder.at(tmp_path)
    folder.write("a/b", b"")
    (tmp_path / "a" / ".part-123").write_bytes(b"half")
    (tmp_path / ".part-4").write_bytes(b"half")
    assert folder.names() == ["a/b"]
    folder.sweep()
    assert sorted(os.listdir(tmp_path / "a")) == ["b"]
    assert sorted(os.listdir(tmp_path)) == ["a"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    folder = Folder.at(tmp_path)
    folder.write("a", b"old")

    def fail(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(storage.os, "fsync", fail)
    with pytest.raises(BadInput, match=r"^cannot write a of .*: Input/output error$"):
        folder.write("a", b"new")
    assert os.listdir(tmp_path) == ["a"]
    assert folder.read("a") == b"old"


def test_a_full_disk_is_a_sentence_and_leaves_nothing_behind(tmp_path):
    with small_disk.mounted(tmp_path / "disk") as disk:
        folder = Folder.at(disk / "data")
        folder.write("a", b"small")
        with pytest.raises(BadInput) as caught:
            folder.write("b", bytes(2 << 20))
        assert "the disk is full; free some space" in str(caught.value)
        assert os.listdir(disk / "data") == ["a"]
        folder.write("c", bytes(1 << 19))


WRITER = """
import os, sys
from clrs_text_bench.storage import Folder
folder = Folder.at(sys.argv[1])
print("ready", flush=True)
while True:
    for letter in b"abcd":
        folder.write("file", bytes([letter]) * (4 << 20))
"""


def test_a_killed_writer_leaves_a_whole_file(tmp_path):
    for attempt in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE
        )
        process.stdout.readline()
        time.sleep(0.1 + 0.013 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        data = (tmp_path / "file").read_bytes()
        assert len(data) == 4 << 20
        assert data == data[:1] * len(data)
    folder = Folder.at(tmp_path)
    assert folder.names() == ["file"]
    folder.sweep()
    assert os.listdir(tmp_path) == ["file"]


def test_digests_are_sha256():
    assert storage.sha256(b"abc").startswith("ba7816bf8f01cfea414140de5dae2223b00361a3")
