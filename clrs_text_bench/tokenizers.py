"""Tokenisers: text to token ids and back, without loss.

`char` spells UTF-8 bytes. `compact` knows the words, brackets and numbers of the thirty tasks'
texts and falls back to bytes, so that any text of any task can be spelt; it makes sequences three
to five times shorter. A blank line, which ends every answer, is one token of both: `end_id`. The
tokenisers of language models are read from files, see `tokenizer_json`.

A vocabulary is a fixed function of the tokeniser's name and version and of `clrs30.TASKS`;
`fingerprint` hashes it, so that a checkpoint is never read with another one.
"""

import functools
import hashlib
import itertools
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from clrs_text_bench import clrs30
from clrs_text_bench.errors import unknown
from clrs_text_bench.tokenizer_json import FILE, TokenizerJson

_PAD = 0
_END = 1
_BYTES = 2
_END_TEXT = "\n\n"


class Tokenizer(Protocol):
    """What models and tables of token lengths ask of a tokeniser.

    Attributes:
      name: the name it is chosen by.
      vocab_size: number of token ids.
      pad_id: fills a batch up; decodes to nothing.
      end_id: a blank line, the end of an answer.
      fingerprint: hash of the vocabulary.
    """

    name: str
    vocab_size: int
    pad_id: int
    end_id: int
    fingerprint: str

    def encode(self, text: str) -> np.ndarray:
        """Returns the int32 token ids of a text."""

    def decode(self, ids: Iterable[int]) -> str:
        """Returns the text of token ids, the inverse of `encode`.

        Ids that no text encodes to are put into words as well as may be; bytes that are not UTF-8
        become U+FFFD.
        """

    def starts(self, text: str) -> np.ndarray:
        """Returns where in a text the piece begins that each token spells or helps to spell.

        Ascending, int64 `[len(encode(text))]`, counted in characters.
        """

    def lengths(self, texts: Sequence[str]) -> np.ndarray:
        """Returns how many tokens each text has, int64 `[len(texts)]`."""

    def values(self) -> np.ndarray:
        """Returns the number that each token stands for, float64 `[vocab_size]`.

        NaN where a token is no decimal number by itself.
        """


def _fingerprint(name: str, version: int, vocabulary: Sequence[bytes]) -> str:
    return hashlib.sha256(repr((name, version, list(vocabulary))).encode()).hexdigest()


def _repeated(counts: Iterable[tuple[int, int]]) -> np.ndarray:
    """Returns each number as many times as it says beside it, int64."""
    pairs = np.array(list(counts), np.int64).reshape(-1, 2)
    return np.repeat(pairs[:, 0], pairs[:, 1])


_CHARACTERS = re.compile(rf"{_END_TEXT}|[\s\S]")
_BASE = (b"<pad>", _END_TEXT.encode(), *(bytes([b]) for b in range(256)))


class Char:
    """One token per UTF-8 byte, but for the blank line."""

    name = "char"
    version = 1
    vocab_size = len(_BASE)
    pad_id = _PAD
    end_id = _END

    def __init__(self) -> None:
        self.fingerprint = _fingerprint(self.name, self.version, _BASE)

    def encode(self, text: str) -> np.ndarray:
        """Returns the int32 token ids of a text."""
        end = np.array([_END], np.int32)
        pieces = [
            np.frombuffer(piece.encode(), np.uint8).astype(np.int32) + _BYTES
            for piece in text.split(_END_TEXT)
        ]
        for place in range(len(pieces) - 1, 0, -1):
            pieces.insert(place, end)
        return np.concatenate(pieces)

    def decode(self, ids: Iterable[int]) -> str:
        """Returns the text of token ids."""
        return b"".join(_BASE[i] for i in ids if i != _PAD).decode(errors="replace")

    def starts(self, text: str) -> np.ndarray:
        """See `Tokenizer`."""
        pieces = _CHARACTERS.finditer(text)
        counts = ((p.start(), 1 if p[0] == _END_TEXT else len(p[0].encode())) for p in pieces)
        return _repeated(counts)

    def lengths(self, texts: Sequence[str]) -> np.ndarray:
        """Returns how many tokens each text has."""
        return np.array([len(t.encode()) - t.count(_END_TEXT) for t in texts], np.int64)

    def values(self) -> np.ndarray:
        """See `Tokenizer`; a character is no number."""
        return np.full(self.vocab_size, np.nan)


