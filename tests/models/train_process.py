"""Training runs as processes of their own, on the data and the config of one folder."""

import json
import signal
import subprocess
import time

import pytest

from .. import command, tiny_data
from . import tiny_run

STEPS = 150
OVERRIDES = (f"train.steps={STEPS}", "train.save_every=4", "validation.every=20")
PATIENCE = 120  # seconds


def prepare(folder):
    """Writes a data set and the config of a run of 150 steps, saved every 4."""
    tiny_data.write(folder / "data", {"train": [4, 6], "test": [5]})
    (folder / "tiny.toml").write_text(tiny_run.TOML)


def cache(folder):
    """Returns the variables by which all processes share what one of them has compiled."""
    return {
        "JAX_COMPILATION_CACHE_DIR": str(folder / "cache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }


def arguments(out, *more):
    return ["train", "tiny.toml", *OVERRIDES, "--data", "data", "--out", out, *more]


def start(folder, out, *more):
    """Begins a run and returns its process, whose output is read as one."""
    return subprocess.Popen(
        [command.PROGRAM, *arguments(out, *more)],
        cwd=folder,
        env=command.surroundings(**cache(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(folder, out, *more):
    """Runs to the end."""
    return command.run(*arguments(out, *more), cwd=folder, **cache(folder))


def last_step(out):
    """Returns the last step that a run has logged so far; 0 if none."""
    if not (out / "metrics.jsonl").exists():
        return 0
    lines = (out / "metrics.jsonl").read_text().splitlines(keepends=True)
    return max((json.loads(x)["step"] for x in lines if x.endswith("\n")), default=0)


def wait_for(process, happened, seconds=PATIENCE):
    """Waits until something has happened, or for so many seconds; returns whether it has.

    Fails if the process ends before.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"the run ended too early: {process.communicate()[0]}")
        if happened():
            return True
        time.sleep(0.002)
    return False


def kill(process):
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
