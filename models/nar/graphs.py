"""Rows as padded arrays, by stage and kind of probe.

Legend: B rows, N nodes of the shape, T steps of the shape; see `layout` for the arrays.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from clrs_text_bench import graph, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.tasks import Stage

from .layout import Layout, Source, axes

ALGORITHM, NODES, STEPS = "algorithm", "nodes", "steps"

_COLUMNS: dict[Stage, str] = {
    "input": "graph_inputs",
    "hint": "graph_hints",
    "output": "graph_outputs",
}


class Row(NamedTuple):
    """One sample.

    Attributes:
      algorithm: place in the layout.
      n: number of nodes.
      steps: of its trace, from each of its points to the next; a network makes at least one.
      probes: its probes as the network sees them, hints with a leading axis of time; by stage.
    """

    algorithm: int
    n: int
    steps: int
    probes: dict[Stage, dict[str, np.ndarray]]


def rows(table: pa.Table, layout: Layout) -> list[Row]:
    """Reads rows in `schema.DATASET`, with their traces.

    Raises:
      BadInput: if a row is of an algorithm that the layout lacks, or has no such graph, or one that
        holds what is no finite number.
    """
    stages: tuple[Stage, ...] = ("input", "hint", "output")
    names = table["algo_name"].to_pylist()
    lengths = table["length"].to_pylist()
    flat = {stage: _flat(table, _COLUMNS[stage]) for stage in stages}
    found = []
    for i, (name, length) in enumerate(zip(names, lengths, strict=True)):
        place = layout.place(name)
        missing = next((stage for stage in stages if flat[stage][i] is None), None)
        if missing:
            raise BadInput(
                f"row {i} ({name}, length {length}) has no {_COLUMNS[missing]}; make the data set "
                "with --graph-hints"
            )
        wrong = next((stage for stage in stages if not np.isfinite(flat[stage][i]).all()), None)
        if wrong:
            raise BadInput(
                f"row {i} ({name}, length {length}) has {_COLUMNS[wrong]} that are infinite or no "
                "numbers; make the data set again"
            )
        values = {s: graph.unpack(name, length, flat[s][i], s) for s in stages}
        n = tasks.get(name).n_nodes(length)
        steps = len(next(iter(values["hint"].values()))) - 1
        found.append(Row(place, n, steps, probes(layout, place, values)))
    return found


def _flat(table: pa.Table, column: str) -> list[np.ndarray | None]:
    """Returns each row's values, as views."""
    views: list[np.ndarray | None] = []
    for chunk in table[column].chunks:
        offsets = chunk.offsets.to_numpy()
        values = chunk.values.to_numpy(zero_copy_only=True)
        valid = chunk.is_valid().to_numpy(zero_copy_only=False)
        views += [
            values[start:stop] if there else None
            for start, stop, there in zip(offsets[:-1], offsets[1:], valid, strict=True)
        ]
    return views


def probes(
    layout: Layout, algorithm: int, values: Mapping[Stage, Mapping[str, np.ndarray]]
) -> dict[Stage, dict[str, np.ndarray]]:
    """Returns a sample's probes as the network sees them, by stage.

    Args:
      layout: of the network.
      algorithm: place in it.
      values: the catalogue's probes of the stages that are known, hints `[points, ...]`.
    """
    found: dict[Stage, dict[str, np.ndarray]] = {"input": {}, "hint": {}, "output": {}}
    for source in layout.sources(algorithm):
        if source.whence in values:
            x = values[source.whence][source.origin]
            found[source.stage][source.name] = _role(source, x)
    return found


def _role(source: Source, x: np.ndarray) -> np.ndarray:
    if source.whence != source.stage:
        return x[0]  # the same at every step
    if source.role == "values":
        return x
    cycle, first = cyclic(x.astype(np.int64))
    return cycle if source.role == "cycle" else first


def cyclic(pointers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turns an order into a cycle and a mark.

    Args:
      pointers: each node's predecessor, `[n]`; the first node points to itself.

    Returns:
      The same pointers but for the first node's, which is to the last, and a mask of the first
      node, `[n]` each. Source: `predecessor_to_cyclic_predecessor_and_first` in
      `clrs._src.probing`.
    """
    n = len(pointers)
    first = int(np.argmax(pointers == np.arange(n)))
    last = int(np.argmin(np.bincount(pointers, minlength=n)))
    cycle = pointers.copy()
    cycle[first] = last
    return cycle, (np.arange(n) == first).astype(np.float32)


def stack(found: list[Row], layout: Layout, N: int, T: int, points: int) -> dict[str, np.ndarray]:
    """Returns rows as padded arrays.

    Args:
      found: the rows.
      layout: of the network.
      N: nodes to pad to.
      T: most steps; a row's are cut off there.
      points: how many points of time of the hints are kept, the first ones; rows with fewer are
        filled up with their last.

    Returns:
      ALGORITHM, NODES and STEPS, int32 `[B]`, and `stage/kind` for each kind of which the layout
      has probes, `[B, ...]`; hints `[B, points, ...]`.
    """
    batch = {
        ALGORITHM: np.array([row.algorithm for row in found], np.int32),
        NODES: np.array([row.n for row in found], np.int32),
        STEPS: np.array([min(row.steps, T) for row in found], np.int32),
    }
    for stage in ("input", "hint", "output"):
        if any(row.probes[stage] for row in found):
            lead = (points,) if stage == "hint" else ()
            for kind, there in layout.present(stage).items():
                shape = _shape(kind, N, there.slots, there.width)
                whole = kind.endswith(("pointer", "permutation"))
                array = np.zeros((len(found), *lead, *shape), np.int32 if whole else np.float32)
                for b, row in enumerate(found):
                    _fill(array[b], row, layout, stage, kind)
                batch[f"{stage}/{kind}"] = array
    return batch


def _shape(kind: str, N: int, S: int, C: int) -> tuple[int, ...]:
    return (*axes(kind, N), S, C) if kind.endswith("categorical") else (*axes(kind, N), S)


def _fill(array: np.ndarray, row: Row, layout: Layout, stage: Stage, kind: str) -> None:
    """Puts a row's probes of one kind into their slots."""
    where = tuple(map(slice, axes(kind, row.n)))
    for slot, source in enumerate(layout.of(row.algorithm, stage, kind)):
        values = row.probes[stage][source.name]
        into = (*where, slot)
        if kind.endswith("categorical"):
            into = (*into, slice(source.n_classes))
        if stage == "hint":
            values = values[: len(array)]
            array[(slice(len(values)), *into)] = values
            array[(slice(len(values), None), *into)] = values[-1]
        else:
            array[into] = values
