"""What an answer must look like: the tokens that a task and a size ask for, and legal characters.

An answer is cut into tokens: brackets, and atoms, which are maximal runs of anything else but
white space and commas. Parentheses are brackets only in answers that are written with them.
"""

import functools
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from clrs_text_bench import tasks
from clrs_text_bench.tasks import AnswerPart

from . import columns

# Classes of bytes, and kinds of tokens. Those below SEPARATOR are the characters of atoms;
# a closing bracket's class is that of its opening one plus 1.
ATOM, FOREIGN, SEPARATOR, OPEN, CLOSE, OPEN_PAREN, CLOSE_PAREN, END = range(8)

SPACE = b" \t\n\r\v\f"


@dataclass(frozen=True)
class Grammar:
    """The answers of one algorithm at one length in one mode.

    Attributes:
      algorithm: name of the task.
      length: length of the samples.
      parts: the parts of the final answer.
      n: number of elements of a row, and of rows.
      parenthesised: whether steps and final stand in parentheses.
      traced: whether a trace and a `|` precede the final.
      items_per_step: how many atoms or bracketed groups make a step of the trace.
    """

    algorithm: str
    length: int
    parts: tuple[AnswerPart, ...]
    n: int
    parenthesised: bool
    traced: bool
    items_per_step: int

    @property
    def n_elements(self) -> int:
        """Number of elements of the final, over all its parts."""
        return sum(self.n**part.rank for part in self.parts)

    @property
    def n_tokens(self) -> int:
        """Number of tokens of the final."""
        brackets = sum(2 * sum(self.n**r for r in range(part.rank)) for part in self.parts)
        return self.n_elements + brackets + 2 * self.parenthesised

    @functools.cached_property
    def template(self) -> np.ndarray:
        """The kinds of the final's tokens, uint8 `[n_tokens]`."""
        kinds = np.concatenate([_kinds(part.rank, self.n) for part in self.parts])
        if self.parenthesised:
            kinds = np.concatenate([[OPEN_PAREN], kinds, [CLOSE_PAREN]])
        return kinds.astype(np.uint8)

    @functools.cached_property
    def classes(self) -> np.ndarray:
        """The class of every byte, uint8 `[256]`; FOREIGN ones are illegal in the final."""
        decimals = any(part.decimals for part in self.parts)
        classes = np.full(256, FOREIGN, np.uint8)
        classes[list(b"0123456789-" + (b"." if decimals else b""))] = ATOM
        classes[list(SPACE + b",")] = SEPARATOR
        classes[ord("[")], classes[ord("]")] = OPEN, CLOSE
        if self.parenthesised:
            classes[ord("(")], classes[ord(")")] = OPEN_PAREN, CLOSE_PAREN
        return classes


def _kinds(rank: int, n: int) -> np.ndarray:
    if rank == 0:
        return np.array([ATOM])
    return np.concatenate([[OPEN], np.tile(_kinds(rank - 1, n), n), [CLOSE]])


@functools.lru_cache(maxsize=1024)
def grammar(algorithm: str, length: int, use_hints: bool) -> Grammar:
    """Returns the grammar of a task's answers at a length.

    Raises:
      BadInput: if the algorithm is unknown or the length too small for it.
    """
    task = tasks.get(algorithm)
    task.check_length(length)
    parenthesised = task.in_parentheses(use_hints)
    traced = task.has_trace(use_hints)
    return Grammar(
        algorithm,
        length,
        task.answer_parts(use_hints),
        task.n_nodes(length),
        parenthesised,
        traced,
        len(task.step_parts()) if traced and not parenthesised else 1,
    )


Groups = list[tuple[Grammar, np.ndarray]]
"""Grammars, and which rows of a table (int64) are of each."""


def by_grammar(references: pa.Table) -> Groups:
    """Returns the rows of every grammar in a table of references.

    Raises:
      BadInput: if a column is missing or of a wrong type, an algorithm unknown, a length too small.
    """
    what = "the references"
    names, distinct_names = columns.codes(columns.strings(references, "algo_name", what))
    lengths = columns.integers(references, "length", what)
    lengths, distinct_lengths = columns.codes(pa.array(lengths))
    hints = columns.integers(references, "use_hints", what)
    keys = (names * max(len(distinct_lengths), 1) + lengths) * 2 + hints
    order = np.argsort(keys, kind="stable")
    ends = np.flatnonzero(np.diff(keys[order])) + 1
    groups = []
    for rows in np.split(order, ends) if len(order) else []:
        name = distinct_names[int(names[rows[0]])].as_py()
        length = distinct_lengths[int(lengths[rows[0]])].as_py()
        groups.append((grammar(name, length, bool(hints[rows[0]])), rows))
    return groups
