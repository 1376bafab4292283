"""The lenient reading of a chatty completion: its last well-formed answer, written plainly.

A completion is cut into tokens once, with Markdown and LaTeX read as white space; brackets are
matched; then the answer is looked for from the end. Each pass is linear in the completion.

Well-formed means: the parts of the task's answer stand side by side, each of the right rank, with
rows of equal length and no word in between; outside all other brackets; and every element is a
number that the part can hold, that is, a whole one where it has no decimals. Their count does not
matter here: shape judges it. The trace is what stands before the last `|` before the answer.
"""

from typing import NamedTuple, get_args

import numpy as np

from clrs_text_bench.compiled import jit
from clrs_text_bench.errors import unknown
from clrs_text_bench.protocols import Extraction

from .columns import Texts, frozen
from .grammar import (
    CLOSE,
    CLOSE_PAREN,
    FOREIGN,
    OPEN,
    OPEN_PAREN,
    SEPARATOR,
    SPACE,
    Grammar,
    Groups,
)
from .numbers import parse
from .scan import answer_stop, is_end_of_text

# Kinds of tokens beside the brackets. A word is whatever cannot be part of an answer.
_WHOLE, _FRACTION, _WORD, _BAR = range(10, 14)
# Classes of bytes beside FOREIGN (an atom's character), SEPARATOR and the brackets.
_BREAK, _ESCAPE = 20, 21

# Emphasis, code, mathematics, quotes and braces leave nothing behind.
_TRANSPARENT = SPACE + b",*`$\"'{}&"
# These end an atom and are words of their own: `answer=3`, `<answer>3</answer>`, `(3)`.
_BREAKS = b"=:;<>()"

_UNDERSCORE, _BACKSLASH, _LESS = ord("_"), ord("\\"), ord("<")
_TRAILING = tuple(b"_.!?")
_BRACKETS = tuple(b"{}[]()")


class _Rules(NamedTuple):
    """A `Grammar` as compiled code reads it: rank and decimals of each part, classes of bytes."""

    ranks: np.ndarray
    decimals: np.ndarray
    classes: np.ndarray
    parenthesised: bool
    traced: bool


class _Tokens(NamedTuple):
    """Tokens of one completion: kind, span, and for a bracket the place of its counterpart."""

    kinds: np.ndarray
    starts: np.ndarray
    stops: np.ndarray
    matches: np.ndarray


def answers_in(completions: Texts, groups: Groups, extraction: Extraction) -> Texts:
    """Returns the answers that completions hold.

    Args:
      completions: one per row.
      groups: the rows of every grammar.
      extraction: "strict" or "lenient".

    Raises:
      BadInput: if it is neither.
    """
    if extraction not in get_args(Extraction):
        raise unknown("extraction", extraction, get_args(Extraction))
    if extraction == "strict":
        return completions
    extracted = _Extracted(completions)
    for rules, rows in groups:
        extracted.add(rules, rows)
    return extracted.texts()


class _Extracted:
    """Collects the answers found in the completions of a table, group by group."""

    def __init__(self, completions: Texts):
        self._completions = completions
        rows = len(completions.starts)
        # Nothing that is written for a row is longer than its completion.
        self._data = np.empty(int(np.sum(completions.stops - completions.starts)), np.uint8)
        self._starts, self._stops = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        self._end = 0

    def add(self, grammar: Grammar, rows: np.ndarray) -> None:
        """Finds the answers of rows (int64) of one grammar.

        A completion without any is left to the strict reading.
        """
        spans = self._completions.stops[rows] - self._completions.starts[rows]
        room = int(spans.max())
        place = np.int32 if room < 2**31 else np.int64
        tokens = _Tokens(np.empty(room, np.uint8), *(np.empty(room, place) for _ in range(3)))
        rules = _Rules(
            np.array([part.rank for part in grammar.parts]),
            np.array([part.decimals for part in grammar.parts]),
            _classes(grammar.parenthesised),
            grammar.parenthesised,
            grammar.traced,
        )
        out = (self._data, self._starts, self._stops)
        self._end = _extract_rows(rules, rows, self._completions, tokens, out, self._end)

    def texts(self) -> Texts:
        """Returns the answers; the empty text for rows that were not added."""
        return frozen(self._data, self._starts, self._stops)


