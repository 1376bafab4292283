"""The example package of `docs/examples`, installed as a user installs it, all the way."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .. import command

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).parents[2] / "docs" / "examples" / "more_tasks"
TASKS = (
    "longest_increasing_subsequence",
    "connected_components",
    "expression_value",
    "straight_line_program",
)
# Beside them one of the thirty, so that the engines of both make the data set.
ALGORITHMS = ("bfs", *TASKS)

# So small that all graphs have one shape and all texts two: compiling is what takes long here.
RECIPE = f"""
name = "tiny"
graph_hints = true
[[splits]]
name = "train"
algorithms = {json.dumps(ALGORITHMS[:-1])}
lengths = "4"
samples = 30
[[splits]]
name = "train"
algorithms = ["straight_line_program"]
lengths = "1"
samples = 30
[[splits]]
name = "test"
algorithms = {json.dumps(ALGORITHMS[:-1])}
lengths = "4"
samples = 8
[[splits]]
name = "test"
algorithms = ["straight_line_program"]
lengths = "1"
samples = 8
"""

TRAIN = """
[train]
steps = 2
batch_size = 4
log_every = 1
save_every = 2
[optimizer]
warmup_steps = 1
[validation]
every = 2
samples = 1
fraction = 0.1
"""
TEXT = (
    "hidden_dim = 8\nnum_layers = 1\nnum_heads = 2\nexpansion = 2\ncontext = 256\nmax_answer = 16"
)
MODELS = {
    "transformer": f"[model]\n{TEXT}",
    "nar": f'[model]\nkind = "nar"\nalgorithms = {json.dumps(ALGORITHMS)}\n'
    "hidden_dim = 4\ntriplet_dim = 2",
    "transnar": f'[model]\nkind = "transnar"\n[model.transformer]\n{TEXT}\n'
    '[model.nar]\nrun = "nar"\nsteps = "bound"',
}
QUICKLY = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The package, installed from a copy of its sources, without the network."""
    folder = tmp_path_factory.mktemp("example")
    shutil.copytree(SOURCE, folder / "source")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")
    where = ("--no-build-isolation", "--target", folder / "site", folder / "source")
    subprocess.run([sys.executable, "-m", "pip", "install", *quiet, *where], check=True)
    return folder / "site"


def test_its_own_tests_pass(site, tmp_path):
    shutil.copytree(SOURCE / "tests", tmp_path / "tests")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
        env=command.surroundings(site),
    )
    assert done.returncode == 0, done.stdout


def test_its_tasks_go_all_the_way_beside_one_of_the_thirty(site, tmp_path):
    (tmp_path / "tiny.toml").write_text(RECIPE)

    def run(*words):
        return command.run(*words, cwd=tmp_path, path=site, XLA_FLAGS=QUICKLY).stdout

    run("generate", "tiny.toml", "--workers", "1", "--out", "data")
    shown = run("show", "data", "--split", "test", "-n", "1")
    assert "more-tasks+native (more-tasks 1+native 1)" in shown
    assert "% 10\nvalue:\n" in shown
    assert "10 rows made again alike" in run("verify", "data", "-n", "1")
    specs = ["solver", "majority"]
    for name, model in MODELS.items():
        (tmp_path / f"{name}.toml").write_text(model + TRAIN)
        run("train", f"{name}.toml", "--data", "data", "--out", name)
        specs.append(f"{name}:{name}")
    for spec in specs:
        run("evaluate", spec, "--data", "data", "--results", "results")
    for spec in ("solver", "nar:nar"):
        asked = ("--evaluator", "clrs-metric", "--results", "metric")
        run("evaluate", spec, "--data", "data", *asked)

    run("evaluate", "solver", "--data", "data", "--evaluator", "valid", "--results", "valid")

    scores = leaderboard(run, "results", "exact")
    assert {model for model, _ in scores} == {"solver", "majority", *MODELS}
    assert {algorithm for _, algorithm in scores} == set(ALGORITHMS)
    assert all(scores["solver", name] == 1.0 for name in ALGORITHMS)
    assert scores["majority", "straight_line_program"] < 0.5
    metric = leaderboard(run, "metric", "clrs_metric")
    assert all(metric["solver", name] == 1.0 for name in ALGORITHMS)
    assert all(0 <= metric["nar", name] <= 1 for name in ALGORITHMS)
    valid = leaderboard(run, "valid", "valid")
    assert all(valid["solver", name] == 1.0 for name in ALGORITHMS)
    run("plot", "heatmap", "--results", "results", "--out", "figure")
    assert (tmp_path / "figure.png").stat().st_size > 5000


def leaderboard(run, results, score):
    """Returns a score by model and algorithm."""
    asked = ("--by", "algorithm", "--format", "json", "--score", score)
    rows = json.loads(run("leaderboard", "--results", results, *asked))
    return {(row["model"], row["algorithm"]): row[score] for row in rows}
