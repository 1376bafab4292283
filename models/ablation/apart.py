"""Commands in a process of their own, which ends with this one, however that ends."""

import _thread
import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Literal

import click

from clrs_text_bench import interrupts
from clrs_text_bench.errors import BadInput, RunFailed

from ..training import interrupt

_STOP = "stop"
_LOOK_EVERY = 0.2  # seconds between two looks for Ctrl-C
_PROGRAM = "clrs-text-bench"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a process ended.

    Attributes:
      kind: "done", "failed", or "stopped" by Ctrl-C.
      sentence: why it failed.
    """

    kind: Literal["done", "failed", "stopped"]
    sentence: str = ""


def run(commands: Sequence[Sequence[str]]) -> Outcome:
    """Runs commands of `clrs-text-bench`, one after another, in one process.

    Ctrl-C reaches them once, so that a training saves and stops; a second one ends all at once.
    What they print goes to standard error.

    Args:
      commands: the arguments of each.

    Returns:
      How it ended; the first command that fails is the last.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, commands))
    with interrupts.held():
        process.start()
    there.close()
    try:
        with interrupt.catching() as stop:
            told = False
            while not here.poll(_LOOK_EVERY):
                if stop.asked and not told:
                    told = True
                    with contextlib.suppress(BrokenPipeError):
                        here.send(_STOP)
        return _received(here, process)
    finally:
        here.close()
        process.join()


def _received(here: Connection, process: multiprocessing.Process) -> Outcome:
    try:
        return here.recv()
    except (EOFError, ConnectionResetError):
        process.join()
    code = process.exitcode
    if code is not None and code < 0:
        return Outcome("failed", f"its process was killed by {signal.Signals(-code).name}")
    return Outcome("failed", f"its process ended with exit code {code}")


def _serve(pipe: Connection, commands: Sequence[Sequence[str]]) -> None:
    # Python sets no handler where a process is begun in the background, with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_listen, args=(pipe,), daemon=True).start()
    sys.stdout = sys.stderr
    outcome = Outcome("done")
    try:
        for arguments in commands:
            outcome = _outcome(arguments)
            if outcome.kind != "done":
                break
    except KeyboardInterrupt:
        outcome = Outcome("stopped")
    pipe.send(outcome)


def _listen(pipe: Connection) -> None:
    """Passes a wish to stop on; ends this process when the other one has ended."""
    try:
        while pipe.recv() == _STOP:
            _thread.interrupt_main()
    except (EOFError, OSError):
        os._exit(1)


def _outcome(arguments: Sequence[str]) -> Outcome:
    """Runs one command; see `cli.main`."""
    from clrs_text_bench.cli.main import cli

    sys.argv = [_PROGRAM, *arguments]  # what records of results say
    try:
        code = cli.main(list(arguments), standalone_mode=False)
    except (BadInput, RunFailed) as error:
        return Outcome("failed", str(error))
    except click.Abort:
        return Outcome("stopped")
    except Exception as error:
        traceback.print_exc()
        return Outcome("failed", f"{type(error).__name__}: {error}")
    return Outcome("stopped" if code else "done")
