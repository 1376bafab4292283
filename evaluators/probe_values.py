"""Output probes as arrays of whole numbers, from a graph's columns or from an answer's text.

A pointer's number is the node that it points to, a mask's 0 or 1, a categorical probe's the class,
that of a mask of one node that node. An order's are pointers to predecessors. `NOTHING` stands for
what is none of these.

Legend: R rows, n nodes.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from clrs_text_bench import graph
from clrs_text_bench.errors import BadInput
from clrs_text_bench.tasks import Probe, Task

from . import columns
from .answer_values import DECIMALS
from .grammar import Grammar
from .numbers import NOTHING

Values = dict[str, np.ndarray]
"""By probe: `[R, elements]`."""

_MASKED = -1


class Truth(NamedTuple):
    """True outputs.

    Attributes:
      values: of the probes.
      counts: which elements are not masked, bool, of the same shapes.
    """

    values: Values
    counts: Values


def unpacked(
    table: pa.Table, column: str, rows: np.ndarray, grammar: Grammar, task: Task
) -> dict[str, np.ndarray]:
    """Returns the probes of rows of one algorithm and length, `[R, *probe.shape(n)]` each.

    Args:
      table: with a column of graphs.
      column: "graph_inputs" or "graph_outputs".
      rows: which rows, int64.
      grammar: of the rows.
      task: of the rows.

    Raises:
      BadInput: if a row has no such graph, or not as many values as the probes.
    """
    stage = "input" if column == "graph_inputs" else "output"
    size = graph.size(task.name, grammar.length, stage)
    found = columns.column(table, column, "the table")
    if not np.array_equal(rows, np.arange(len(found))):
        found = found.take(pa.array(rows))
    found = found.combine_chunks()
    counts = np.diff(found.offsets.to_numpy())
    if found.null_count or np.any(counts != size):
        place = int(np.flatnonzero(counts != size)[0])
        held = f"{counts[place]} values" if found[place].is_valid else "nothing"
        raise BadInput(
            f"{column} of row {rows[place]} ({task.name}, length {grammar.length}) holds {held}, "
            f"expected {size} values"
        )
    flat = found.flatten().to_numpy().reshape(len(rows), size)
    probes, start = {}, 0
    for probe in task.stage(stage):
        shape = probe.shape(grammar.n)
        stop = start + int(np.prod(shape))
        probes[probe.name] = flat[:, start:stop].reshape(len(rows), *shape)
        start = stop
    return probes


def truth(task: Task, outputs: dict[str, np.ndarray]) -> Truth:
    """Returns true outputs, of `unpacked`, as numbers."""
    counts = {}
    for probe in task.stage("output"):
        there = outputs[probe.name] != _MASKED
        counts[probe.name] = _flat(np.all(there, axis=-1) if _one_of_several(probe) else there)
    return Truth(of_graph(task, outputs), counts)


def of_graph(task: Task, outputs: dict[str, np.ndarray]) -> Values:
    """Returns outputs, of `unpacked`, as numbers: the likeliest class, masks cut at one half."""
    return {p.name: _flat(_numbers(p, outputs[p.name])) for p in task.stage("output")}


def _numbers(probe: Probe, x: np.ndarray) -> np.ndarray:
    if _one_of_several(probe):
        return np.argmax(x, axis=-1)
    if probe.type == "mask":
        return (x > 0.5).astype(np.int64)
    whole = np.isfinite(x) & (x == np.round(x))
    return np.where(whole, x, NOTHING).astype(np.int64)


def _one_of_several(probe: Probe) -> bool:
    return probe.type in ("mask_one", "categorical")


def _flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1)


def of_answers(grammar: Grammar, task: Task, values: np.ndarray) -> Values:
    """Returns the elements of answers, as `answer_values.values` has them, by output.

    An order stands there as the keys in that order; `pointers` makes pointers of them.
    """
    sizes = [grammar.n**part.rank for part in grammar.parts]
    parts = np.split(values, np.cumsum(sizes)[:-1], axis=1)
    return {p.name: part for p, part in zip(task.stage("output"), parts, strict=True)}


def pointers(listed_Rxn: np.ndarray, keys_Rxn: np.ndarray, true_Rxn: np.ndarray) -> np.ndarray:
    """Returns the orders that lists of keys tell, as pointers to predecessors, `[R, n]`.

    The first node's pointer is to itself. Equal keys are taken for the nodes that have them in the
    order in which the truth has these, since the text cannot tell. A node that is not listed has
    no pointer, and one behind something that is no key has none either.

    Args:
      listed_Rxn: keys times 10^3, as listed.
      keys_Rxn: keys of the nodes.
      true_Rxn: the true pointers.
    """
    keys_Rxn = np.round(keys_Rxn.astype(np.float64) * 10**DECIMALS).astype(np.int64)
    found = [_pointers(*row) for row in zip(listed_Rxn, keys_Rxn, _orders(true_Rxn), strict=True)]
    return np.stack(found)


def _pointers(listed_n: np.ndarray, keys_n: np.ndarray, order_n: np.ndarray) -> np.ndarray:
    nodes_of = defaultdict(list)
    for node in order_n[::-1].tolist():
        nodes_of[keys_n[node]].append(node)
    nodes = [nodes_of[key].pop() if nodes_of.get(key) else NOTHING for key in listed_n.tolist()]
    pointers_n = np.full(len(nodes), NOTHING)
    for node, before in zip(nodes, [nodes[0], *nodes[:-1]], strict=True):
        if node != NOTHING:
            pointers_n[node] = before
    return pointers_n


def _orders(pointers_Rxn: np.ndarray) -> np.ndarray:
    """Returns the nodes of each row from first to last, `[R, n]`."""
    R, n = pointers_Rxn.shape
    rows, nodes = np.arange(R), np.arange(n)
    first_R = np.argmax(pointers_Rxn == nodes, axis=1)
    after_Rxn = np.empty_like(pointers_Rxn)
    others = pointers_Rxn != nodes
    after_Rxn[np.nonzero(others)[0], pointers_Rxn[others]] = np.nonzero(others)[1]
    orders_Rxn = np.empty_like(pointers_Rxn)
    orders_Rxn[:, 0] = first_R
    for i in range(1, n):
        orders_Rxn[:, i] = after_Rxn[rows, orders_Rxn[:, i - 1]]
    return orders_Rxn
