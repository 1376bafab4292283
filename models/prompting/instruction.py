"""The instruction of a chat: what is wanted, how to write it, and a worked example.

Models fail for not knowing the format that is wanted, and answers depend on how ties are broken
(Markeeva et al. 2024 leave both to fine-tuning); so both are stated. The example is a sample of a
split of its own, made by the task's engine, and so the same for every data set.
"""

import functools

import numpy as np
import pyarrow as pa

from clrs_text_bench import engines, tasks
from clrs_text_bench.tasks import AnswerPart, Task

from .prompt import Shot

# Of the worked example: its split, which no data set has, its seed, and the smallest length at
# which every task with a trace has a step to show.
_SPLIT = "worked-example"
_SEED = 0
_LENGTH = 5
_FIRST_FEW = 8

_RANKS = (
    "one {number}",
    "a list of {number}s in square brackets, separated by spaces",
    "a matrix: rows in square brackets, separated by commas, within square brackets; the {number}s "
    "of a row are separated by spaces",
)


def instruction(algorithm: str, use_hints: bool, question: str) -> str:
    """Returns what is said to a model before a question.

    Args:
      algorithm: name of the task.
      use_hints: whether the answer is to hold a trace.
      question: that will be asked; it is never the example.
    """
    task = tasks.get(algorithm)
    example = next(shot for shot in _examples(algorithm, use_hints) if shot.question != question)
    return (
        f"Run the algorithm {algorithm} (as in CLRS-30) on the input below and give its exact "
        f"output.\nWhere candidates are equal: {task.ties}.\n{_format(task, use_hints)}\n"
        "End your reply with a line that holds the answer alone, without any other text.\n\n"
        f"An example:\n\n{example.question}{example.answer}Now the one to answer:\n\n"
    )


def _format(task: Task, use_hints: bool) -> str:
    final = _parts(task.answer_parts(use_hints))
    if not task.has_trace(use_hints):
        return f"The answer is {final}."
    wrapped = ", each step and the output in parentheses" if task.parenthesised else ""
    return (
        "The answer is the trace from the step after initial_trace on, its steps separated by "
        f"commas; then a bar, |; then the output{wrapped}. A step is {_parts(task.step_parts())}. "
        f"The output is {final}."
    )


def _parts(parts: tuple[AnswerPart, ...]) -> str:
    return ", then a comma, then ".join(f"{p.name}, {_value(p)}" for p in parts)


def _value(part: AnswerPart) -> str:
    return _RANKS[part.rank].format(number="decimal number" if part.decimals else "whole number")


@functools.cache
def _examples(algorithm: str, use_hints: bool) -> list[Shot]:
    task = tasks.get(algorithm)
    table: pa.Table = engines.load(engines.name_of([algorithm])).generate(
        algorithm,
        max(_LENGTH, task.min_length),
        seed=_SEED,
        split=_SPLIT,
        indices=np.arange(_FIRST_FEW),
        use_hints=use_hints,
        graph_hints=False,
    )
    columns = (table[name].to_pylist() for name in ("question", "answer"))
    shots = [Shot(*row) for row in zip(*columns, strict=True)]
    # The longest says most: a trace may have no step at all.
    return sorted(shots, key=lambda shot: -len(shot.answer))
