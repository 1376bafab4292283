"""A Transformer with index hints through the command line: trained, evaluated, gone on with."""

import json
import shutil

import pyarrow.parquet as pq
import pytest

from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.training import record
from clrs_text_bench.models.transformer import exchange

from .. import command, tiny_data

pytestmark = pytest.mark.slow

SMALL = (
    *("hidden_dim=16", "num_layers=1", "num_heads=2", "expansion=2", "context=128"),
    "max_answer=32",
)
SHORT = (
    *("train.steps=4", "train.batch_size=4", "train.accumulate=1", "train.save_every=2"),
    *("optimizer.warmup_steps=1", "validation.every=4", "validation.samples=1"),
)
OVERRIDES = (*(f"model.{value}" for value in SMALL), *SHORT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data set, and a run of the shipped config, made small, on it."""
    folder = tmp_path_factory.mktemp("hints")
    tiny_data.write(folder / "data", {"train": [4, 6], "test": [5, 16]}, samples=6)
    given = ("--data", folder / "data", "--out", folder / "run")
    command.run("train", "cpu-index-hints", *OVERRIDES, *given)
    return folder


def test_answers_are_in_the_common_format_and_say_that_there_were_hints(folder):
    command.run(
        *("evaluate", f"transformer:{folder / 'run'}", "--data", folder / "data"),
        *("--results", folder / "results", "--save-predictions"),
    )
    predictions = [
        row
        for path in (folder / "results").rglob("*.parquet")
        for row in pq.read_table(path).to_pylist()
        if "prediction" in row
    ]
    assert len(predictions) == 24
    assert all(row["n_tokens"] <= 32 for row in predictions)
    rows = json.loads(
        command.run("leaderboard", "--results", folder / "results", "--format", "json").stdout
    )
    assert {row["model"] for row in rows} == {"transformer-index-hints"}
    assert record.read(folder / "run").model["index_hints"] == "random-1"


@pytest.mark.parametrize("kind", ["plain", "none"])
def test_a_run_is_not_gone_on_with_under_other_hints(folder, kind):
    found = command.sentence_here(
        *("train", "cpu-index-hints", *OVERRIDES, f"model.index_hints={kind}", "--resume"),
        *("--data", folder / "data", "--out", folder / "run"),
    )
    assert "was begun with another model.index_hints" in found


def test_a_checkpoint_is_not_read_with_other_hints(folder, tmp_path):
    run = shutil.copytree(folder / "run", tmp_path / "run")
    path = run / record.FILE
    path.write_text(path.read_text().replace("random-1", "random-0"))
    found = command.sentence_here("evaluate", f"transformer:{run}", "--data", folder / "data")
    assert "was trained with index_hints random-0, and this package has random-1" in found


def test_a_run_with_hints_is_not_exported(folder, tmp_path):
    with pytest.raises(BadInput, match="reads index hints .* cannot give it"):
        exchange.export_run(folder / "run", tmp_path / "out")
    assert not (tmp_path / "out").exists()