def _classes(parenthesised: bool) -> np.ndarray:
    classes = np.full(256, FOREIGN, np.uint8)
    classes[list(_TRANSPARENT)] = SEPARATOR
    classes[list(_BREAKS)] = _BREAK
    classes[ord("|")], classes[_BACKSLASH] = _BAR, _ESCAPE
    classes[ord("[")], classes[ord("]")] = OPEN, CLOSE
    if parenthesised:
        classes[ord("(")], classes[ord(")")] = OPEN_PAREN, CLOSE_PAREN
    return classes


@jit
def _extract_rows(rules, rows, completions, tokens, out, end):
    """Writes the rows' answers from `end` on; returns where they end."""
    data, starts, stops = out
    for row in rows:
        text = completions.data[completions.starts[row] : completions.stops[row]]
        text = text[: _text_stop(text)]
        starts[row] = end
        n = _lex(text, rules.classes, tokens)
        _match_brackets(n, tokens)
        first, last = _last_answer(n, rules, tokens)
        if first < 0:
            stop = answer_stop(text, 0, len(text))
            data[end : end + stop] = text[:stop]
            end += stop
        else:
            if rules.traced:
                bar = _bar_before(first, tokens)
                if bar >= 0:
                    end = _write(text, tokens, _trace_first(bar, tokens), bar + 1, data, end)
            end = _write(text, tokens, first, last + 1, data, end)
        stops[row] = end
    return end


@jit
def _text_stop(text):
    for i in range(len(text)):
        if text[i] == _LESS and is_end_of_text(text, i, len(text)):
            return i
    return len(text)


@jit
def _lex(text, classes, tokens):
    """Cuts a text into tokens; returns their number."""
    n = 0
    i, stop = 0, len(text)
    while i < stop:
        first = i
        kind = classes[text[i]]
        i += 1
        after = i
        if kind == SEPARATOR:
            continue
        if kind == _ESCAPE:
            i = after = _escape_stop(text, first, stop)
            if i - first <= 2 or (i < stop and text[i] in _BRACKETS):
                continue
            kind = _WORD
        elif kind == _BREAK:
            kind = _WORD
        elif kind == FOREIGN:
            while i < stop and classes[text[i]] == FOREIGN:
                i += 1
            first, after = _strip(text, first, i)
            if first == after:
                continue
            kind = _atom_kind(text, first, after)
        tokens.kinds[n], tokens.starts[n], tokens.stops[n] = kind, first, after
        n += 1
    return n


@jit
def _escape_stop(text, start, stop):
    r"""Returns the place after a `\name`, or after a backslash and the ASCII character behind it.

    The latter (`\[`, `\,`, `\(`, `\\`, and a `\n` left from JSON) are white space; so is a longer
    name with a bracket behind it (`\boxed{`, `\left[`). Other names (`\dots`) are words.
    """
    i = start + 1
    while i < stop and (65 <= text[i] <= 90 or 97 <= text[i] <= 122):
        i += 1
    if i == start + 1 and i < stop and text[i] < 128:
        i += 1
    return i


@jit
def _strip(text, start, stop):
    """Returns the span of an atom without underscores around it and punctuation behind it.

    An atom of underscores alone vanishes; one of punctuation alone (`...`) stays what it is.
    """
    first, after = start, stop
    while first < after and text[first] == _UNDERSCORE:
        first += 1
    if first == after:
        return first, after
    while after > first and text[after - 1] in _TRAILING:
        after -= 1
    return (start, stop) if first == after else (first, after)


@jit
def _atom_kind(text, first, after):
    valid, _, digit, _, power = parse(text, first, after)
    if not valid:
        return _WORD
    return _WHOLE if digit < 0 or power >= 0 else _FRACTION


