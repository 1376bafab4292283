"""The numbers of answers as arrays, for scores that look beyond whether a number is the truth's."""

import numpy as np

from clrs_text_bench.compiled import jit

from .columns import Texts
from .grammar import Grammar
from .numbers import NOTHING, whole
from .scan import Rules, after_last_bar, answer_stop, read_final

DECIMALS = 3
"""Of numbers that are not whole: the text has no more (`Task.answer_parts`)."""


def values(grammar: Grammar, rows: np.ndarray, answers: Texts) -> np.ndarray:
    """Returns the elements of final answers, whatever their characters; see `read`."""
    return read(grammar, rows, answers)[0]


def read(grammar: Grammar, rows: np.ndarray, answers: Texts) -> tuple[np.ndarray, np.ndarray]:
    """Reads final answers.

    Args:
      grammar: what the answers must look like.
      rows: which rows, int64.
      answers: one per row of the whole table.

    Returns:
      `(elements, parse)`. Elements, int64 `[len(rows), grammar.n_elements]`: each times
      `10**DECIMALS` if its part has decimals, as it is if not; `NOTHING` stands for one that is no
      such number, and for all elements of an answer of the wrong shape. Parse, bool `[len(rows)]`:
      whether the answer's characters are legal.
    """
    places = np.concatenate(
        [np.full(grammar.n**part.rank, DECIMALS if part.decimals else 0) for part in grammar.parts]
    )
    found = np.full((len(rows), grammar.n_elements), NOTHING, np.int64)
    parse = np.zeros(len(rows), np.bool_)
    _read_rows(Rules.of(grammar), rows, answers, places, found, parse)
    return found, parse


@jit
def _read_rows(rules, rows, answers, places, found, parse):
    atoms = np.empty((rules.n_elements, 2), np.int64)
    for i in range(len(rows)):
        text, start = answers.data, answers.starts[rows[i]]
        stop = answer_stop(text, start, answers.stops[rows[i]])
        if rules.traced:
            start = after_last_bar(text, start, stop)
        shape, parse[i] = read_final(text, start, stop, rules, atoms)
        if shape:
            for k in range(rules.n_elements):
                found[i, k] = whole(text, atoms[k, 0], atoms[k, 1], places[k])
