"""Rows as token sequences, each of one of a few shapes.

Legend: B examples of a batch, T tokens of the shape, A predicted tokens of the shape.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from clrs_text_bench import tokenizers
from clrs_text_bench.errors import BadInput
from clrs_text_bench.tokenizers import Tokenizer

from ..rows import sample_ids
from ..training.buckets import size_for
from . import positions, spelling
from .config import TransformerConfig


class Shape(NamedTuple):
    """T tokens are read, A of their successors are learnt."""

    T: int
    A: int


class Sequences:
    """Examples for the training of a Transformer (see `training.trainable.Examples`).

    A row of n tokens is read up to its last but one. On the answer alone, the loss is of the
    tokens after the prompt, the end of the answer included.
    """

    def __init__(self, table: pa.Table, config: TransformerConfig, *, seed: int, loss: str) -> None:
        """Encodes rows.

        Args:
          table: rows in `schema.DATASET`.
          config: of the model.
          seed: of randomised positions and of the offsets of index hints.
          loss: "answer" or "sequence".

        Raises:
          BadInput: if a row does not fit the model's context or its longest answer, or has more
            elements than there are index hints.
        """
        self._config = config
        self._on_prompt = loss == "sequence"
        self._tokenizer = tokenizers.get(config.tokenizer, split_digits=config.split_digits)
        self._keys = None
        if config.positions.kind == "randomised":
            self._keys = positions.stream_keys(sample_ids(table), seed)
        self._tokens: list[np.ndarray] = []
        self._prompts: list[int] = []
        spelt = spelling.of(config, seed)
        pairs = zip(spelt.questions(table), spelt.answers(table), strict=True)
        for place, (prompt, rest) in enumerate(pairs):
            rest = _ended(rest, self._tokenizer)
            self._check(table, place, len(prompt), len(rest))
            self._tokens.append(np.concatenate([prompt, rest]))
            self._prompts.append(len(prompt))
        self.shapes = [self._shape(row) for row in range(table.num_rows)]

    def _shape(self, row: int) -> Shape:
        T = size_for(len(self._tokens[row]) - 1)
        # In powers of two, and hardly fewer than a quarter: few programs are compiled.
        learnt = max(len(self._learnt(row)), T // 8 + 1)
        return Shape(T, min(T, 1 << (learnt - 1).bit_length()))

    def _check(self, table: pa.Table, place: int, prompt: int, answer: int) -> None:
        config = self._config
        which = f"{table['algo_name'][place]} at length {table['length'][place]}"
        counted = "tokens" if config.index_hints == "none" else "tokens with its index hints"
        if answer > config.max_answer:
            raise BadInput(
                f"an answer of {which} has {answer} {counted}, more than model.max_answer "
                f"{config.max_answer}"
            )
        if prompt + answer > config.context:
            raise BadInput(
                f"a sample of {which} has {prompt + answer} {counted}, more than model.context "
                f"{config.context}"
            )

    def _learnt(self, row: int) -> range:
        """Returns the places that the tokens to be learnt are predicted at."""
        return range(0 if self._on_prompt else self._prompts[row] - 1, len(self._tokens[row]) - 1)

    def tokens(self, rows: np.ndarray) -> int:
        """Returns how many tokens rows have, without padding."""
        return sum(len(self._tokens[row]) for row in rows)

    def batch(self, rows: np.ndarray, visit: int) -> dict[str, np.ndarray]:
        """Returns rows of one shape as arrays.

        Returns:
          tokens and positions, int32 `[B, T]`; places, int32 `[B, A]`, where in T a token is
          predicted; targets, int32 `[B, A]`; weights, float32 `[B, A]`, 0 where there is none.
        """
        B, (T, A) = len(rows), self.shapes[rows[0]]
        batch = {
            "tokens": np.full((B, T), self._tokenizer.pad_id, np.int32),
            "positions": np.tile(np.arange(T, dtype=np.int32), (B, 1)),
            "places": np.zeros((B, A), np.int32),
            "targets": np.zeros((B, A), np.int32),
            "weights": np.zeros((B, A), np.float32),
        }
        for b, row in enumerate(rows):
            tokens, learnt = self._tokens[row], self._learnt(row)
            batch["tokens"][b, : len(tokens) - 1] = tokens[:-1]
            batch["places"][b, : len(learnt)] = learnt
            batch["targets"][b, : len(learnt)] = tokens[learnt.start + 1 :]
            batch["weights"][b, : len(learnt)] = 1
            if self._keys is not None:
                drawn = self._draw(row, visit)[: len(tokens) - 1]
                batch["positions"][b, : len(drawn)] = drawn
        return batch

    def _draw(self, row: int, visit: int) -> np.ndarray:
        room = answer_room(self._config, self._prompts[row])
        limit = self._config.positions.range
        return positions.draw(self._keys[row], visit, self._prompts[row] + room, limit)


def answer_room(config: TransformerConfig, prompt: int) -> int:
    """Returns how many tokens an answer to a prompt of so many may have; 0 if there is no room."""
    return max(0, min(config.max_answer, config.context - prompt))


def fitting(table: pa.Table, config: TransformerConfig, *, seed: int) -> list[bool]:
    """Returns which rows have an answer that can be spelt and fits where its question does.

    Args:
      table: rows in `schema.DATASET`, whose answers may be any text.
      config: of the model.
      seed: of the offsets of index hints.

    Raises:
      BadInput: if a question cannot be spelt.
    """
    spelt = spelling.of(config, seed)
    tokenizer = tokenizers.get(config.tokenizer, split_digits=config.split_digits)
    found = []
    for place, prompt in enumerate(spelt.questions(table)):
        try:
            (rest,) = spelt.answers(table.slice(place, 1))
        except BadInput:
            found.append(False)
            continue
        # A question that leaves no room at all is not its answer's fault.
        room = answer_room(config, len(prompt))
        found.append(not room or len(_ended(rest, tokenizer)) <= room)
    return found


def _ended(answer: np.ndarray, tokenizer: Tokenizer) -> np.ndarray:
    """Returns an answer's tokens with their end."""
    if answer.size and answer[-1] == tokenizer.end_id:
        return answer
    return np.append(answer, tokenizer.end_id)