@jit
def _match_brackets(n, tokens):
    """Fills `matches`; a bracket without a counterpart becomes a word.

    The stack of open brackets is a linked list in `matches` itself.
    """
    kinds, matches = tokens.kinds, tokens.matches
    top = -1
    for k in range(n):
        kind = kinds[k]
        if kind in (OPEN, OPEN_PAREN):
            matches[k], top = top, k
        elif kind in (CLOSE, CLOSE_PAREN):
            if top >= 0 and kinds[top] == kind - 1:
                below = matches[top]
                matches[k], matches[top] = top, k
                top = below
            else:
                kinds[k] = _WORD
    while top >= 0:
        kinds[top], top = _WORD, matches[top]


@jit
def _last_answer(n, rules, tokens):
    """Returns the first and last token of the last well-formed answer; `(-1, -1)` if none is."""
    kinds, matches = tokens.kinds, tokens.matches
    k = n - 1
    while k >= 0:
        if rules.parenthesised:
            if kinds[k] == CLOSE_PAREN and _parts_first(k - 1, rules, tokens) == matches[k] + 1:
                return matches[k], k
        else:
            first = _parts_first(k, rules, tokens)
            if first >= 0:
                return first, k
        # What stands within other square brackets is no answer; parentheses may be prose.
        k = matches[k] - 1 if kinds[k] == CLOSE else k - 1
    return -1, -1


@jit
def _parts_first(last, rules, tokens):
    """Returns the first token of an answer's parts that end at token `last`; -1 if none do."""
    for part in range(len(rules.ranks) - 1, -1, -1):
        last = _value_first(last, rules.ranks[part], rules.decimals[part], tokens) - 1
        if last < -1:
            return -1
    return last + 1


@jit
def _value_first(last, rank, decimals, tokens):
    """Returns the first token of a value of this rank that ends at token `last`; -1 if none."""
    if last < 0:
        return -1
    if rank == 0:
        return last if _is_number(tokens.kinds[last], decimals) else -1
    if tokens.kinds[last] != CLOSE:
        return -1
    first = tokens.matches[last]
    if rank == 1:
        return first if _count(first, last, decimals, tokens) > 0 else -1
    return first if _is_matrix(first, last, decimals, tokens) else -1


@jit
def _is_matrix(first, last, decimals, tokens):
    """Returns whether brackets hold nothing but rows of equal length, at least one."""
    length = 0
    row = first + 1
    while row < last:
        if tokens.kinds[row] != OPEN:
            return False
        count = _count(row, tokens.matches[row], decimals, tokens)
        if count <= 0 or (length > 0 and count != length):
            return False
        length = count
        row = tokens.matches[row] + 1
    return length > 0


@jit
def _count(first, last, decimals, tokens):
    """Returns how many numbers brackets hold; -1 if they hold anything else."""
    for k in range(first + 1, last):
        if not _is_number(tokens.kinds[k], decimals):
            return -1
    return last - first - 1


@jit
def _is_number(kind, decimals):
    return kind == _WHOLE or (decimals and kind == _FRACTION)


@jit
def _bar_before(first, tokens):
    """Returns the last `|` before an answer and outside other brackets; -1 if there is none."""
    k = first - 1
    while k >= 0 and tokens.kinds[k] != _BAR:
        k = _before(k, tokens)
    return k


@jit
def _trace_first(bar, tokens):
    """Returns the first token of the unbroken run of numbers and brackets that ends at a `|`."""
    k = bar - 1
    while k >= 0 and tokens.kinds[k] != _WORD and tokens.kinds[k] != _BAR:
        if tokens.kinds[k] == OPEN or tokens.kinds[k] == OPEN_PAREN:
            break  # the `|` stands in these brackets
        k = _before(k, tokens)
    return k + 1


@jit
def _before(k, tokens):
    """Returns the token before an atom, or before all of a closed bracket."""
    closes = tokens.kinds[k] == CLOSE or tokens.kinds[k] == CLOSE_PAREN
    return tokens.matches[k] - 1 if closes else k - 1


@jit
def _write(text, tokens, first, stop, data, end):
    """Writes tokens from `end` on, with a space wherever something stood between two."""
    for k in range(first, stop):
        if k > first and tokens.starts[k] > tokens.stops[k - 1]:
            data[end] = 32
            end += 1
        for i in range(tokens.starts[k], tokens.stops[k]):
            data[end] = text[i]
            end += 1
    return end
