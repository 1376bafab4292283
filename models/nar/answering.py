"""From decoded outputs to the task's answer: its output probes, and words."""

from collections.abc import Mapping

import numpy as np

from clrs_text_bench import text
from clrs_text_bench.tasks import Task

from .layout import PERMUTATION, Layout, Source, axes

_MASKED = -1.0

Arrays = Mapping[str, np.ndarray]


def answer(
    layout: Layout, task: Task, inputs: Arrays, outputs: Arrays, logits: Arrays, n: int
) -> str:
    """Returns a row's answer in words.

    Args:
      layout: of the network.
      task: the row's.
      inputs: its input probes.
      outputs: its output probes, as `chosen` returns them.
      logits: its decoded outputs by kind, without the axis of rows.
      n: its number of nodes.
    """
    spelt = dict(outputs)
    for slot, source in enumerate(_permutations(layout, task)):
        first = int(np.argmax(outputs[source.name] == np.arange(n)))
        spelt[source.name] = order(logits[PERMUTATION][:n, slot, :n], first)
    return text.answer(task, inputs, masked(task, inputs, spelt)).rstrip("\n")


def chosen(layout: Layout, task: Task, logits: Arrays, n: int) -> dict[str, np.ndarray]:
    """Returns a row's output probes as the catalogue has them, the likeliest values of each.

    The pointers of an order are each the likeliest, too, so that they need not be an order: what
    upstream evaluates (`postprocess` in `clrs._src.decoders` and `fuse_perm_and_mask` in
    `clrs._src.evaluation`).
    """
    found: dict[str, np.ndarray] = {}
    for kind, x in logits.items():
        of = kind.partition("_")[2]
        for slot, source in enumerate(layout.of(layout.place(task.name), "output", kind)):
            values = x[(*map(slice, axes(kind, n)), slot)]
            if of == "permutation":
                found[source.name] = np.argmax(values[:, :n], axis=-1)
            elif of == "mask":
                found[source.name] = (values > 0).astype(np.float32)
            elif of == "mask_one":
                found[source.name] = np.eye(n, dtype=np.float32)[np.argmax(values)]
            elif of == "categorical":
                best = np.argmax(values[..., : source.n_classes], axis=-1)
                found[source.name] = np.eye(source.n_classes, dtype=np.float32)[best]
            elif of == "pointer":
                found[source.name] = np.argmax(values[..., :n], axis=-1)
            else:
                found[source.name] = values
    for source in _permutations(layout, task):
        first = found.pop(f"{source.name}_mask") > 0
        found[source.name] = np.where(first, np.arange(n), found[source.name])
    return found


def _permutations(layout: Layout, task: Task) -> list[Source]:
    return layout.of(layout.place(task.name), "output", PERMUTATION)


def order(logits: np.ndarray, first: int) -> np.ndarray:
    """Returns an order, as pointers to predecessors; the first node's is to itself.

    From the first node on, whichever node is left that most likely has the last one as its
    predecessor: an order in any case, and the one that the pointers give where they give one.

    Args:
      logits: of each node's predecessor, `[n, n]`.
      first: the first node.
    """
    pointers, last = np.full(len(logits), first), first
    left = np.ones(len(logits), bool)
    for _ in range(len(logits) - 1):
        left[last] = False
        node = int(np.argmax(np.where(left, logits[:, last], -np.inf)))
        pointers[node], last = last, node
    return pointers


def masked(task: Task, inputs: Arrays, outputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns outputs with what the task masks put to -1, which its inputs alone tell.

    Of lcs_length only cells of the first string by the second count, of bridges only edges.
    """
    if task.name == "lcs_length":
        second = inputs["string"] > 0
        there = ~second[:, None] & second[None, :]
        return {**outputs, "b": np.where(there[..., None], outputs["b"], _MASKED)}
    if task.name == "bridges":
        there = inputs["adj"] > 0
        return {**outputs, "is_bridge": np.where(there, outputs["is_bridge"], _MASKED)}
    return outputs
