"""Trained runs read back: damaged, of another model, or none at all."""

import json
import re
import shutil

import pytest

from clrs_text_bench import registry
from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.training.checkpoint import Checkpoints

from .. import command, small_disk
from . import tiny_run


def load(path):
    return registry.load("models", "transformer")(str(path))


def halved(data):
    return data[: len(data) // 2]


def flipped(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


@pytest.fixture
def out(unbroken, tmp_path):
    """A copy of a finished run."""
    return shutil.copytree(unbroken, tmp_path / "run")


@pytest.mark.parametrize("damage", [halved, flipped])
def test_a_damaged_checkpoint_is_refused_or_read_whole(damage, out):
    """Whichever file it is; some of them are not needed for reading."""
    whole, refused = load(out).info().checkpoint, {}
    best = out / "checkpoints" / "best"
    files = sorted(f for f in best.rglob("*") if f.is_file() and f.stat().st_size)
    for file in files:
        data = file.read_bytes()
        file.write_bytes(damage(data))
        try:
            assert load(out).info().checkpoint == whole, file
        except BadInput as error:
            refused[file] = str(error)
        file.write_bytes(data)
    for sentence in refused.values():
        assert re.search("is cut short or of another model|were altered; train", sentence)
        assert "\n" not in sentence
    arrays = {f for f in files if f.parent.parts[-2:] == ("state", "d")}
    assert arrays
    assert arrays <= set(refused)
    assert load(out).info().checkpoint == whole


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        (("config", "model", "hidden_dim"), 32, "is cut short or of another model"),
        (("config", "model", "num_layers"), 2, "is cut short or of another model"),
        (("config", "model", "tokenizer"), "char", "was trained with tokenizer compact"),
        (
            ("model", "vocabulary"),
            "0" * 64,
            "was trained with vocabulary 000000000000, and this package has",
        ),
        (("config", "model", "kind"), "rnn", "config.model.kind = 'rnn': input should be"),
        (("format_version",), 99, "has format version 99, newer than"),
        (("widht",), 1, "unknown key 'widht'"),
    ],
)
def test_a_checkpoint_of_another_model_or_tokeniser_is_refused(place, value, sentence, out):
    record = json.loads((out / "run.json").read_text())
    at = record
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    (out / "run.json").write_text(json.dumps(record))
    with pytest.raises(BadInput) as error:
        load(out)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_a_damaged_run_record_is_refused(out):
    (out / "run.json").write_bytes(halved((out / "run.json").read_bytes()))
    with pytest.raises(BadInput, match=r"run\.json is not valid JSON"):
        load(out)


def test_a_folder_that_holds_no_trained_run_is_refused(out, tmp_path):
    with pytest.raises(BadInput, match=r"none does not exist; name the --out folder"):
        load(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"empty holds no run\.json; name the --out folder"):
        load(tmp_path / "empty")
    with pytest.raises(BadInput, match="transformer needs a run, such as transformer:runs/a"):
        load("")
    shutil.rmtree(out / "checkpoints")
    with pytest.raises(BadInput, match=r"best holds no checkpoint; train the run first"):
        load(out)
    assert not (out / "checkpoints").exists()


@pytest.mark.parametrize("is_foreseen", [True, False], ids=["foreseen", "while it is written"])
def test_a_disk_that_fills_up_keeps_the_last_good_checkpoint(
    is_foreseen, unbroken, dataset, tmp_path, monkeypatch
):
    with small_disk.mounted(tmp_path / "disk", "4m") as disk:
        out = disk / "run"
        with monkeypatch.context() as patched:
            tiny_run.stop_at(patched, 7)
            tiny_run.train(tiny_run.config(), dataset, out)
        good = tiny_run.params(out)
        small_disk.fill(disk, leave=100_000)
        if not is_foreseen:
            monkeypatch.setattr(Checkpoints, "_check_room", lambda *_: None)
        with pytest.raises(BadInput) as error:
            tiny_run.train(tiny_run.config(), dataset, out, resume=True)
        assert str(error.value) == (
            f"cannot write checkpoint {out / 'checkpoints' / 'latest' / '9'}: the disk is full; "
            "free some space, then run again with --resume"
        )
        assert tiny_run.params(out) == good
        assert [p.name for p in (out / "checkpoints" / "latest").iterdir()] == ["7"]
        (disk / "filler").unlink()
        assert tiny_run.train(tiny_run.config(), dataset, out, resume=True)
        assert tiny_run.params(out) == tiny_run.params(unbroken)


def test_a_full_disk_ends_a_process_with_a_sentence(dataset, tmp_path):
    (tmp_path / "tiny.toml").write_text(tiny_run.TOML)
    with small_disk.mounted(tmp_path / "disk", "300k") as disk:
        given = ("tiny.toml", "train.steps=3", "validation.every=3", "--data", dataset.url)
        found = command.sentence("train", *given, "--out", disk / "run", cwd=tmp_path)
        assert found.startswith(f"cannot write checkpoint {disk}")
        assert "the disk is full; free some space, then run again with --resume" in found
