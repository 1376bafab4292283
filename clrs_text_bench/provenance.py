"""Where a result comes from: versions, git commit, command line, time."""

import platform
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

_PACKAGES = ("clrs-text-bench", "dm-clrs", "flax", "jax", "numba", "numpy", "pyarrow")
_USER_OF_URL = re.compile(r"(?<=://)[^/@\s]+@")


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that answers depend on."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # a package may be left out of an install
            continue
    return found


def git_commit() -> str | None:
    """Returns the commit checked out in the working directory, if it is within a repository.

    "-dirty" is appended where tracked files differ from it.
    """
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def command_line() -> str:
    """Returns the command that this process runs, as one would type it."""
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    return without_credentials(shlex.join([program, *sys.argv[1:]]))


def without_credentials(text: str) -> str:
    """Leaves out user names and passwords of URLs.

    >>> without_credentials("openai:small@https://me:secret@host/v1")
    'openai:small@https://host/v1'
    """
    return _USER_OF_URL.sub("", text)


def now() -> datetime:
    """Returns the time, in UTC."""
    return datetime.now(UTC)
