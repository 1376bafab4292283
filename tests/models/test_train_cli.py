"""`train` as a user runs it: killed, interrupted, resumed."""

import os
import random
import re
import signal
import subprocess
import time

import pytest

from clrs_text_bench.models.training import checkpoint as checkpoints
from clrs_text_bench.models.training.trainable import build

from .. import command, tiny_data
from . import tiny_run

pytestmark = pytest.mark.slow

STEPS = 150


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data set and the config of a run of 150 steps, saved every 4."""
    folder = tmp_path_factory.mktemp("train")
    tiny_data.write(folder / "data", {"train": [4, 6], "test": [5]})
    (folder / "tiny.toml").write_text(tiny_run.TOML)
    return folder


OVERRIDES = (f"train.steps={STEPS}", "train.save_every=4", "validation.every=20")


def arguments(out, *more):
    return ["train", "tiny.toml", *OVERRIDES, "--data", "data", "--out", out, *more]


def surroundings(folder):
    cache = str(folder / "cache")  # programs are compiled once for all processes
    return command.surroundings(JAX_COMPILATION_CACHE_DIR=cache)


def begin(folder, out, *more):
    return subprocess.Popen(
        [command.PROGRAM, *arguments(out, *more)],
        cwd=folder,
        env=surroundings(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(folder, out, *more, code=0):
    return command.run(
        *arguments(out, *more),
        code=code,
        cwd=folder,
        JAX_COMPILATION_CACHE_DIR=str(folder / "cache"),
    )


@pytest.fixture(scope="module")
def unbroken(folder):
    finish(folder, "unbroken")
    return hashes(folder / "unbroken")


def hashes(out):
    trainable = build(tiny_run.config())
    found = []
    for kind in ("latest", "best"):
        kept = checkpoints.Checkpoints(out, kind)
        restored = kept.restore(trainable.shapes())
        kept.close()
        found.append((restored.step, checkpoints.params_hash(restored.params)))
    return found


def steps(out):
    text = (out / "metrics.jsonl").read_text()
    return [(m[1], int(m[2])) for m in re.finditer(r'"kind": "(\w+)", "step": (\d+)', text)]


def wait_for(path, process, seconds=120):
    """Waits until a running process has made a file."""
    until = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.02)


def test_killed_at_random_moments_and_resumed_is_bit_for_bit_as_unbroken(folder, unbroken):
    random.seed(0)
    out, kills = folder / "killed", 0
    while kills < 8:
        process = begin(folder, "killed", "--resume")
        if kills:
            # From the moment that the loop may run on: its folder is gone through once more.
            wait_for(out / "metrics.jsonl", process)
            delay = random.uniform(1.5, 8.0)
        else:
            delay = random.uniform(0.1, 3.0)  # before there is anything but a config
        try:
            process.wait(timeout=delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        process.stderr.close()
        kills += 1
    finish(folder, "killed", "--resume")
    assert hashes(out) == unbroken
    assert steps(out) == steps(folder / "unbroken")


def test_killed_while_a_checkpoint_is_written_loses_nothing(folder, unbroken):
    """The half-written one is left aside, and the one before it is gone on with."""
    process = begin(folder, "torn")
    latest = folder / "torn" / "checkpoints" / "latest"
    wait_for(latest, process)
    seen, until = 0, time.monotonic() + 60
    # Kills as soon as a checkpoint is under way while an earlier one stands.
    while time.monotonic() < until and process.poll() is None:
        names = os.listdir(latest)
        if any(n.isdigit() for n in names) and any(not n.isdigit() for n in names):
            seen = 1
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    assert seen, "no moment was caught at which a checkpoint was being written"
    finish(folder, "torn", "--resume")
    assert hashes(folder / "torn") == unbroken


def test_ctrl_c_exits_with_130_and_says_how_to_go_on(folder, unbroken):
    process = begin(folder, "stopped")
    wait_for(folder / "stopped" / "checkpoints" / "latest", process)
    until = time.monotonic() + 120
    while not any(n.isdigit() for n in os.listdir(folder / "stopped/checkpoints/latest")):
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in error
    told = re.search(r"stopped and saved; go on with clrs-text-bench (train .*--resume)", error)
    assert told[1].split() == ["train", "tiny.toml", *OVERRIDES, "--out", "stopped", "--resume"]
    command.run(*told[1].split(), cwd=folder, JAX_COMPILATION_CACHE_DIR=str(folder / "cache"))
    assert hashes(folder / "stopped") == unbroken


def test_divergence_exits_with_1_and_a_sentence(folder):
    done = finish(folder, "diverged")
    assert "trained; next: clrs-text-bench evaluate transformer:diverged" in done.stderr
    line = command.sentence(
        *["train", "tiny.toml", "optimizer.learning_rate=1e30", "optimizer.warmup_steps=0"],
        *["--data", "data", "--out", "diverged", "--overwrite"],
        code=1,
        cwd=folder,
    )
    assert line.startswith("training diverged at step ")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["train", "tiny.toml", "--out", "x"], "run x has no data yet"),
        (["train", "tinny.toml", "--data", "data", "--out", "x"], "cannot read config tinny.toml"),
        (["train", "smok", "--data", "data", "--out", "x"], "did you mean 'smoke'?"),
        (["train", "tiny.toml", "trian.steps=1", "--data", "data", "--out", "x"], "'train'"),
        (["train", "tiny.toml", "--data", "none", "--out", "x"], "neither a data set nor a recipe"),
        (["train", "tiny.toml", "--data", "data", "--out", "tiny.toml"], "is a file"),
        (["train", "tiny.toml", "--data", "data", "--out", "data"], "holds other files"),
    ],
)
def test_bad_input_is_a_sentence(folder, given, sentence):
    assert sentence in command.sentence(*given, cwd=folder)


def test_bad_input_leaves_no_run_behind(folder):
    for more in ([], ["--data", "none"], ["--data", "data", "model.context=8"]):
        command.sentence("train", "tiny.toml", *more, "--out", "never", cwd=folder)
        assert not (folder / "never").exists()
