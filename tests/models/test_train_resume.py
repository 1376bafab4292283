"""Runs that were interrupted and gone on with, within this process."""

import json
import shutil
import signal

import jax
import pytest

from clrs_text_bench.errors import RunFailed
from clrs_text_bench.models.training import run, update
from clrs_text_bench.models.training.metrics import Metrics
from clrs_text_bench.models.transformer.trainable import TrainableTransformer

from .tiny_run import config, contents, logged, params, stop_at, train


@pytest.mark.parametrize("step", [1, 5, 6, 7, 11])
def test_ctrl_c_saves_and_a_resumed_run_is_as_if_unbroken(
    unbroken, dataset, tmp_path, monkeypatch, step
):
    out = tmp_path / "run"
    with monkeypatch.context() as patched:
        stop_at(patched, step)
        assert not train(config(), dataset, out)
    assert params(out)[1] == step
    assert train(config(), dataset, out, resume=True)
    assert params(out) == params(unbroken)
    assert params(out, "best") == params(unbroken, "best")
    # A stop between two lines splits one mean of losses in two; no line is lost or there twice.
    assert logged(out) == logged(unbroken)


def test_ctrl_c_that_ends_a_compiler_stops_a_run_before_its_step(
    unbroken, dataset, tmp_path, monkeypatch
):
    """For a GPU, XLA compiles by processes that a terminal's Ctrl-C reaches, too."""
    original, out = update.Step.__call__, tmp_path / "run"
    calls = []

    def ended(self, state, batch):
        calls.append(batch)
        if len(calls) == 5:
            signal.raise_signal(signal.SIGINT)
            raise jax.errors.JaxRuntimeError("INTERNAL: ptxas exited with non-zero error code 2")
        return original(self, state, batch)

    with monkeypatch.context() as patched:
        patched.setattr(update.Step, "__call__", ended)
        assert not train(config(), dataset, out)
    assert params(out)[1] == 4
    assert train(config(), dataset, out, resume=True)
    assert params(out) == params(unbroken)


@pytest.mark.parametrize(
    ("told", "error", "match"),
    [
        ("INTERNAL: a kernel failed", jax.errors.JaxRuntimeError, "a kernel failed"),
        ("RESOURCE_EXHAUSTED: 30 GiB", RunFailed, r"step 1 needs more memory .*train\.accumulate"),
    ],
)
def test_a_step_that_fails_by_itself_is_no_stop(dataset, tmp_path, monkeypatch, told, error, match):
    def failing(self, state, batch):
        raise jax.errors.JaxRuntimeError(told)

    monkeypatch.setattr(update.Step, "__call__", failing)
    with pytest.raises(error, match=match):
        train(config(), dataset, tmp_path / "run")


def test_a_finished_run_resumed_is_left_as_it_is(unbroken, dataset, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(unbroken, out)
    assert train(config(), dataset, out, resume=True)
    assert contents(out) == contents(unbroken)
    assert params(out) == params(unbroken)


def test_resuming_where_nothing_is_begins(unbroken, dataset, tmp_path):
    assert train(config(), dataset, tmp_path / "run", resume=True)
    assert params(tmp_path / "run") == params(unbroken)


def test_a_resumed_run_needs_no_data_named(unbroken, dataset, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        stop_at(patched, 4)
        train(config(), dataset, tmp_path / "run")
    assert run.train(config(), None, tmp_path / "run", resume=True, show=False)
    assert params(tmp_path / "run") == params(unbroken)


def test_a_resumed_run_makes_no_initial_parameters(unbroken, dataset, tmp_path, monkeypatch):
    """So it does not need the folder that they came from, nor memory for two states."""
    with monkeypatch.context() as patched:
        stop_at(patched, 4)
        train(config(), dataset, tmp_path / "run")
    monkeypatch.setattr(TrainableTransformer, "init", lambda self: pytest.fail("made again"))
    assert train(config(), dataset, tmp_path / "run", resume=True)
    assert params(tmp_path / "run") == params(unbroken)


def test_a_step_that_an_earlier_run_logged_beyond_its_checkpoint_is_dropped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    metrics = Metrics(path, 0)
    for step in (1, 2, 3):
        metrics.log("train", step, loss=0.5)
    with open(path, "a") as file:
        file.write('{"kind": "train", "st')  # cut off by a kill
    Metrics(path, 2).log("train", 3, loss=0.25)
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 2, 3]
    assert json.loads(path.read_text().splitlines()[-1])["loss"] == 0.25
