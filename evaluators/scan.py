"""The strict scorer, compiled: it walks the bytes of predictions and true answers once or twice.

Nothing here allocates per row, recurses, or looks back, so that time is linear in the text,
whatever it holds.
"""

from typing import NamedTuple

import numpy as np

from clrs_text_bench.compiled import jit

from .columns import Texts
from .grammar import (
    ATOM,
    CLOSE,
    CLOSE_PAREN,
    END,
    OPEN,
    OPEN_PAREN,
    SEPARATOR,
    SPACE,
    Grammar,
)
from .numbers import equal, parse

_NEWLINE, _BAR, _LESS = ord("\n"), ord("|"), ord("<")
_BLANKS = tuple(b" \t\r")
_SPACES = tuple(SPACE)
_END_OF_TEXT = np.frombuffer(b"<|endoftext|>", np.uint8)


class Verdicts(NamedTuple):
    """What is found out about each row, `[rows]` each.

    Attributes:
      shape: bool.
      parse: bool.
      right: number of elements that equal the truth's; int64.
      share: share of the trace's steps that are right; float64.
      wrong: place of the first wrong step, -1 if none is; int64.
    """

    shape: np.ndarray
    parse: np.ndarray
    right: np.ndarray
    share: np.ndarray
    wrong: np.ndarray

    @classmethod
    def empty(cls, rows: int) -> "Verdicts":
        """Returns verdicts to be filled."""
        flags = (np.zeros(rows, np.bool_), np.zeros(rows, np.bool_))
        return cls(*flags, np.zeros(rows, np.int64), np.zeros(rows), np.zeros(rows, np.int64))


class Rules(NamedTuple):
    """A `Grammar` as compiled code reads it."""

    template: np.ndarray
    n_elements: int
    classes: np.ndarray
    traced: bool
    items_per_step: int

    @classmethod
    def of(cls, grammar: Grammar) -> "Rules":
        """Returns the rules of a grammar."""
        return cls(
            grammar.template,
            grammar.n_elements,
            grammar.classes,
            grammar.traced,
            grammar.items_per_step,
        )


def score_rows(
    grammar: Grammar, rows: np.ndarray, predictions: Texts, truths: Texts, verdicts: Verdicts
) -> int | None:
    """Scores rows of one grammar.

    Args:
      grammar: what their answers must look like.
      rows: which rows, int64.
      predictions: the answers, one per row of the whole table.
      truths: the true answers, likewise.
      verdicts: where to put what is found, likewise.

    Returns:
      The first row whose true answer does not fit the grammar; None if all do.
    """
    lengths = truths.stops[rows] - truths.starts[rows]
    if lengths.min() < grammar.n_tokens:  # before a template is made that no text can fill
        return int(rows[np.argmin(lengths)])
    unfit = _score_rows(Rules.of(grammar), rows, predictions, truths, verdicts)
    return None if unfit < 0 else int(unfit)


@jit
def _score_rows(rules, rows, predictions, truths, verdicts):
    atoms = np.empty((rules.n_elements, 2), np.int64)
    true_atoms = np.empty((rules.n_elements, 2), np.int64)
    for row in rows:
        text, start, stop = predictions.data, predictions.starts[row], predictions.stops[row]
        truth, true_start, true_stop = truths.data, truths.starts[row], truths.stops[row]
        stop = answer_stop(text, start, stop)
        true_stop = answer_stop(truth, true_start, true_stop)
        final, true_final = start, true_start
        if rules.traced:
            final = after_last_bar(text, start, stop)
            true_final = after_last_bar(truth, true_start, true_stop)
            share, wrong = _compare_traces(text, start, final, truth, true_start, true_final, rules)
            # Silence is no trace, even where none was due: a missing answer earns nothing.
            verdicts.share[row] = 0.0 if _is_blank(text, start, stop) else share
            verdicts.wrong[row] = wrong
        if not _read_truth(truth, true_final, true_stop, rules, true_atoms):
            return row
        shape, parses = read_final(text, final, stop, rules, atoms)
        right = 0
        if shape:
            for k in range(rules.n_elements):
                right += equal(
                    text, atoms[k, 0], atoms[k, 1], truth, true_atoms[k, 0], true_atoms[k, 1]
                )
        verdicts.shape[row] = shape
        verdicts.parse[row] = parses
        verdicts.right[row] = right
    return -1


@jit
def answer_stop(text, start, stop):
    """Returns where the answer ends: at the first blank line, `<|endoftext|>`, or the end."""
    for i in range(start, stop):
        if text[i] == _NEWLINE:
            k = i + 1
            while k < stop and text[k] in _BLANKS:
                k += 1
            if k < stop and text[k] == _NEWLINE:
                return i
        elif text[i] == _LESS and is_end_of_text(text, i, stop):
            return i
    return stop


