"""An ablation as a user runs it: killed, gone on with, a run of it diverging, and then compared."""

import json
import shutil
import subprocess

import pandas as pd
import pytest

from clrs_text_bench import datasets
from clrs_text_bench.cli.main import cli
from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.ablation import apart, work
from clrs_text_bench.models.ablation import file as files
from clrs_text_bench.models.ablation.plan import Shard
from clrs_text_bench.models.nar.trainable import TrainableNar
from clrs_text_bench.models.training import checkpoint, record, source
from clrs_text_bench.models.training import config as configs

from .. import command, processes, tiny_data
from . import tiny_run, train_process
from .tiny_reasoner import QUICKLY

REASONER = """
[model]
kind = "nar"
algorithms = ["minimum", "insertion_sort"]
hidden_dim = 4
triplet_dim = 2
"""

# The tiny shipped configs of the shipped smoke ablation, made smaller still.
SMALLER = (
    *("model.hidden_dim=16", "model.context=64", "model.max_answer=16"),
    *("model.transformer.hidden_dim=16", "model.transformer.context=64"),
    *("model.transformer.max_answer=16", "model.nar.run=nar", "model.nar.steps=bound"),
    *("train.steps=12", "train.save_every=3", "train.log_every=2", "train.batch_size=4"),
    *("validation.every=6", "validation.samples=2", "evaluate.limit=6"),
)
# A variant more, which diverges, in place of one that would take as long as the others.
DIVERGING = (
    *(
        "variants.zeros.description=diverges",
        "variants.zeros.config=smoke",
        "variants.zeros.model={}",
    ),
    *("variants.zeros.optimizer={learning_rate=1e30,warmup_steps=0}",),
)
OVERRIDES = (*SMALLER, *DIVERGING)
DIVERGED = "zeros-0: training diverged at step "


def make_reasoner(run, data):
    """Puts a reasoner that nothing has trained into a run's folder."""
    config = configs.parse(REASONER, "nar.toml")
    trainable = TrainableNar(config.model, seed=0)
    run.mkdir()
    (run / "config.toml").write_text(configs.dumps(config))
    record.write(
        run, record.make(config, trainable.record(), source.find(data, config, show=False))
    )
    kept = checkpoint.Checkpoints(run, "best", create=True)
    kept.save(1, trainable.init(), {"scores": {}})
    kept.close()


def arguments(*more):
    return ["ablate", "transnar-smoke", *OVERRIDES, "--data", "data", "--out", "out", *more]


@pytest.fixture(scope="module")
def variables(tmp_path_factory):
    flags = " ".join(f"--{name}={str(value).lower()}" for name, value in QUICKLY.items())
    return {"XLA_FLAGS": flags, **train_process.cache(tmp_path_factory.mktemp("cache"))}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, variables):
    """A data set, a reasoner, and an ablation that was killed and gone on with."""
    folder = tmp_path_factory.mktemp("ablation")
    data = tiny_data.write(folder / "data", {"train": [4, 6], "test": [5, 6]}, samples=20)
    make_reasoner(folder / "nar", data.url)
    kill_in_training(folder, variables)
    done = command.run(*arguments(), code=1, cwd=folder, **variables)
    (folder / "stdout").write_text(done.stdout)
    (folder / "stderr").write_text(done.stderr)
    return folder


