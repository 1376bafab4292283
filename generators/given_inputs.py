"""Inputs from outside, checked against the catalogue before an algorithm sees them."""

from collections.abc import Mapping

import numpy as np

from clrs_text_bench.errors import BadInput
from clrs_text_bench.tasks import Probe, Task

from . import preconditions

_DERIVED = ("pos", "adj")
# Sums and products of a few such values are still finite as float32.
_LARGEST = 1e9


def check(task: Task, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the given inputs as float64 arrays of their probes' shapes.

    `pos` and `adj` are dropped: they follow from the others. A mask_one probe given as a node's
    index, and a categorical one given as classes, become one-hot.

    Raises:
      BadInput: naming the probe that is missing, unknown, of a wrong shape, not finite, or not
        one-hot; or if the algorithm cannot run on the inputs together (see `preconditions`).
    """
    wanted = [p for p in task.stage("input") if p.name not in _DERIVED]
    known = {p.name for p in task.stage("input")}
    for name in inputs:
        if name not in known:
            raise BadInput(f"{task.name} has no input {name!r}; it has {', '.join(sorted(known))}")
    missing = [p.name for p in wanted if p.name not in inputs]
    if missing:
        raise BadInput(f"inputs of {task.name} lack {', '.join(missing)}")
    numbers = {p.name: _numbers(task, p, inputs[p.name]) for p in wanted}
    n = _number_of_nodes(task, wanted, numbers)
    checked = {p.name: _array(task, p, numbers[p.name], n) for p in wanted}
    preconditions.check(task.name, checked)
    return checked


def _where(task: Task, probe: Probe) -> str:
    return f"input {probe.name!r} of {task.name}"


def _numbers(task: Task, probe: Probe, given: object) -> np.ndarray:
    where = _where(task, probe)
    try:
        numbers = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{where} is not an array of numbers") from error
    if not np.isfinite(numbers).all():
        raise BadInput(f"{where} holds a value that is not finite")
    if np.any(np.abs(numbers) > _LARGEST):
        raise BadInput(f"{where} holds a value beyond {_LARGEST:.0e}")
    return numbers


def _number_of_nodes(task: Task, wanted: list[Probe], inputs: Mapping[str, np.ndarray]) -> int:
    """Reads n off an input that has one value per node, or per pair of nodes."""
    sized = [p for p in wanted if p.location != "graph" and inputs[p.name].ndim > 0]
    if not sized:
        raise BadInput(f"inputs of {task.name} hold no array with a value for each node")
    n = max(len(inputs[p.name]) for p in sized)
    smallest = task.n_nodes(task.min_length)
    if n < smallest:
        raise BadInput(f"{task.name} needs at least {smallest} nodes, got {n}")
    if task.n_nodes(n) == task.n_nodes(n + 1) != n:
        raise BadInput(f"{task.name} has {task.n_nodes(n)} nodes at every length, got {n}")
    return n


def _array(task: Task, probe: Probe, given: np.ndarray, n: int) -> np.ndarray:
    where = _where(task, probe)
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
    if probe.type == "mask" and not np.all((given == 0) | (given == 1)):
        raise BadInput(f"{where} must hold 0 and 1 only")
    if probe.type == "pointer" and not np.all(np.isin(given, np.arange(n))):
        raise BadInput(f"{where} must hold nodes, whole numbers from 0 to {n - 1}")
    if probe.whole and not np.all(given == np.round(given)):
        raise BadInput(f"{where} must hold whole numbers")
    return given


def _one_hot(classes: np.ndarray, n_classes: int, where: str) -> np.ndarray:
    if not np.all((classes >= 0) & (classes < n_classes) & (classes == np.round(classes))):
        raise BadInput(f"{where} must hold whole numbers from 0 to {n_classes - 1}")
    return np.eye(n_classes)[classes.astype(int)]


def _is_one_hot(x: np.ndarray) -> bool:
    return bool(np.all((x == 0) | (x == 1)) and np.all(x.sum(axis=-1) == 1))