@jit
def is_end_of_text(text, start, stop):
    """Returns whether `<|endoftext|>` stands here."""
    if stop - start < len(_END_OF_TEXT):
        return False
    for k in range(len(_END_OF_TEXT)):  # noqa: SIM110
        if text[start + k] != _END_OF_TEXT[k]:
            return False
    return True


@jit
def after_last_bar(text, start, stop):
    """Returns the place after the last `|`, or `start` if there is none."""
    for i in range(stop - 1, start - 1, -1):
        if text[i] == _BAR:
            return i + 1
    return start


@jit
def _is_blank(text, start, stop):
    for i in range(start, stop):  # noqa: SIM110
        if text[i] not in _SPACES:
            return False
    return True


@jit
def read_final(text, start, stop, rules, atoms):
    """Returns shape and parse of a final answer; puts the spans of its atoms into `atoms`.

    The spans are whole only if the shape is right.
    """
    template, classes = rules.template, rules.classes
    shape, legal = True, True
    place, n_atoms = 0, 0
    i = start
    while i < stop:
        first = i
        kind = classes[text[first]]
        i += 1
        if kind == SEPARATOR:
            continue
        if kind < SEPARATOR:
            legal = legal and kind == ATOM
            while i < stop and classes[text[i]] < SEPARATOR:
                legal = legal and classes[text[i]] == ATOM
                i += 1
            kind = ATOM
        shape = shape and place < len(template) and template[place] == kind
        place += 1
        if shape and kind == ATOM:
            atoms[n_atoms, 0], atoms[n_atoms, 1] = first, i
            n_atoms += 1
    return shape and place == len(template), legal and not _is_blank(text, start, stop)


@jit
def _read_truth(text, start, stop, rules, atoms):
    """Returns whether a true answer has its shape and holds numbers; fills `atoms`."""
    if not read_final(text, start, stop, rules, atoms)[0]:
        return False
    for k in range(rules.n_elements):  # noqa: SIM110
        if not parse(text, atoms[k, 0], atoms[k, 1])[0]:
            return False
    return True


@jit
def _next_token(text, start, stop, classes):
    """Returns `(kind, first, after)` of the next token; END if none is left."""
    i = start
    while i < stop and classes[text[i]] == SEPARATOR:
        i += 1
    if i == stop:
        return END, i, i
    first = i
    i += 1
    if classes[text[first]] > SEPARATOR:
        return int(classes[text[first]]), first, i
    while i < stop and classes[text[i]] < SEPARATOR:
        i += 1
    return ATOM, first, i


@jit
def _compare_traces(text, start, final, truth, true_start, true_final, rules):
    """Returns the share of steps that are right, and the place of the first wrong one (or -1).

    `final` and `true_final` are where the finals start: right after a `|`, or at the start if
    there is no trace.
    """
    stop, true_stop = max(start, final - 1), max(true_start, true_final - 1)
    steps, right, wrong = 0, 0, -1
    i, j = start, true_start
    while True:
        same, i_after, j_after = _compare_step(text, i, stop, truth, j, true_stop, rules)
        if i_after == i and j_after == j:
            return (right / steps if steps else 1.0), wrong
        if same:
            right += 1
        elif wrong < 0:
            wrong = steps
        steps += 1
        i, j = i_after, j_after


@jit
def _compare_step(text, i, stop, truth, j, true_stop, rules):
    """Walks over one step of both traces.

    An item is an atom or a bracket at depth 0, with all up to where the depth is 0 again. The last
    step may lack items or closing brackets: it then ends with the text.

    Returns:
      `(same, i, j)`: whether the steps hold the same brackets and equal numbers, and the places
      after them, which stay where they were if no token is left.
    """
    depth, items = 0, 0
    while items < rules.items_per_step:
        kind, first, after = _next_token(text, i, stop, rules.classes)
        true_kind, true_first, true_after = _next_token(truth, j, true_stop, rules.classes)
        if kind != true_kind or (
            kind == ATOM and not equal(text, first, after, truth, true_first, true_after)
        ):
            i = _step_stop(text, i, stop, rules, depth, items)
            return False, i, _step_stop(truth, j, true_stop, rules, depth, items)
        if kind == END:
            break
        i, j = after, true_after
        depth = _depth_after(depth, kind)
        items += depth == 0
    return True, i, j


@jit
def _step_stop(text, i, stop, rules, depth, items):
    """Returns the place after a step, from amid it: `items` are whole, `depth` brackets open."""
    while items < rules.items_per_step:
        kind, _, after = _next_token(text, i, stop, rules.classes)
        if kind == END:
            break
        i = after
        depth = _depth_after(depth, kind)
        items += depth == 0
    return i


@jit
def _depth_after(depth, kind):
    """Returns how many brackets are open after a token; one that closes nothing changes nothing."""
    if kind in (OPEN, OPEN_PAREN):
        return depth + 1
    if kind in (CLOSE, CLOSE_PAREN):
        return max(depth - 1, 0)
    return depth
