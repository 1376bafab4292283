import subprocess
import sys
from datetime import UTC

import numpy as np
import pytest

from clrs_text_bench import provenance


def test_versions_are_those_installed():
    found = provenance.versions()
    assert found["numpy"] == np.__version__
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"clrs-text-bench", "dm-clrs", "jax", "pyarrow"} <= set(found)


def test_there_is_no_commit_outside_a_repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.git_commit() is None


def test_without_git_there_is_no_commit(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance.git_commit() is None


def test_the_commit_and_whether_files_differ_from_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").write_text("1")
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "a"], [*who, "commit", "-q", "-m", "a"], ["tag", "v1"]):
        subprocess.run(["git", *command], check=True)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    assert provenance.git_commit() == head
    (tmp_path / "a").write_text("2")
    assert provenance.git_commit() == f"{head}-dirty"


def test_the_command_line_is_as_one_would_type_it(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/clrs-text-bench", "evaluate", "a model", "--x"])
    assert provenance.command_line() == "clrs-text-bench evaluate 'a model' --x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("openai:small@https://me:secret@host/v1", "openai:small@https://host/v1"),
        ("s3://key@bucket/data", "s3://bucket/data"),
        ("transformer:runs/a", "transformer:runs/a"),
        ("openai:small@http://host:80/v1", "openai:small@http://host:80/v1"),
    ],
)
def test_credentials_are_left_out(text, expected):
    assert provenance.without_credentials(text) == expected


def test_the_time_is_in_utc():
    assert provenance.now().tzinfo is UTC
