"""From a recipe to a figure, through the command line as a user would type it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars
import pytest

pytestmark = pytest.mark.slow

RECIPE = """
name = "tiny"
[[splits]]
name = "train"
algorithms = ["minimum", "bfs"]
lengths = "4-6"
samples = 60
[[splits]]
name = "test"
algorithms = ["minimum", "bfs"]
lengths = "5,8"
samples = 20
"""


def run(folder, *arguments, code=0):
    """Runs one command in a folder; returns what it wrote to standard output."""
    done = subprocess.run(
        [Path(sys.executable).parent / "clrs-text-bench", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data set, a trained model, and three models' results."""
    folder = tmp_path_factory.mktemp("pipeline")
    (folder / "tiny.toml").write_text(RECIPE)
    run(folder, "generate", "tiny.toml", "--workers", "2", "--out", "data")
    run(folder, "train", "smoke", "--data", "data", "--out", "run")
    for model in ("transformer:run", "solver", "majority"):
        run(
            folder,
            "evaluate",
            model,
            "--data",
            "data",
            "--results",
            "results",
            "--save-predictions",
        )
    return folder


def _leaderboard(folder, *arguments):
    text = run(folder, "leaderboard", "--results", "results", "--format", "json", *arguments)
    return json.loads(text)


def test_the_solver_is_right_everywhere_and_the_others_are_not(folder):
    rows = {row["model"]: row for row in _leaderboard(folder)}
    assert set(rows) == {"transformer", "solver", "majority"}
    for score in ("shape", "parse", "clrs", "exact"):
        assert rows["solver"][score] == 1.0
    assert rows["majority"]["clrs"] < 0.9
    assert rows["transformer"]["exact"] < 0.5
    assert all(row["n"] == 80 for row in rows.values())


def test_regimes_follow_from_the_training_lengths(folder):
    rows = [r for r in _leaderboard(folder, "--by", "regime") if r["model"] == "transformer"]
    assert {r["regime"]: r["n"] for r in rows} == {"in-distribution": 40, "extrapolation": 40}


def test_saved_predictions_score_the_same_again(folder):
    (saved,) = (folder / "results" / "predictions").glob("majority-*")
    run(folder, "score", str(saved), "--data", "data", "--out", "scores.parquet")
    scores = polars.read_parquet(folder / "scores.parquet")
    rows = {row["model"]: row for row in _leaderboard(folder)}
    by_cell = scores.group_by("algo_name", "length").agg(polars.col("clrs").mean())
    assert by_cell["clrs"].mean() == pytest.approx(rows["majority"]["clrs"], abs=1e-6)


def test_rerunning_an_evaluation_adds_nothing(folder):
    before = _leaderboard(folder)
    run(folder, "evaluate", "majority", "--data", "data", "--results", "results")
    assert [r["n"] for r in _leaderboard(folder)] == [r["n"] for r in before]


def test_every_figure_is_drawn(folder):
    for figure in ("curves", "bars", "families", "heatmap"):
        run(folder, "plot", figure, "--results", "results", "--out", f"figures/{figure}")
        for ending in (".png", ".svg"):
            assert (folder / "figures" / f"{figure}{ending}").stat().st_size > 5000


def test_two_runs_are_compared_on_the_same_samples(folder):
    text = run(folder, "leaderboard", "--results", "results", "--compare", "solver", "majority")
    assert "bfs" in text
    assert "minimum" in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["evaluate", "slover", "--data", "data"], "did you mean 'solver'"),
        (["evaluate", "transformer:nowhere", "--data", "data"], "nowhere"),
        (["evaluate", "solver", "--data", "nowhere"], "nowhere"),
        (["evaluate", "solver", "--data", "data", "-l", "8-4"], "runs backwards"),
        (["train", "smoke", "model.hiden_dim=3", "--data", "data", "--out", "new"], "did you mean"),
        (["train", "smoke", "--data", "data", "--out", "run"], "--resume"),
        (["score", "missing.csv", "--data", "data"], "missing.csv"),
        (["plot", "curves", "--results", "nowhere", "--out", "x.png"], "nowhere"),
        (["generate", "tiny.toml", "--out", "data"], "--overwrite"),
        (["generate", "smok", "--out", "new"], "did you mean 'smoke'"),
    ],
)
def test_bad_input_ends_in_one_sentence(folder, arguments, sentence):
    message = run(folder, *arguments, code=2)
    assert sentence in message
    assert "Traceback" not in message
    assert len(message.strip().splitlines()) == 1
    assert not (folder / "new").exists()
