"""How rows become tokens, and what a model writes becomes text: with index hints, or without."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import pyarrow as pa

from clrs_text_bench import tasks, tokenizers
from clrs_text_bench.errors import BadInput
from clrs_text_bench.tasks import Task
from clrs_text_bench.tokenizers import Tokenizer

from ..rows import sample_ids
from . import index_hints
from .config import TransformerConfig


class Spelling(Protocol):
    """Between rows in `schema.DATASET` and int32 token ids."""

    def questions(self, table: pa.Table) -> list[np.ndarray]:
        """Returns the tokens of rows' questions; raises `BadInput` on one that cannot be spelt."""

    def answers(self, table: pa.Table) -> list[np.ndarray]:
        """Returns the tokens of rows' answers; raises `BadInput` on one that cannot be spelt."""

    def texts(self, table: pa.Table, written: list[np.ndarray]) -> list[str]:
        """Returns the text of what was written in answer to rows."""


class Plain:
    """The text as it is; see `Spelling`."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def questions(self, table: pa.Table) -> list[np.ndarray]:
        """Returns the tokens of rows' questions."""
        return [self._tokenizer.encode(text) for text in table["question"].to_pylist()]

    def answers(self, table: pa.Table) -> list[np.ndarray]:
        """Returns the tokens of rows' answers."""
        return [self._tokenizer.encode(text) for text in table["answer"].to_pylist()]

    def texts(self, table: pa.Table, written: list[np.ndarray]) -> list[str]:
        """Returns the text of what was written in answer to rows."""
        return [self._tokenizer.decode(ids.tolist()) for ids in written]


class Hinted:
    """The text with index hints from 0 on; see `Spelling` and `index_hints`."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def questions(self, table: pa.Table) -> list[np.ndarray]:
        """Returns the tokens of rows' questions."""
        return self._spelt(table, "question")

    def answers(self, table: pa.Table) -> list[np.ndarray]:
        """Returns the tokens of rows' answers."""
        return self._spelt(table, "answer")

    def _spelt(self, table: pa.Table, column: str) -> list[np.ndarray]:
        texts = table[column].to_pylist()
        return [
            _hinted(self._tokenizer, table, place, texts[place], 0) for place in range(len(texts))
        ]

    def texts(self, table: pa.Table, written: list[np.ndarray]) -> list[str]:
        """Returns the text of what was written in answer to rows."""
        return [_unhinted(self._tokenizer, ids) for ids in written]


class Shifted:
    """The text with index hints from a drawn offset on; see `Spelling` and `index_hints`."""

    def __init__(self, tokenizer: Tokenizer, seed: int) -> None:
        """Sets a spelling up.

        Args:
          tokenizer: of the text.
          seed: of the offsets.
        """
        self._tokenizer, self._seed = tokenizer, seed

    def questions(self, table: pa.Table) -> list[np.ndarray]:
        """Returns the tokens of rows' questions."""
        texts = table["question"].to_pylist()
        found = []
        for place, (task, offset) in enumerate(self._rows(table)):
            text = index_hints.shift_question(task, texts[place], offset)
            found.append(_hinted(self._tokenizer, table, place, text, offset))
        return found

    def answers(self, table: pa.Table) -> list[np.ndarray]:
        """Returns the tokens of rows' answers."""
        texts = table["answer"].to_pylist()
        found = []
        for place, (task, offset) in enumerate(self._rows(table)):
            text = texts[place]
            if index_hints.names_elements(task):
                text = index_hints.shift(text, offset)
            found.append(_hinted(self._tokenizer, table, place, text, offset))
        return found

    def texts(self, table: pa.Table, written: list[np.ndarray]) -> list[str]:
        """Returns the text of what was written in answer to rows."""
        found = []
        for (task, offset), ids in zip(self._rows(table), written, strict=True):
            text = _unhinted(self._tokenizer, ids)
            if index_hints.names_elements(task):
                text = index_hints.shift_back(text, offset)
            found.append(text)
        return found

    def _rows(self, table: pa.Table) -> Iterator[tuple[Task, int]]:
        """Yields the task and the offset of each row."""
        for sample in sample_ids(table):
            yield tasks.get(sample.algorithm), index_hints.draw_offset(sample, self._seed)


def of(config: TransformerConfig, seed: int) -> Spelling:
    """Returns the spelling that a config describes; `seed` is the training run's."""
    tokenizer = tokenizers.get(config.tokenizer, split_digits=config.split_digits)
    match config.index_hints:
        case "none":
            return Plain(tokenizer)
        case "plain":
            return Hinted(tokenizer)
        case "random":
            return Shifted(tokenizer, seed)


def vocab_size(config: TransformerConfig, tokenizer: Tokenizer) -> int:
    """Returns how many tokens there are, index hints included."""
    return tokenizer.vocab_size + (0 if config.index_hints == "none" else index_hints.COUNT)


def _hinted(
    tokenizer: Tokenizer, table: pa.Table, place: int, text: str, offset: int
) -> np.ndarray:
    try:
        return index_hints.insert(tokenizer, text, offset)
    except BadInput as error:
        raise BadInput(
            f"{table['algo_name'][place]} at length {table['length'][place]}: {error}; leave such "
            'lengths out, or train with model.index_hints="none"'
        ) from None


def _unhinted(tokenizer: Tokenizer, ids: np.ndarray) -> str:
    return tokenizer.decode(index_hints.drop(tokenizer, ids).tolist())
