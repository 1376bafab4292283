"""The command line as a user runs it: a process of its own."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clrs_text_bench.cli.main import main

PROGRAM = Path(sys.executable).parent / "clrs-text-bench"


def run(*arguments, code=0, path=None, cwd=None, limit=300, **environment):
    """Runs one command and checks its exit code; no command may ever show a traceback.

    Args:
      arguments: what follows the program's name.
      code: the expected exit code.
      path: folder of plug-in packages (see `plugins.install`).
      cwd: folder to run in.
      limit: most seconds that it may take; None for no limit.
      environment: further variables.
    """
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=limit,
        cwd=cwd,
        env=surroundings(path, **environment),
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr + done.stdout
    return done


def sentence_here(*arguments, code=2):
    """As `sentence`, within this process: for what is refused before any work begins."""
    output = io.StringIO()
    with pytest.raises(SystemExit) as end, contextlib.redirect_stderr(output):
        main([str(a) for a in arguments])
    assert end.value.code == code, output.getvalue()
    (line,) = output.getvalue().splitlines()
    assert line.startswith("clrs-text-bench: ")
    return line.removeprefix("clrs-text-bench: ")


def surroundings(path=None, **environment):
    """Returns the variables of a process that sees the plug-in packages of a folder."""
    found = {**os.environ, "JAX_PLATFORMS": "cpu", **environment}
    if path is not None:
        found["PYTHONPATH"] = str(path)
    return found


def sentence(*arguments, code=2, **options):
    """Runs a command that must fail; returns its one line about why."""
    error = run(*arguments, code=code, **options).stderr
    lines = [line for line in error.splitlines() if line.startswith("clrs-text-bench: ")]
    assert len(lines) == 1, error
    return lines[0].removeprefix("clrs-text-bench: ")
