"""The score `valid`: whether an answer solves its problem, whatever the ties.

An answer is exact only if ties are broken as upstream breaks them (`Task.ties`); it is valid if it
breaks them in any other way, too. It must be well-formed, as an exact one is (shape and parse are
1). Whether it solves the problem is checked on the row's inputs, not on the reference answer, by
the task's check (`protocols.Check`); a task without one has no valid answer but the reference.

Of traced answers the final alone is judged, which is an output in all thirty tasks, or says it.
`validity` holds the checks of the thirty; docs/valid.md says of each what is valid.
"""

import numpy as np
import pyarrow as pa

from clrs_text_bench import registry, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import Check, Extraction
from clrs_text_bench.tasks import Probe, Task

from . import answer_values, clrs_text, columns, shown_values
from .extraction import answers_in
from .grammar import Grammar, by_grammar
from .numbers import NOTHING


class Valid:
    """The evaluator of validity (see `protocols.Evaluator`)."""

    scores = ("exact", "valid")

    def score(
        self, predictions: pa.Table, references: pa.Table, *, extraction: Extraction
    ) -> pa.Table:
        """Scores predictions row for row; tasks, lengths and modes may be mixed.

        Args:
          predictions: with a column `prediction` of strings, null where an answer is missing.
          references: with columns answer, algo_name, length, use_hints and graph_inputs, in the
            same order.
          extraction: how an answer is found in a completion.

        Returns:
          Columns exact and valid (float32, 0 or 1), and checked (bool): whether validity was
          checked, for else it equals exact.

        Raises:
          BadInput: as the scores of `clrs_text.ClrsText` do, if an input is missing or not what
            its question can show, or if a plug-in's checks cannot be used.
        """
        exact = clrs_text.EVALUATOR.score(predictions, references, extraction=extraction)["exact"]
        valid, checked = exact.to_numpy().copy(), np.zeros(len(exact), np.bool_)
        groups = by_grammar(references)
        answers = columns.texts(predictions, "prediction", "the predictions")
        answers = answers_in(answers, groups, extraction)
        for grammar, rows in groups:
            task = tasks.get(grammar.algorithm)
            check = check_of(task)
            if check is not None:
                inputs = shown_values.shown(references, rows, grammar, task)
                valid[rows] = _judged(check, task, grammar, inputs, rows, answers)
                checked[rows] = True
        return pa.table({"exact": exact, "valid": valid, "checked": checked})


EVALUATOR = Valid()


def check_of(task: Task) -> Check | None:
    """Returns a task's check; None if it has none.

    Raises:
      BadInput: if the plug-in of the checks cannot be imported, or offers none.
    """
    name = next(name for name, offered in tasks.by_plugin().items() if task.name in offered)
    if name not in registry.names("checks"):
        return None
    checks = registry.load("checks", name)
    if not isinstance(checks, dict) or not all(map(callable, checks.values())):
        raise BadInput(f"check plug-in {name!r} is not a dict of functions by task")
    return checks.get(task.name)


def _judged(
    check: Check,
    task: Task,
    grammar: Grammar,
    inputs: list[np.ndarray],
    rows: np.ndarray,
    answers: columns.Texts,
) -> np.ndarray:
    """Returns which answers of one grammar are valid, bool `[rows]`."""
    elements, legal = answer_values.read(grammar, rows, answers)
    ends = np.cumsum([grammar.n**part.rank for part in grammar.parts])
    parts = np.split(elements, ends[:-1], axis=1)
    probes = _answered(task, grammar)
    for probe, part in zip(probes, parts, strict=True):
        legal &= np.all(_in_range(probe, part, grammar.n), axis=1)
    fit = np.flatnonzero(legal)
    shapes = [(len(fit), *(grammar.n,) * part.rank) for part in grammar.parts]
    said = [part[fit].reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
    found = np.asarray(check(*(x[fit] for x in inputs), *said))
    if found.shape != fit.shape or found.dtype != np.bool_:
        raise BadInput(
            f"the check of {task.name} returned {found.dtype} of shape {found.shape}, expected "
            f"bool of shape {fit.shape}"
        )
    legal[fit] = found
    return legal


def _answered(task: Task, grammar: Grammar) -> tuple[Probe, ...]:
    """Returns the probes that the final answer holds."""
    if grammar.traced and task.final_from_trace:
        return tuple(task.probe(name) for name in task.trace)
    return task.stage("output")


def _in_range(probe: Probe, values: np.ndarray, n: int) -> np.ndarray:
    if probe.type in ("pointer", "mask_one"):
        return (values >= 0) & (values < n)
    if probe.type in ("mask", "categorical"):
        return (values >= -1) & (values < (probe.n_classes or 2))
    return values != NOTHING
