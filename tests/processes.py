"""The processes below a process, as Linux lists them."""

import os
import time
from pathlib import Path

import pytest


def children(pid):
    """Returns the ids of a process's children, with the command line of each."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("finding child processes needs /proc")
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # What follows the name, which may hold anything: state, parent, ...
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            continue
    return found


def workers(pid=None):
    """Returns the ids of a process's worker processes."""
    listed = children(os.getpid() if pid is None else pid)
    return {child for child, line in listed.items() if "spawn_main" in line}


def gone(pids, seconds=20):
    """Returns whether all these processes end within some time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.05)
    return False
