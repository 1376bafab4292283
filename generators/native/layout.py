"""Render programs: a task's text as a list of operations that compiled code can follow.

An operation is a row of eight int64: `[code, source, offset, rows, columns, classes, rank, 0]`.
`LITERAL` copies bytes `offset` to `offset + rows` of the program's literals; the others print a
value of the sample, at an offset into its inputs, outputs, or one step of its hints.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from clrs_text_bench import tasks
from clrs_text_bench.tasks import Probe, Stage, Task

LITERAL, DECIMAL, WHOLE, CLASS, INDEX, SORTED = range(6)
INPUT, OUTPUT, HINT = range(3)

_SOURCES = {"input": INPUT, "output": OUTPUT, "hint": HINT}
_WIDTH = 8


@dataclass(frozen=True, slots=True)
class Program:
    """How the text of a task at one length is put together.

    Attributes:
      literals: uint8, all literals one after another.
      question: operations of the question, int64 `[operations, 8]`.
      step: operations of one step of the trace; empty without one.
      final: operations of the final answer.
      final_is_step: whether the final answer is the trace's last step.
      traced: whether the answer holds a trace.
      key: offset of the keys that a sorted value shows, in the inputs; -1 if none does.
    """

    literals: np.ndarray
    question: np.ndarray
    step: np.ndarray
    final: np.ndarray
    final_is_step: bool
    traced: bool
    key: int


@cache
def program(algorithm: str, length: int, use_hints: bool) -> Program:
    """Returns the program of a task's text, as `clrs_text_bench.text` would write it."""
    task = tasks.get(algorithm)
    return _Writer(task, task.n_nodes(length)).program(task.has_trace(use_hints))


class _Writer:
    """Collects literals, and looks up where values are."""

    def __init__(self, task: Task, n: int) -> None:
        self._task = task
        self._n = n
        self._literals = bytearray()
        self._sorts = any(p.type == "should_be_permutation" for p in task.stage("output"))

    def program(self, traced: bool) -> Program:
        task = self._task
        names = ", ".join(part.name for part in task.answer_parts(traced))
        question = [self._literal(f"{task.name}:\n")]
        for place, probe in enumerate(task.text_inputs()):
            question.append(self._literal(f"{', ' if place else ''}{probe.name}: "))
            question.append(self._value(probe))
        if traced:
            question += [self._literal(", initial_trace: "), *self._step()]
            names = f"trace | {self._wrap(names)}"
        question.append(self._literal(f"\n{names}:\n"))
        step = self._step() if traced else []
        final = [] if traced and task.final_from_trace else self._final(traced)
        keys = self._offset("input", "key") if self._sorts else -1
        return Program(
            literals=np.frombuffer(self._literals, np.uint8),
            question=_rows(question),
            step=_rows(step),
            final=_rows(final),
            final_is_step=not final,
            traced=traced,
            key=keys,
        )

    def _wrap(self, text: str) -> str:
        return f"({text})" if self._task.parenthesised else text

    def _step(self) -> list[list[int]]:
        values = [self._value(self._task.probe(name)) for name in self._task.trace]
        return self._joined(values, self._task.parenthesised)

    def _final(self, traced: bool) -> list[list[int]]:
        values = [self._value(probe) for probe in self._task.stage("output")]
        return self._joined(values, traced and self._task.parenthesised)

    def _joined(self, values: list[list[int]], parenthesised: bool) -> list[list[int]]:
        operations = [self._literal("(")] if parenthesised else []
        for place, value in enumerate(values):
            operations += [self._literal(", ")] if place else []
            operations.append(value)
        return operations + ([self._literal(")")] if parenthesised else [])

    def _literal(self, text: str) -> list[int]:
        start = len(self._literals)
        self._literals += text.encode()
        return [LITERAL, 0, start, len(self._literals) - start, 0, 0, 0, 0]

    def _value(self, probe: Probe) -> list[int]:
        n = self._n
        rank = len(probe.shape(n)) - (probe.n_classes is not None)
        rows, columns = (n if rank == 2 else 1), (n if rank else 1)
        code = WHOLE
        if (probe.stage == "hint" and self._sorts) or probe.type == "should_be_permutation":
            code = SORTED
        elif probe.type == "mask_one":
            code, rank = INDEX, 0
        elif probe.n_classes:
            code = CLASS
        elif probe.type == "scalar" and not probe.whole:
            code = DECIMAL
        source, offset = _SOURCES[probe.stage], self._offset(probe.stage, probe.name)
        return [code, source, offset, rows, columns, probe.n_classes or 0, rank, 0]

    def _offset(self, stage: Stage, name: str) -> int:
        offset = 0
        for probe in self._task.stage(stage):
            if probe.name == name:
                return offset
            offset += int(np.prod(probe.shape(self._n)))
        raise KeyError(name)


def _rows(operations: list[list[int]]) -> np.ndarray:
    return np.array(operations, np.int64).reshape(-1, _WIDTH)
