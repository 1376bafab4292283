"""Whether a batch fits into memory and into Arrow's columns, estimated before it is tried."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from clrs_text_bench import graph, registry
from clrs_text_bench.errors import BadInput
from clrs_text_bench.recipes import Cell

from .plan import Job, most_steps, row_bytes

# A buffer is copied into one of twice its size when it grows, and a table into its Parquet bytes.
_COPIES = 2
# The limits of control groups, versions 2 and 1, as a container sees its own.
_GROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_MOST_IN_A_COLUMN = 2**31 - 1


def check(
    cell: Cell,
    rows: int,
    *,
    use_hints: bool,
    graph_hints: bool,
    engine: str,
    at_once: int = 1,
) -> None:
    """Checks that so many rows of a cell can be made at a time.

    Graphs have a known size. Traces have a bound on theirs; where that is too large, the steps of
    the cell's first sample are counted, without recording them.

    Args:
      cell: whose rows.
      rows: how many are made at a time.
      use_hints: whether the text is traced.
      graph_hints: whether traces are kept.
      engine: name of the engine that makes them.
      at_once: how many processes do so.

    Raises:
      BadInput: if they would not fit into memory, or into one Arrow table.
    """
    _check_columns(cell, rows)
    traced = (cell, rows, use_hints, graph_hints, at_once)
    free = available()
    steps = most_steps(cell.algorithm, cell.length)
    if _needed(*traced, steps) <= free:
        return
    steps = 0
    if _needed(*traced, steps) <= free:
        steps = _counted(cell, engine)
    needed = _needed(*traced, steps)
    if needed > free:
        raise BadInput(_sentence(cell, rows, use_hints or graph_hints, at_once, needed, free))


def check_jobs(
    jobs: Iterable[Job], *, use_hints: bool, graph_hints: bool, engine: str, at_once: int
) -> None:
    """Checks that each job of a plan can be done, by so many processes; see `check`."""
    largest: dict[Cell, int] = {}
    for job in jobs:
        rows = max(part.stop - part.start for part in job.parts)
        largest[job.cell] = max(rows, largest.get(job.cell, 0))
    for cell, rows in largest.items():
        check(
            cell,
            rows,
            use_hints=use_hints,
            graph_hints=graph_hints,
            engine=engine,
            at_once=at_once,
        )


def available() -> int:
    """Returns the bytes of memory that may be used; without end where nobody can tell."""
    limits = [_read_number(path) for path in map(Path, _GROUP_LIMITS)]
    known = [_free(), *limits]
    return min((k for k in known if k is not None), default=sys.maxsize)


def _free() -> int | None:
    """Returns what is free, by Linux's own estimate; all that the machine has elsewhere."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # no such function, or no such figure
        return None


def _read_number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _needed(
    cell: Cell, rows: int, use_hints: bool, graph_hints: bool, at_once: int, steps: int
) -> int:
    """Estimates the bytes of a batch, with the trace of the row that is being made."""
    row = row_bytes(cell.algorithm, cell.length, use_hints, graph_hints, steps)
    trace = steps * graph.size(cell.algorithm, cell.length, "hint") * 4
    return at_once * _COPIES * (rows * row + (trace if use_hints or graph_hints else 0))


def _counted(cell: Cell, engine: str) -> int:
    """Returns the number of steps of a cell's first sample."""
    sample = registry.load("generators", engine)().generate(
        cell.algorithm,
        cell.length,
        seed=cell.seeds[0],
        split=cell.split,
        indices=np.zeros(1, np.int64),
        use_hints=False,
        graph_hints=False,
    )
    return sample["n_steps"][0].as_py()


def _check_columns(cell: Cell, rows: int) -> None:
    sizes = (graph.size(cell.algorithm, cell.length, stage) for stage in ("input", "output"))
    if rows * max(sizes) > _MOST_IN_A_COLUMN:
        raise BadInput(
            f"the graphs of {_samples(cell, rows)} do not fit into one table, whose columns hold "
            f"{_MOST_IN_A_COLUMN:,} values; ask for {'fewer or ' if rows > 1 else ''}smaller ones"
        )


def _samples(cell: Cell, rows: int) -> str:
    many = f"{rows:,} samples" if rows > 1 else "one sample"
    return f"{many} of {cell.algorithm} at length {cell.length}"


def _sentence(cell: Cell, rows: int, traced: bool, at_once: int, needed: int, free: int) -> str:
    ways = [
        "fewer samples" if rows > 1 else None,
        "fewer workers" if at_once > 1 else None,
        "no hints" if traced else None,
        "a smaller length",
    ]
    processes = f" in each of {at_once} processes" if at_once > 1 else ""
    return (
        f"{_samples(cell, rows)}{' with hints' if traced else ''}{processes} would need about "
        f"{_gigabytes(needed)} of memory, and {_gigabytes(free)} are free; ask for "
        f"{' or '.join(way for way in ways if way)}"
    )


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"
