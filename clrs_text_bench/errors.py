"""The one error type for bad input, and the "did you mean" that goes with it."""

import difflib
from collections.abc import Iterable


class BadInput(ValueError):
    """Something the user gave cannot be used.

    The message is one sentence that names the value, the place it came from and what would be
    right. The command line prints it without a traceback and exits with code 2.
    """


class RunFailed(RuntimeError):
    """Work that was well asked for could not be finished, such as by a killed worker.

    The message says in one sentence what is whole and how to go on. The command line prints it
    without a traceback and exits with code 1.
    """


def shortened(value: object, most: int) -> str:
    """Writes a value as Python does, in so many characters at most.

    >>> shortened("abcdefgh", 8)
    "'abcd..."
    """
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns "; did you mean 'x'?" for the nearest known name, or the known names.

    >>> did_you_mean("bsf", ["bfs", "dfs"])
    "; did you mean 'bfs'?"
    >>> did_you_mean("zzz", ["bfs", "dfs"])
    '; known: bfs, dfs'
    """
    names = sorted(known)
    by_lower = {n.lower(): n for n in names}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {by_lower[near[0]]!r}?"
    return f"; known: {', '.join(names)}" if names else "; none is registered"


def unknown(kind: str, name: str, known: Iterable[str]) -> BadInput:
    """Builds the error for a name that no record answers to, such as an unknown algorithm."""
    return BadInput(f"unknown {kind} {name!r}{did_you_mean(name, known)}")