_SEPARATORS = (
    *("]], [[", "], [", "), (", "]], ", "], ", "]]\n", "]\n", "[[", "]]", " | ", ":\n", ": "),
    *(", ", "[", "]", "(", ")", "\n", " "),
)
_MINUS = "-"
_LEADS = tuple(str(unit) for unit in range(1, 10))
_INTEGERS = tuple(str(i) for i in range(100))
_MINUS_ONE = "-1"
_DECIMALS = tuple(str(thousandths / 1000) for thousandths in range(1000))


def _words() -> tuple[str, ...]:
    """Returns the words of the thirty tasks' prompts, with what follows them there."""
    tasks = [f"{task.name}:\n" for task in clrs30.TASKS]
    names = {"trace", "initial_trace"}
    for task in clrs30.TASKS:
        names.update(probe.name for probe in task.probes)
        names.update(task.traced_names or ())
    return (*tasks, *(name + after for name in sorted(names) for after in ("", ": ", ":\n")))


_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
# Numbers are matched whole, so that one never follows another without something between them.
_PIECES = re.compile(
    "|".join(
        [
            re.escape(_END_TEXT),
            rf"(?<=[0-9]) -?{_NUMBER}",
            rf"(?<![0-9])-{_NUMBER}",
            _NUMBER,
            "[A-Za-z_]+(?::\n|: )?",
            *(re.escape(s) + ("(?!\n)" if s in ("]\n", "]]\n") else "") for s in _SEPARATORS),
            r"[\s\S]",
        ]
    )
)
_SPLIT_NUMBER = re.compile(r"( ?)(-?)([0-9]+)(\.[0-9]+)?")
_SPLIT_WORD = re.compile(r"([A-Za-z_]+)(:\n|: )")


class Compact:
    """Words, brackets and numbers of the thirty tasks' texts as single tokens, else bytes.

    `0` to `99`, `-1` and `0.0` to `0.999` are one token each; `1.727` is two (a leading unit and
    `0.727`), and a minus sign is one more. The single space between two numbers is not spelt: a
    number (or its sign) after a digit implies it.
    """

    name = "compact"
    version = 1
    pad_id = _PAD
    end_id = _END

    def __init__(self) -> None:
        sections = [(_MINUS,), _LEADS, _INTEGERS, (_MINUS_ONE,), _DECIMALS, _words(), _SEPARATORS]
        starts = list(itertools.accumulate(map(len, sections), initial=len(_BASE)))
        self._minus, first_lead, first_integer, minus_one, first_decimal, first_word, _, stop = (
            starts
        )
        self._vocabulary = (*_BASE, *(t.encode() for s in sections for t in s))
        self.vocab_size = stop
        # A lead and an integer may be spelt alike: the section goes into the hash with the text.
        self.fingerprint = _fingerprint(
            self.name, self.version, [*self._vocabulary, repr(starts).encode()]
        )
        self._leads = range(first_lead, first_integer)
        self._decimals = range(first_decimal, first_word)
        self._numbers = range(self._minus, first_word)
        self._lead_ids = dict(zip(_LEADS, self._leads, strict=True))
        self._integer_ids = {t: first_integer + i for i, t in enumerate(_INTEGERS)}
        self._decimal_ids = {t: first_decimal + i for i, t in enumerate(_DECIMALS)}
        self._known = _Pieces(self._spell)
        self._known[_END_TEXT] = (_END,)
        for separator_or_word, place in zip(
            (*_words(), *_SEPARATORS), range(first_word, stop), strict=True
        ):
            self._known[separator_or_word] = (place,)
        for sign in ("-", " -"):
            self._known[f"{sign}1"] = (minus_one,)

    def _spell(self, piece: str) -> tuple[int, ...]:
        """Returns the ids of a piece that is no single token."""
        if number := _SPLIT_NUMBER.fullmatch(piece):
            _, sign, whole, fraction = number.groups()
            ids = self._number(whole, fraction)
            if ids:
                return (self._minus, *ids) if sign else ids
        if word := _SPLIT_WORD.fullmatch(piece):
            return (*self._known[word[1]], *self._known[word[2]])
        return tuple(b + _BYTES for b in piece.encode())

    def _number(self, whole: str, fraction: str | None) -> tuple[int, ...]:
        if fraction is None:
            return (self._integer_ids[whole],) if whole in self._integer_ids else ()
        decimal = self._decimal_ids.get("0" + fraction)
        if decimal is None:
            return ()
        if whole == "0":
            return (decimal,)
        return (self._lead_ids[whole], decimal) if whole in self._lead_ids else ()

    def _ids(self, text: str) -> Iterable[int]:
        return itertools.chain.from_iterable(map(self._known.__getitem__, _PIECES.findall(text)))

    def encode(self, text: str) -> np.ndarray:
        """Returns the int32 token ids of a text."""
        return np.fromiter(self._ids(text), np.int32)

    def decode(self, ids: Iterable[int]) -> str:
        """Returns the text of token ids."""
        spelt = bytearray()
        before = _PAD
        for i in ids:
            if i == _PAD:
                continue
            token = self._vocabulary[i]
            if i in self._decimals and before in self._leads:
                token = token[1:]
            elif i in self._numbers and spelt[-1:].isdigit():
                spelt += b" "
            spelt += token
            before = i
        return spelt.decode(errors="replace")

    def starts(self, text: str) -> np.ndarray:
        """See `Tokenizer`."""
        return _repeated((p.start(), len(self._known[p[0]])) for p in _PIECES.finditer(text))

    def lengths(self, texts: Sequence[str]) -> np.ndarray:
        """Returns how many tokens each text has."""
        return np.array([sum(1 for _ in self._ids(t)) for t in texts], np.int64)

    def values(self) -> np.ndarray:
        """See `Tokenizer`."""
        values = np.full(self.vocab_size, np.nan)
        values[self._decimals.start : self._decimals.stop] = np.array(_DECIMALS, float)
        return values


