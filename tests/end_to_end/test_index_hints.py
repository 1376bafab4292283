"""A Transformer with index hints through the command line: trained, evaluated, gone on with."""

import json
import shutil

import pyarrow.parquet as pq
import pytest

from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.training import checkpoint, record
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training.trainable import build
from clrs_text_bench.models.transformer import exchange

from .. import command, tiny_data

pytestmark = pytest.mark.slow

SMALL = (
    *("hidden_dim=16", "num_layers=1", "num_heads=2", "expansion=2", "context=64"),
    "max_answer=16",
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
    tiny_data.write(folder / "data", {"train": [4], "test": [5]}, samples=6)
    given = ("--data", folder / "data", "--out", folder / "run")
    command.run("train", "cpu-index-hints", *OVERRIDES, *given)
    return folder


def test_answers_are_in_the_common_format_and_say_that_there_were_hints(folder):
    command.run(
        *("evaluate", f"transformer:{folder / 'run'}", "--data", folder / "data"),
        *("--results", folder / "results", "--save-predictions"),
    )
    files = (folder / "results").rglob("*.parquet")
    rows = [row for path in files for row in pq.read_table(path).to_pylist()]
    assert sum("prediction" in row for row in rows) == 12
    said = {row["settings"] for row in rows if "settings" in row}
    assert {json.loads(settings)["index_hints"] for settings in said} == {"random"}
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


def test_another_run_can_start_from_one_with_hints_if_it_has_hints(folder):
    def start(kind):
        values = (f"model.init={folder / 'run'}", f"model.index_hints={kind}")
        return build(configs.load("cpu-index-hints", (*OVERRIDES, *values)))

    kept = checkpoint.best(folder / "run", start("plain").shapes())
    assert checkpoint.tree_hash(start("plain").init()) == checkpoint.tree_hash(kept.state)
    with pytest.raises(BadInput, match="has vocab_size 1818, and the config has 1718"):
        start("none").init()


def test_a_run_with_hints_is_not_exported(folder, tmp_path):
    with pytest.raises(BadInput, match=r"reads index hints .* cannot give it"):
        exchange.export_run(folder / "run", tmp_path / "out")
    assert not (tmp_path / "out").exists()
