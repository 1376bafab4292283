"""The example of a model, as a plug-in of the installed package."""

import tomllib

import pyarrow.parquet as pq
import pytest

from .. import command, plugins
from . import pages

SOURCE = pages.ROOT / "docs" / "examples" / "own_model"


@pytest.fixture
def plugin(tmp_path):
    """A folder to find the model in, and the name of its entry point."""
    groups = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]["entry-points"]
    (entry,) = groups["clrs_text_bench.models"].items()
    source = {"own_model": (SOURCE / "own_model.py").read_text()}
    return plugins.install(tmp_path / "site", "own-model", {"models": dict([entry])}, source)


def test_the_model_answers_and_is_scored_and_says_what_it_lacks(plugin, tmp_path):
    generate = ("generate", "-a", "minimum", "-l", "4", "-n", "30", "--split", "test")
    command.run(*generate, "--workers", "1", "--out", tmp_path / "data")
    evaluate = ("evaluate", "own-model:2", "--data", tmp_path / "data", "--save-predictions")
    command.run(*evaluate, "--results", tmp_path / "results", path=plugin)
    (kept,) = (tmp_path / "results" / "predictions").rglob("*.parquet")
    answers = pq.read_table(kept)["prediction"].to_pylist()
    assert answers == ["2"] * 30
    truths = pq.read_table(tmp_path / "data" / "data" / "test" / "minimum")["answer"].to_pylist()
    (board,) = (tmp_path / "results" / "leaderboard").glob("*.parquet")
    (row,) = pq.read_table(board).to_pylist()
    assert row["exact"] == pytest.approx(sum(t.strip() == "2" for t in truths) / 30)
    said = command.sentence("evaluate", "own-model", "--data", tmp_path / "data", path=plugin)
    assert said == "own-model needs a text to answer with, such as own-model:0"