class _Pieces(dict):
    """Token ids by piece of text; spells a piece when it is first met.

    Short spellings are kept, up to a bound that the numbers of the tasks' texts stay below, so
    that odd texts cannot fill the memory.
    """

    _KEPT = 100_000
    _SHORT = 32

    def __init__(self, spell: Callable[[str], tuple[int, ...]]) -> None:
        super().__init__()
        self._spell = spell

    def __missing__(self, piece: str) -> tuple[int, ...]:
        ids = self._spell(piece)
        if len(self) < self._KEPT and len(piece) <= self._SHORT:
            self[piece] = ids
        return ids


_TOKENIZERS = {Char.name: Char, Compact.name: Compact}


def names() -> list[str]:
    """Returns the names of the tokenisers."""
    return list(_TOKENIZERS)


def check_name(name: str) -> None:
    """Raises `BadInput` if this is neither a tokeniser's name nor a path; reads nothing.

    A path ends in `.json` or has a folder in it, as in `./pythia`.
    """
    if name not in _TOKENIZERS and not (name.endswith(".json") or os.sep in name):
        raise unknown("tokenizer", name, (*_TOKENIZERS, f"path/to/{FILE}"))


def get(name: str, *, split_digits: bool = False) -> Tokenizer:
    """Returns a tokeniser.

    Args:
      name: its name, or the path of a `tokenizer.json` or of the folder that holds it.
      split_digits: whether a `tokenizer.json` spells numbers digit by digit.

    Raises:
      BadInput: naming the nearest if there is none of that name, or if the file cannot be used.

    >>> get("compact").lengths(["insertion_sort:\\nkey: [0.5 0.123]\\npred:\\n"]).tolist()
    [7]
    """
    check_name(name)
    if name in _TOKENIZERS:
        return _built_in(name)
    path = Path(name)
    path = path / FILE if path.is_dir() else path
    changed = path.stat().st_mtime_ns if path.exists() else None
    return _from_file(path, split_digits, changed)


@functools.cache
def _built_in(name: str) -> Tokenizer:
    return _TOKENIZERS[name]()


@functools.lru_cache(maxsize=4)
def _from_file(path: Path, split_digits: bool, changed: int | None) -> Tokenizer:
    """Reads a file; `changed` is when it was last written, so that a new one is read anew."""
    return TokenizerJson(path, split_digits=split_digits)
