"""Commands in processes of their own: how they end, and that they end with the one that began them.

The commands are a plug-in's, so that nothing is trained.
"""

import os
import signal
import subprocess
import sys
import time

import pytest

from clrs_text_bench.models.ablation import apart
from clrs_text_bench.models.ablation.apart import Outcome

from .. import command, plugins, processes

COMMANDS = """
import os, pathlib, signal, sys, time
import click
from clrs_text_bench.errors import BadInput, RunFailed

@click.command()
@click.argument("what")
@click.argument("file", required=False)
@click.pass_context
def act(ctx, what, file):
    if what == "note":
        with open(file, "a") as kept:
            kept.write(" ".join(sys.argv) + "\\n")
    if what == "refuse":
        raise BadInput("no such thing")
    if what == "fail":
        raise RunFailed("it diverged")
    if what == "break":
        raise KeyError("oops")
    if what == "stop":
        ctx.exit(130)
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "leave":
        os._exit(3)
    if what == "wait":
        pathlib.Path(file).write_text(str(os.getpid()))
        while True:
            time.sleep(0.01)
    click.echo("told")
"""

PARENT = """
import sys
from clrs_text_bench.models.ablation import apart

if __name__ == "__main__":
    print(apart.run([["act", "wait", sys.argv[1]]]), flush=True)
"""


@pytest.fixture(autouse=True)
def acting(tmp_path, monkeypatch):
    """Lets new processes find the command `act`."""
    entry = {"commands": {"act": "acting:act"}}
    folder = plugins.install(tmp_path / "site", "acting", entry, {"acting": COMMANDS})
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(folder)  # which the processes of this one take over


@pytest.mark.parametrize(
    ("what", "outcome"),
    [
        ("refuse", Outcome("failed", "no such thing")),
        ("fail", Outcome("failed", "it diverged")),
        ("break", Outcome("failed", "KeyError: 'oops'")),
        ("stop", Outcome("stopped")),
        ("die", Outcome("failed", "its process was killed by SIGKILL")),
        ("leave", Outcome("failed", "its process ended with exit code 3")),
    ],
)
def test_what_ends_the_first_command_is_told_and_the_next_is_not_run(what, outcome, tmp_path):
    note = ["act", "note", str(tmp_path / "note")]
    assert apart.run([["act", what], note]) == outcome
    assert not (tmp_path / "note").exists()


def test_commands_run_in_order_and_are_recorded_as_one_would_type_them(tmp_path):
    note = ["act", "note", str(tmp_path / "note")]
    assert apart.run([note, note]) == Outcome("done")
    assert (tmp_path / "note").read_text() == f"clrs-text-bench {' '.join(note)}\n" * 2


def start(tmp_path):
    """Begins a process that waits for a command that waits; returns both."""
    (tmp_path / "parent.py").write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py"), str(tmp_path / "pid")],
        env=command.surroundings(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):
        assert time.monotonic() < until
        time.sleep(0.01)
    return parent, int((tmp_path / "pid").read_text())


def test_a_process_whose_parent_is_killed_ends(tmp_path):
    parent, child = start(tmp_path)
    parent.kill()
    parent.communicate()
    assert processes.gone([child])


@pytest.mark.parametrize("of_terminal", [True, False])
def test_ctrl_c_stops_the_command_whether_the_terminal_or_a_program_sends_it(tmp_path, of_terminal):
    parent, child = start(tmp_path)
    if of_terminal:
        os.killpg(parent.pid, signal.SIGINT)
    else:
        parent.send_signal(signal.SIGINT)
    said, _ = parent.communicate(timeout=60)
    assert said == "Outcome(kind='stopped', sentence='')\n"
    assert processes.gone([child])
