"""What is to be made: a recipe, cut into parts whose bytes depend on nothing but the recipe."""

from dataclasses import dataclass
from typing import Literal

from clrs_text_bench import graph, tasks
from clrs_text_bench.datasets import file_name
from clrs_text_bench.recipes import Cell, Recipe

TRAIN = "train"

# About how many bytes a number and what stands between it and the next take.
TEXT_BYTES_PER_VALUE = 6

_MOST_ROWS = 10_000
_PART_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """Rows `start` to `stop - 1` of a cell, which make one file."""

    path: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Job:
    """The work that one worker does at a stretch, and that is done again if it was cut off.

    Attributes:
      name: unique within the plan; a file name.
      cell: whose rows.
      parts: the files to make.
      kind: "rows" makes each row alone; "stream" draws upstream's sequential stream from its
        start; "distinct" draws on past rows that repeat one of train or of the cell itself.
    """

    name: str
    cell: Cell
    parts: tuple[Part, ...]
    kind: Literal["rows", "stream", "distinct"]

    @property
    def rows(self) -> int:
        """Number of rows to make."""
        return sum(p.stop - p.start for p in self.parts)


def plan(recipe: Recipe, *, dedupe: bool) -> list[Job]:
    """Cuts a recipe into jobs: one for each part, or for each cell whose rows hang together.

    Jobs that need the train split (`distinct`) come after all others.
    """
    jobs = []
    for cell in recipe.cells():
        parts = _parts(cell, recipe)
        stem = f"{cell.split}-{cell.algorithm}-{cell.length}"
        if dedupe and cell.split != TRAIN:
            jobs.append(Job(stem, cell, parts, "distinct"))
        elif recipe.stream == "upstream":
            jobs.append(Job(stem, cell, parts, "stream"))
        else:
            jobs.extend(
                Job(f"{stem}-{number}", cell, (part,), "rows") for number, part in enumerate(parts)
            )
    return sorted(jobs, key=lambda job: job.kind == "distinct")


def _parts(cell: Cell, recipe: Recipe) -> tuple[Part, ...]:
    rows = rows_per_part(cell.algorithm, cell.length, recipe.hints, recipe.with_graph_hints())
    return tuple(
        Part(
            file_name(cell.split, cell.algorithm, cell.length, start // rows),
            start,
            min(start + rows, cell.count),
        )
        for start in range(0, cell.count, rows)
    )


def rows_per_part(algorithm: str, length: int, hints: bool, graph_hints: bool) -> int:
    """Returns how many rows go into a file, so that a worker's memory stays bounded.

    Taken from the size of the graph and a generous bound on the number of steps, never from the
    samples themselves, so that it is the same on every run.
    """
    row = row_bytes(algorithm, length, hints, graph_hints, most_steps(algorithm, length))
    return max(1, min(_MOST_ROWS, _PART_BYTES // row))


def most_steps(algorithm: str, length: int) -> int:
    """Returns a generous bound on the number of steps of a sample's trace."""
    n = tasks.get(algorithm).n_nodes(length)
    return n * n + 4 * n


def row_bytes(algorithm: str, length: int, hints: bool, graph_hints: bool, steps: int) -> int:
    """Returns about how many bytes a row takes, text and graph, if its trace has so many steps."""
    inputs = graph.size(algorithm, length, "input")
    outputs = graph.size(algorithm, length, "output")
    row = (inputs + outputs) * (4 + TEXT_BYTES_PER_VALUE)
    row += steps * graph.size(algorithm, length, "hint") * 4 if graph_hints else 0
    row += steps * outputs * TEXT_BYTES_PER_VALUE if hints else 0
    return row
