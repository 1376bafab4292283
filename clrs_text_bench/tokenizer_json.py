"""Tokenisers of language models, from a `tokenizer.json` of the Hugging Face library `tokenizers`.

A blank line, the end of every answer, has to be one token, and always the same one. Byte-level BPE
does not promise that: it may merge a blank line with what stands before it, or spell it as two line
breaks. So texts are cut at blank lines, what lies between is spelt by the tokeniser, and each blank
line is one token: the vocabulary's own (535 of GPT-NeoX) or, where it has none, the end of text.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clrs_text_bench import extras
from clrs_text_bench.errors import BadInput

if TYPE_CHECKING:
    from tokenizers import Encoding
    from tokenizers import Tokenizer as Library

FILE = "tokenizer.json"
_END_TEXT = "\n\n"
_ENDS_OF_TEXT = ("<|endoftext|>", "</s>", "<|end_of_text|>", "<eos>", "[SEP]")
_PADDINGS = ("<|padding|>", "<pad>", "[PAD]")
# What the tasks' texts are made of, and more; a tokeniser that alters it cannot be used.
_PROBE = ' a_b:\n0: [0.123 -1.5], [[10 07]] | (x,y)  two   three\n\tTab "quote"\n\né\n\n\n'


class TokenizerJson:
    """See `tokenizers.Tokenizer`; `data` is the file, as it was.

    `end_id` is the blank line. `pad_id` is a special token, which no text is spelt with; where the
    vocabulary has none, it is the end.
    """

    name = "huggingface"

    def __init__(self, path: Path, *, split_digits: bool = False) -> None:
        """Reads a tokeniser.

        Args:
          path: the `tokenizer.json`.
          split_digits: whether numbers are spelt digit by digit.

        Raises:
          BadInput: if it cannot be read, `tokenizers` is not installed, it has no token for the
            end of an answer, or it loses text.
        """
        self.data = _read(path)
        self._library = _parse(self.data, path)
        self._library.encode_special_tokens = True  # no text is a special token
        self.fingerprint = hashlib.sha256(self.data + bytes([split_digits])).hexdigest()
        self._split = split_digits
        if split_digits:
            _split_digits(self._library)
        known = self._library.get_vocab(with_added_tokens=True)
        self.vocab_size = max(known.values()) + 1
        special = self._special()
        self.end_id = self._find_end(special, path)
        named = [special[t] for t in _PADDINGS if t in special]
        others = [i for i in special.values() if i != self.end_id]
        self.pad_id = (*named, *others, self.end_id)[0]
        if self.decode(self.encode(_PROBE)) != _PROBE:
            raise BadInput(
                f"{path} does not give every text back as it was; a byte-level tokenizer does, "
                "such as that of GPT-NeoX"
            )

    def _special(self) -> dict[str, int]:
        added = self._library.get_added_tokens_decoder()
        return {token.content: i for i, token in sorted(added.items()) if token.special}

    def _find_end(self, special: dict[str, int], path: Path) -> int:
        ids = self._library.encode(_END_TEXT, add_special_tokens=False).ids
        if len(ids) == 1:
            return ids[0]
        for token in _ENDS_OF_TEXT:
            if token in special:
                return special[token]
        raise BadInput(
            f"{path} has no token for a blank line, nor an end of text, such as "
            f"{_ENDS_OF_TEXT[0]}, to end answers with"
        )

    def as_used(self) -> bytes:
        """Returns a `tokenizer.json` that spells numbers as this tokeniser does."""
        return self._library.to_str().encode() if self._split else self.data

    def encode(self, text: str) -> np.ndarray:
        """Returns the int32 token ids of a text."""
        return np.array(self._all([text])[0], np.int32)

    def _all(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the token ids of texts."""
        cut = [text.split(_END_TEXT) for text in texts]
        spelt = iter(self._spelt([piece for of_text in cut for piece in of_text]))
        found = []
        for of_text in cut:
            ids = list(next(spelt).ids)
            for _ in of_text[1:]:
                ids += [self.end_id, *next(spelt).ids]
            found.append(ids)
        return found

    def _spelt(self, pieces: list[str]) -> "list[Encoding]":
        return self._library.encode_batch(pieces, add_special_tokens=False)

    def starts(self, text: str) -> np.ndarray:
        """See `tokenizers.Tokenizer`."""
        pieces, place, found = text.split(_END_TEXT), 0, []
        for piece, spelt in zip(pieces, self._spelt(pieces), strict=True):
            found += [place + start for start, _ in spelt.offsets]
            place += len(piece)
            found.append(place)  # of the blank line
            place += len(_END_TEXT)
        return np.array(found[:-1], np.int64)

    def decode(self, ids: Iterable[int]) -> str:
        """Returns the text of token ids."""
        pieces: list[list[int]] = [[]]
        for i in map(int, ids):
            if i == self.end_id:
                pieces.append([])
            elif i != self.pad_id:
                pieces[-1].append(i)
        return _END_TEXT.join(self._library.decode_batch(pieces, skip_special_tokens=False))

    def lengths(self, texts: Sequence[str]) -> np.ndarray:
        """Returns how many tokens each text has."""
        return np.array([len(ids) for ids in self._all(texts)], np.int64)

    def values(self) -> np.ndarray:
        """See `Tokenizer`; no token is taken for a number by itself."""
        return np.full(self.vocab_size, np.nan)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read tokenizer {path}: {error.strerror}") from error


def _parse(data: bytes, path: Path) -> "Library":
    tokenizers = extras.load("tokenizers", "huggingface", str(path))
    try:
        library = tokenizers.Tokenizer.from_buffer(data)
    except Exception as error:  # the library raises no narrower type
        raise BadInput(f"{path} is no tokenizer.json: {str(error)[:160]}") from error
    library.no_padding()
    library.no_truncation()
    return library


def _split_digits(library: "Library") -> None:
    """Cuts texts around each digit, which keeps the space before it, as in a byte-level BPE."""
    from tokenizers import Regex, pre_tokenizers

    digits = pre_tokenizers.Split(Regex(" ?[0-9]"), "isolated")
    before = library.pre_tokenizer
    library.pre_tokenizer = pre_tokenizers.Sequence([digits, before]) if before else digits
