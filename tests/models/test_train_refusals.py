"""Runs that are refused, and leave everything as it was."""

import json
import shutil

import pytest

from clrs_text_bench.errors import BadInput

from .. import command, tiny_data
from . import tiny_run
from .tiny_run import config, contents, train

REST = "--data data --out run"


@pytest.fixture
def here(dataset, tmp_path, monkeypatch):
    """The working directory: a data set, two configs, and a folder of someone else's."""
    (tmp_path / "data").symlink_to(dataset.url)
    (tmp_path / "tiny.toml").write_text(tiny_run.TOML)
    (tmp_path / "typo.toml").write_text("[model]\nhiden_dim = 16\n")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (f"none.toml {REST}", "cannot read config none.toml: No such file or directory"),
        (f"smok {REST}", "unknown config 'smok'; did you mean 'smoke'?"),
        (
            f"typo.toml {REST}",
            "typo.toml: unknown key 'model.hiden_dim'; did you mean 'hidden_dim'?",
        ),
        (f"tiny.toml trian.steps=1 {REST}", "unknown key 'trian'; did you mean 'train'?"),
        (f"tiny.toml train.stesp=3 {REST}", "unknown key 'train.stesp'; did you mean 'steps'?"),
        (f"tiny.toml train.steps=many {REST}", "train.steps = 'many': input should be a valid int"),
        (f"tiny.toml train.steps {REST}", "override 'train.steps' is not like train.steps=100"),
        (f"tiny.toml train.steps.x=3 {REST}", "'train.steps' is a value, not a table"),
        ("tiny.toml --out run", "run run has no data yet; name a data set or a recipe with --data"),
        ("tiny.toml --data none --out run", "'none' is neither a data set nor a recipe"),
        ("tiny.toml --data data --out tiny.toml", "tiny.toml is a file; a run needs a folder"),
        ("tiny.toml --data data --out tiny.toml/run", "cannot write"),
        ("tiny.toml --data data --out full", "full holds other files, such as thesis.tex"),
        ("tiny.toml --data data --out full --overwrite", "holds other files, such as thesis.tex"),
    ],
)
def test_bad_input_ends_in_a_sentence_before_anything_is_written(given, sentence, here):
    before = contents(here)
    assert sentence in command.sentence_here("train", *given.split())
    assert contents(here) == before


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (REST, "run already holds a run; go on with --resume or replace it with --overwrite"),
        (
            f"{REST} --resume --overwrite",
            "--resume goes on with a run and --overwrite replaces it; use one of them",
        ),
        (
            f"model.hidden_dim=32 {REST} --resume",
            "run run was begun with another model.hidden_dim; go on with run/config.toml, or "
            "choose another --out",
        ),
    ],
)
def test_a_run_that_is_there_is_neither_replaced_nor_gone_on_with_unasked(
    given, sentence, here, unbroken
):
    shutil.copytree(unbroken, here / "run")
    assert command.sentence_here("train", "tiny.toml", *given.split()) == sentence
    assert contents(here / "run") == contents(unbroken)


def test_a_run_is_not_gone_on_with_on_other_data(unbroken, tmp_path):
    out = shutil.copytree(unbroken, tmp_path / "run")
    other = tiny_data.write(tmp_path / "other", {"train": [4]}, seed=3)
    with pytest.raises(BadInput, match=r"was begun on data set .*set, and .*other is another one"):
        train(config(), other, out, resume=True)
    assert contents(out) == contents(unbroken)


def test_a_run_of_another_vocabulary_is_not_gone_on_with(unbroken, dataset, tmp_path):
    out = shutil.copytree(unbroken, tmp_path / "run")
    record = json.loads((out / "run.json").read_text())
    record["model"]["vocabulary"] = "0" * 64
    (out / "run.json").write_text(json.dumps(record))
    before = contents(out)
    with pytest.raises(BadInput, match="begun with another vocabulary than this package has"):
        train(config(), dataset, out, resume=True)
    assert contents(out) == before


def test_data_that_do_not_fit_the_model_end_a_process_and_leave_no_run_behind(here):
    given = f"tiny.toml model.context=8 {REST}".split()
    assert "more than model.context 8" in command.sentence("train", *given, cwd=here)
    assert not (here / "run").exists()
