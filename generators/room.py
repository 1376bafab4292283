"""Whether a batch fits into memory and into Arrow's columns, estimated before it is tried."""

import math
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clrs_text_bench import engines, graph, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.recipes import Cell

from .plan import TEXT_BYTES_PER_VALUE, Job, most_steps, row_bytes

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
    batch = _Batch(cell, rows, use_hints, graph_hints, at_once)
    free = available()
    if batch.complaint(most_steps(cell.algorithm, cell.length), free) is None:
        return
    steps = _counted(cell, engine) if batch.complaint(0, free) is None else 0
    complaint = batch.complaint(steps, free)
    if complaint is not None:
        raise BadInput(complaint)


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


def _counted(cell: Cell, engine: str) -> int:
    """Returns the number of steps of a cell's first sample."""
    sample = engines.load(engine).generate(
        cell.algorithm,
        cell.length,
        seed=cell.seeds[0],
        split=cell.split,
        indices=np.zeros(1, np.int64),
        use_hints=False,
        graph_hints=False,
    )
    return sample["n_steps"][0].as_py()


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is to be made at a time, as in `check`."""

    cell: Cell
    rows: int
    use_hints: bool
    graph_hints: bool
    at_once: int

    def complaint(self, steps: int, free: int) -> str | None:
        """Says what does not fit, if traces have so many steps and so many bytes are free."""
        for what, size in self._columns(steps):
            if size > _MOST_IN_A_COLUMN:
                return (
                    f"the {what} of {self} do not fit into one table, whose columns hold "
                    f"{_MOST_IN_A_COLUMN:,} values; ask for {self._less()}"
                )
        needed = self._bytes(steps)
        if needed <= free:
            return None
        processes = f" in each of {self.at_once} processes" if self.at_once > 1 else ""
        return (
            f"{self}{processes} would need about {_gigabytes(needed)} of memory, and "
            f"{_gigabytes(free)} are free; ask for {self._less()}"
        )

    def _columns(self, steps: int) -> Iterator[tuple[str, int]]:
        """Yields the numbers of values, or of a text's bytes, in the largest columns."""
        task, length = tasks.get(self.cell.algorithm), self.cell.length
        for stage in ("input", "output"):
            yield "graphs", self.rows * graph.size(task.name, length, stage)
        if self.graph_hints:
            yield "hints", self.rows * steps * graph.size(task.name, length, "hint")
        if task.has_trace(self.use_hints):
            n = task.n_nodes(length)
            numbers = sum(
                math.prod(p.shape(n)) // (p.n_classes or 1) for p in map(task.probe, task.trace)
            )
            yield "answers", self.rows * steps * numbers * TEXT_BYTES_PER_VALUE

    def _bytes(self, steps: int) -> int:
        """Estimates the bytes of memory, with the trace of the row that is being made."""
        name, length = self.cell.algorithm, self.cell.length
        row = row_bytes(name, length, self.use_hints, self.graph_hints, steps)
        trace = steps * graph.size(name, length, "hint") * 4 if self._traced else 0
        return self.at_once * _COPIES * (self.rows * row + trace)

    @property
    def _traced(self) -> bool:
        return self.use_hints or self.graph_hints

    def _less(self) -> str:
        ways = [
            "fewer samples" if self.rows > 1 else None,
            "fewer workers" if self.at_once > 1 else None,
            "no hints" if self._traced else None,
            "a smaller length",
        ]
        return " or ".join(way for way in ways if way)

    def __str__(self) -> str:
        many = f"{self.rows:,} samples" if self.rows > 1 else "one sample"
        hints = " with hints" if self._traced else ""
        return f"{many} of {self.cell.algorithm} at length {self.cell.length}{hints}"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"