def kill_in_training(folder, variables):
    """Kills an ablation as soon as its first run has made a few steps; its process ends with it."""
    process = subprocess.Popen(
        [command.PROGRAM, *arguments()],
        cwd=folder,
        env=command.surroundings(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    first = folder / "out" / "runs" / "transformer-0"
    assert train_process.wait_for(process, lambda: train_process.last_step(first) >= 2)
    made = set(processes.children(process.pid))
    train_process.kill(process)
    assert made
    assert processes.gone(made)


pytestmark = pytest.mark.slow


def test_a_killed_ablation_goes_on_to_all_steps_of_each_run_and_no_step_is_twice(folder):
    for name in ("transformer-0", "transnar-0"):
        steps = [s for kind, s in tiny_run.logged(folder / "out/runs" / name) if kind == "train"]
        assert steps == [2, 4, 6, 8, 10, 12]


def test_one_run_that_diverges_fails_alone_and_is_named(folder):
    said = (folder / "stderr").read_text()
    last = said.splitlines()[-1]
    assert last.startswith("clrs-text-bench: 1 of 3 runs failed, and the same command tries them")
    assert DIVERGED in last
    assert "Missing: zeros, seed 0." in said
    assert "transformer" in (folder / "stdout").read_text()


def test_a_run_records_the_command_that_makes_it(folder):
    began = json.loads((folder / "out/runs/transnar-0/run.json").read_text())
    assert began["command"].startswith("clrs-text-bench train transnar-smoke ")
    assert began["command"].endswith("--data data --out out/runs/transnar-0 --resume")
    assert began["config"]["name"] == "transnar"


def leaderboard(folder, capsys, *more):
    cli.main(
        ["leaderboard", "--results", str(folder / "out"), "--format", "json", *more],
        standalone_mode=False,
    )
    return json.loads(capsys.readouterr().out)


def test_the_table_is_the_leaderboards_and_its_comparison(folder, capsys):
    found = pd.read_parquet(folder / "out/ablation.parquet")
    found = found[found["score"] == "shape"].set_index(["variant", "part"])
    parts = {"in-distribution": "6", "out of distribution": "5", "length 5": "5", "length 6": "6"}
    for part, lengths in parts.items():
        chosen = ["--score", "shape", "-l", lengths]
        for row in leaderboard(folder, capsys, *chosen):
            ours = found.loc[(row["model"], part)]
            assert ours["mean"] == pytest.approx(row["shape"], abs=1e-9)
            assert ours["low"] == pytest.approx(row["shape_low"], abs=1e-9)
            assert ours["n"] == row["n"] == 12
        pair = leaderboard(folder, capsys, *chosen, "--compare", "transnar", "transformer")
        ours = found.loc[("transformer", part)]
        assert ours["difference"] == pytest.approx(pair["overall"]["difference"], abs=1e-9)
        assert ours["difference_low"] == pytest.approx(pair["overall"]["low"], abs=1e-9)
        assert ours["p"] == pair["overall"]["p"]


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def load(*more):
    return files.load("transnar-smoke", [*OVERRIDES, *more])


def test_what_is_finished_is_neither_trained_nor_evaluated_again(here, monkeypatch):
    called = []
    monkeypatch.setattr(apart, "run", lambda commands: called.append(commands))
    before = tiny_run.contents(here / "out" / "runs")
    prepared = work._Work.of(load(), "data", "out")
    assert [prepared.left(run) == [] for run in prepared.runs] == [True, True, False]
    assert work.ablate(load(), "data", "out", Shard(2, 3))
    assert called == []
    assert tiny_run.contents(here / "out" / "runs") == before
    assert "Missing: zeros, seed 0." in (here / "out" / "ablation.md").read_text()


def test_more_that_is_asked_is_evaluated_and_not_trained(here, monkeypatch):
    called = []

    def ran(commands):
        called.extend(commands)
        return apart.Outcome("stopped")

    monkeypatch.setattr(apart, "run", ran)
    assert not work.ablate(
        load("evaluate.limit=7", "evaluate.lengths=5"), "data", "out", Shard(2, 3)
    )
    chosen = ["--split", "test", "--lengths", "5", "--limit", "7", "--results", "out"]
    assert called == [["evaluate", "transnar:out/runs/transnar-0", "--data", "data", *chosen]]


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (
            "variants.transformer.train.batch_size=2",
            "transformer-0 was begun with another train.ba",
        ),
        ("evaluate.split=tset", "'tset'; did you mean 'test'"),
        ("evaluate.lengths=5,9", "split test of data has no length 9; it has 5-6"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_trained(
    here, monkeypatch, override, sentence
):
    monkeypatch.setattr(apart, "run", lambda _: pytest.fail("something was run"))
    with pytest.raises(BadInput, match=sentence):
        work.ablate(load(override), "data", "out", Shard())


def test_other_data_are_refused(here, monkeypatch):
    monkeypatch.setattr(apart, "run", lambda _: pytest.fail("something was run"))
    tiny_data.write(here / "other", {"train": [4, 6], "test": [5, 6]}, seed=3)
    with pytest.raises(BadInput, match="transformer-0 was begun on data set data, and other is"):
        work.ablate(load(), "other", "out", Shard())


def test_a_run_that_was_trained_anew_is_evaluated_anew(here, tmp_path):
    """What a leaderboard says of another checkpoint is not taken for this one's."""
    shutil.copytree(here / "out", tmp_path / "out")
    best = next((tmp_path / "out/runs/transnar-0/checkpoints/best").glob("*/hash/metadata"))
    best.write_text(json.dumps("0" * 64))
    prepared = work._Work.of(load(), "data", str(tmp_path / "out"))
    (run,) = [run for run in prepared.runs if run.variant == "transnar"]
    assert [arguments[0] for arguments in prepared.left(run)] == ["evaluate"]


def test_plan_says_how_far_runs_are(here):
    found = work.planned(load(), "data", "out", Shard())
    assert [(one.run.name, one.reached.step) for one in found][:2] == [
        ("transformer-0", 12), ("transnar-0", 12),
    ]  # fmt: skip
    assert found[1].size.trained < found[1].size.parameters
    assert datasets.open("data").hash
