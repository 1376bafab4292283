"""Consoles: one for a command's results, one for what happens on the way."""

import sys

from rich.console import Console

_PIPED_WIDTH = 1000


def output() -> Console:
    """Returns the console for a command's results, on standard output.

    A pipe has no width, so tables there are as wide as they need to be.
    """
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)


def log() -> Console:
    """Returns the console for everything that is not a command's result, on standard error."""
    return Console(stderr=True, highlight=False)
