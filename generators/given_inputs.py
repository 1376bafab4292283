"""Inputs from outside, checked against the catalogue before an algorithm sees them."""

from collections.abc import Mapping

import numpy as np

from clrs_text_bench.errors import BadInput
from clrs_text_bench.tasks import Probe, Task

_DERIVED = ("pos", "adj")


def check(task: Task, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the given inputs as float64 arrays of their probes' shapes.

    `pos` and `adj` are dropped: they follow from the others. A mask_one probe given as a node's
    index, and a categorical one given as classes, become one-hot.

    Raises:
      BadInput: naming the probe that is missing, unknown, of a wrong shape, not finite, or not
        one-hot.
    """
    wanted = [p for p in task.stage("input") if p.name not in _DERIVED]
    known = {p.name for p in task.stage("input")}
    for name in inputs:
        if name not in known:
            raise BadInput(f"{task.name} has no input {name!r}; it has {', '.join(sorted(known))}")
    missing = [p.name for p in wanted if p.name not in inputs]
    if missing:
        raise BadInput(f"inputs of {task.name} lack {', '.join(missing)}")
    n = _number_of_nodes(task, wanted, inputs)
    return {p.name: _array(task, p, np.asarray(inputs[p.name]), n) for p in wanted}


def _number_of_nodes(task: Task, wanted: list[Probe], inputs: Mapping[str, np.ndarray]) -> int:
    """Reads n off an input that has one value per node, or per pair of nodes."""
    sized = [p for p in wanted if p.location != "graph" and np.ndim(inputs[p.name]) > 0]
    if not sized:
        raise BadInput(f"inputs of {task.name} hold no array with a value for each node")
    n = max(len(inputs[p.name]) for p in sized if p.type != "mask_one" or len(sized) == 1)
    smallest = task.n_nodes(task.min_length)
    if n < smallest:
        raise BadInput(f"{task.name} needs at least {smallest} nodes, got {n}")
    return n


def _array(task: Task, probe: Probe, given: np.ndarray, n: int) -> np.ndarray:
    where = f"input {probe.name!r} of {task.name}"
    try:
        given = given.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{where} is not an array of numbers") from error
    if not np.isfinite(given).all():
        raise BadInput(f"{where} holds a value that is not finite")
    if probe.type == "mask_one" and given.ndim == 0:
        given = _one_hot(given, n, where)
    if probe.n_classes and given.shape == (n,):
        given = _one_hot(given, probe.n_classes, where)
    if given.shape != probe.shape(n):
        raise BadInput(f"{where} has shape {given.shape}, expected {probe.shape(n)}")
    if probe.type == "mask_one" and not _is_one_hot(given):
        raise BadInput(f"{where} must be 1 at one node and 0 elsewhere")
    if probe.n_classes and not _is_one_hot(given):
        raise BadInput(f"{where} must be one-hot along its last axis")
    if probe.whole and not np.all(given == np.round(given)):
        raise BadInput(f"{where} must hold whole numbers")
    return given


def _one_hot(classes: np.ndarray, n_classes: int, where: str) -> np.ndarray:
    if not np.all((classes >= 0) & (classes < n_classes) & (classes == np.round(classes))):
        raise BadInput(f"{where} must hold whole numbers from 0 to {n_classes - 1}")
    return np.eye(n_classes)[classes.astype(int)]


def _is_one_hot(x: np.ndarray) -> bool:
    return bool(np.all((x == 0) | (x == 1)) and np.all(x.sum(axis=-1) == 1))
