"""`train` as a user runs it: killed, interrupted, gone on with, diverged."""

import random
import re
import shutil
import signal
import time

import pytest

from .. import command
from . import train_process as runs
from .tiny_run import logged, metrics, params

pytestmark = pytest.mark.slow

KILLS = 10
START_UP = 5.0  # seconds within which a process has begun to train on most machines
INTERRUPTED = 130


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train")
    runs.prepare(folder)
    return folder


@pytest.fixture(scope="module")
def unbroken(folder):
    """The folder of a run that is long enough to be cut off, and was not."""
    runs.finish(folder, "unbroken")
    assert params(folder / "unbroken")[1] == runs.STEPS
    return folder / "unbroken"


def assert_same(out, unbroken):
    """Holds a run that was cut off to the bits and the steps of one that was not."""
    assert params(out) == params(unbroken)
    assert params(out, "best") == params(unbroken, "best")
    assert logged(out) == logged(unbroken)
    assert len(set(logged(out))) == len(logged(out))


def measures(out):
    """Returns a run's metrics but for what is of the clock."""
    clock = ("tokens_per_second", "waiting_share")
    return [{k: v for k, v in line.items() if k not in clock} for line in metrics(out)]


def test_a_run_killed_at_any_moment_is_resumed_to_the_same_bits(folder, unbroken):
    """Half of the kills fall anywhere from the start of the process, half among its steps."""
    out, moments = folder / "killed", random.Random(0)
    for number in range(KILLS):
        process = runs.start(folder, "killed", "--resume")
        step = runs.last_step(out) + moments.randint(1, 10)
        anywhere = moments.uniform(0.1, START_UP)
        seconds = anywhere if number % 2 == 0 else runs.PATIENCE
        if runs.wait_for(process, lambda step=step: runs.last_step(out) >= step, seconds):
            time.sleep(moments.uniform(0, 0.05))
        runs.kill(process)
    assert 0 < runs.last_step(out) < runs.STEPS
    runs.finish(folder, "killed", "--resume")
    assert_same(out, unbroken)
    assert measures(out) == measures(unbroken)


def test_killed_while_a_checkpoint_is_written_loses_nothing(folder, unbroken):
    """The half-written one is left aside, and the one before it is gone on with."""
    out = folder / "torn"
    latest = out / "checkpoints" / "latest"

    def torn():
        names = [p.name for p in latest.iterdir()] if latest.exists() else []
        return any(map(str.isdigit, names)) and not all(map(str.isdigit, names))

    def caught():
        if torn():
            process.send_signal(signal.SIGSTOP)
            if torn():
                return True
            process.send_signal(signal.SIGCONT)  # it was put in place meanwhile
        return False

    process = runs.start(folder, "torn")
    assert runs.wait_for(process, caught), "a checkpoint was never seen while it was written"
    runs.kill(process)
    assert torn()
    runs.finish(folder, "torn", "--resume")
    assert not torn()
    assert_same(out, unbroken)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_end_saves_says_how_to_go_on_and_loses_no_bit(folder, unbroken, sent):
    name = f"stopped-{sent.name}"
    out = folder / name
    process = runs.start(folder, name)
    assert runs.wait_for(process, lambda: runs.last_step(out) >= 10)
    process.send_signal(sent)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == INTERRUPTED
    assert "Traceback" not in output
    assert 10 <= params(out)[1] < runs.STEPS
    told = re.search(r"stopped and saved; go on with clrs-text-bench (train .*--resume)", output)
    going_on = told[1].split()
    assert going_on == ["train", "tiny.toml", *runs.OVERRIDES, "--out", name, "--resume"]
    done = command.run(*going_on, cwd=folder, **runs.cache(folder))
    assert f"trained; next: clrs-text-bench evaluate transformer:{name}" in done.stderr
    assert_same(out, unbroken)


def test_divergence_exits_with_1_and_a_sentence(folder, unbroken):
    shutil.copytree(unbroken, folder / "diverged")
    line = command.sentence(
        *("train", "tiny.toml", "optimizer.learning_rate=1e30", "optimizer.warmup_steps=0"),
        *("--data", "data", "--out", "diverged", "--overwrite"),
        code=1,
        cwd=folder,
        **runs.cache(folder),
    )
    assert line.startswith("training diverged at step ")
    assert line.endswith("lower optimizer.learning_rate and train again")
