"""The text of a sample, from its arrays: byte for byte what upstream's formatter prints.

Source: `clrs._src.clrs_text.clrs_utils.format_clrs_example` (Markeeva et al. 2024). It is written
again here, from the catalogue alone, so that whatever produces a graph (a native kernel, a
solver, a neural reasoner's decoded output) can be put into words without TensorFlow.
"""

from collections.abc import Mapping

import numpy as np

from clrs_text_bench.tasks import Probe, Task

_MASKED = -1
_DECIMALS = 3

Arrays = Mapping[str, np.ndarray]


def question(task: Task, inputs: Arrays, hints: Arrays | None = None) -> str:
    """Returns the prompt of a sample.

    Args:
      task: the sample's task.
      inputs: its input probes.
      hints: its hint probes, `[n_steps, ...]` each, for the traced mode; None for the plain one.
    """
    if task.written:
        parts = [task.written(inputs)]
    else:
        parts = [f"{p.name}: {_value(p, inputs[p.name], inputs)}" for p in task.text_inputs()]
    traced = task.has_trace(hints is not None)
    names = ", ".join(part.name for part in task.answer_parts(traced))
    if traced:
        parts.append(f"initial_trace: {_step(task, hints, 0, inputs)}")
        names = f"trace | {_wrap(task, names)}"
    return f"{task.name}:\n{', '.join(parts)}\n{names}:\n"


def answer(task: Task, inputs: Arrays, outputs: Arrays, hints: Arrays | None = None) -> str:
    """Returns the reference answer of a sample, which ends in a blank line.

    The trace leaves out the first step, which the question shows, and the last, which is the
    final answer. Arguments are as in `question`.
    """
    if not task.has_trace(hints is not None):
        return _outputs(task, inputs, outputs) + "\n\n"
    n_steps = len(hints[task.trace[0]])
    steps = ", ".join(_step(task, hints, t, inputs) for t in range(1, n_steps - 1))
    if task.final_from_trace:
        final = _step(task, hints, n_steps - 1, inputs)
    else:
        final = _wrap(task, _outputs(task, inputs, outputs))
    return f"{steps} | {final}\n\n"


def _outputs(task: Task, inputs: Arrays, outputs: Arrays) -> str:
    return ", ".join(_value(p, outputs[p.name], inputs) for p in task.stage("output"))


def _step(task: Task, hints: Arrays, t: int, inputs: Arrays) -> str:
    values = []
    for name in task.trace:
        probe = task.probe(name)
        if any(p.type == "should_be_permutation" for p in task.stage("output")):
            values.append(_sorted_keys(hints[name][t], inputs))
        else:
            values.append(_value(probe, hints[name][t], inputs))
    return _wrap(task, ", ".join(values))


def _wrap(task: Task, text: str) -> str:
    return f"({text})" if task.parenthesised else text


def _value(probe: Probe, x: np.ndarray, inputs: Arrays) -> str:
    if probe.type == "should_be_permutation":
        return _sorted_keys(x, inputs)
    if probe.type == "mask_one":
        return str(int(np.argmax(x)))
    if probe.type == "scalar" and not probe.whole:
        return _brackets(_decimals(np.asarray(x)))
    return _brackets(_classes(x).tolist() if probe.n_classes else np.asarray(x, int).tolist())


def _classes(x: np.ndarray) -> np.ndarray:
    """Returns the class of each one-hot row; masked rows (-1 instead of 1) give -1."""
    return np.where(np.any(x == _MASKED, axis=-1), _MASKED, np.argmax(x, axis=-1))


def _decimals(x: np.ndarray) -> object:
    """Returns Python floats equal to the values before they were stored as float32.

    Inputs are truncated to three decimals; rounding to as many undoes the cast exactly, and keeps
    a negative zero.
    """
    return np.round(x.astype(np.float64), _DECIMALS).tolist()


def _sorted_keys(predecessors: np.ndarray, inputs: Arrays) -> str:
    """Returns the keys in the order of a list of predecessor pointers (the head's is itself).

    Upstream's `predecessors_to_order`: the last element is the one that nothing points to.
    """
    pointers = np.asarray(predecessors, int).tolist()
    (node,) = set(range(len(pointers))) - set(pointers)
    order = [node]
    for _ in range(len(pointers) - 1):
        node = pointers[node]
        order.append(node)
    return _brackets(_decimals(np.asarray(inputs["key"])[order[::-1]]))


def _brackets(values: object) -> str:
    if not isinstance(values, list):
        return str(values)
    separator = ", " if values and isinstance(values[0], list) else " "
    return f"[{separator.join(_brackets(v) for v in values)}]"
