"""The inputs of a sample, read off its question: the inverse of `text.question`."""

import re

import numpy as np

from clrs_text_bench.errors import BadInput, shortened
from clrs_text_bench.tasks import Probe, Task

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
_MOST_SHOWN = 60


def inputs(task: Task, length: int, question: str) -> dict[str, np.ndarray]:
    """Returns the input probes that a question shows, as an engine takes them.

    A mask_one probe is the index of its node, a categorical one its classes.

    Args:
      task: of the question.
      length: of the sample.
      question: plain or traced.

    Raises:
      BadInput: if it is not written as the task's questions are.
    """
    if task.written:
        raise BadInput(f"questions of {task.name} are in words of their own; it has no --graphs")
    lines = question.split("\n")
    if len(lines) != 4 or lines[0] != f"{task.name}:" or lines[3]:
        raise BadInput(f"{_shown(question)} is no question of {task.name}")
    n, rest, found = task.n_nodes(length), lines[1], {}
    for probe in task.text_inputs():
        label = f"{probe.name}: "
        if not rest.startswith(label):
            raise BadInput(f"{_shown(question)} does not give {probe.name!r} where it should")
        written, rest = _split(rest[len(label) :])
        found[probe.name] = _value(probe, n, written, question)
    return found


def _split(rest: str) -> tuple[str, str]:
    """Cuts off a value, a bare token or in brackets, and the comma behind it."""
    depth, end = 0, None
    for place, character in enumerate(rest):
        depth += (character == "[") - (character == "]")
        if character == "," and not depth:
            end = place
            break
    return (rest, "") if end is None else (rest[:end], rest[end + 1 :].removeprefix(" "))


def _value(probe: Probe, n: int, written: str, question: str) -> np.ndarray:
    shape = () if probe.type == "mask_one" else probe.shape(n)
    shape = shape[:-1] if probe.n_classes else shape
    numbers = [float(number) for number in _NUMBER.findall(written)]
    if len(numbers) != int(np.prod(shape)):
        raise BadInput(
            f"{probe.name!r} in {_shown(question)} has {len(numbers)} numbers, expected "
            f"{int(np.prod(shape))}"
        )
    return np.array(numbers).reshape(shape)


def _shown(question: str) -> str:
    return shortened(question, _MOST_SHOWN)
