"""Rows as token sequences, in buckets of one shape each.

Legend: B examples of a batch, T tokens of the bucket, A predicted tokens of the bucket.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from clrs_text_bench import tokenizers
from clrs_text_bench.errors import BadInput

from ..rows import sample_ids
from ..training.buckets import size_for
from . import positions
from .config import TransformerConfig


@dataclass(frozen=True, slots=True)
class _Row:
    """One row: its tokens (question and answer), how many are the question's, its stream."""

    tokens: np.ndarray
    prompt: int
    key: np.ndarray | None


@dataclass(frozen=True, slots=True)
class _Bucket:
    """Rows of one shape: T tokens are read, A of their successors are learnt."""

    rows: list[_Row]
    T: int
    A: int


class Sequences:
    """Examples for the training of a Transformer (see `training.trainable.Examples`).

    A row of n tokens is read up to its last but one. On the answer alone, the loss is of the
    tokens after the prompt, the end of the answer included.
    """

    def __init__(
        self, tables: Iterable[pa.Table], config: TransformerConfig, *, seed: int, loss: str
    ) -> None:
        """Encodes rows.

        Args:
          tables: rows in `schema.DATASET`.
          config: of the model.
          seed: of randomised positions.
          loss: "answer" or "sequence".

        Raises:
          BadInput: if a row does not fit the model's context or its longest answer.
        """
        self._config = config
        self._seed = seed
        self._on_prompt = loss == "sequence"
        self._tokenizer = tokenizers.get(config.tokenizer)
        grouped: dict[int, list[_Row]] = {}
        for table in tables:
            for row in self._encode(table):
                grouped.setdefault(size_for(len(row.tokens) - 1), []).append(row)
        self._buckets = [
            _Bucket(rows, size, size_for(max(len(self._learnt(r)) for r in rows)))
            for size, rows in sorted(grouped.items())
        ]
        self.buckets = [np.arange(len(b.rows)) for b in self._buckets]

    def _encode(self, table: pa.Table) -> Iterable[_Row]:
        keys = [None] * table.num_rows
        if self._config.positions.kind == "randomised":
            keys = positions.stream_keys(sample_ids(table), self._seed)
        columns = (table[name].to_pylist() for name in ("question", "answer"))
        for place, (question, answer) in enumerate(zip(*columns, strict=True)):
            prompt, rest = self._tokenizer.encode(question), self._tokenizer.encode(answer)
            if not rest.size or rest[-1] != self._tokenizer.end_id:
                rest = np.append(rest, self._tokenizer.end_id)
            self._check(table, place, len(prompt), len(rest))
            tokens = np.concatenate([prompt, rest]).astype(np.uint16)
            yield _Row(tokens, len(prompt), keys[place])

    def _check(self, table: pa.Table, place: int, prompt: int, answer: int) -> None:
        config = self._config
        which = f"{table['algo_name'][place]} at length {table['length'][place]}"
        if answer > config.max_answer:
            raise BadInput(
                f"an answer of {which} has {answer} tokens, more than model.max_answer "
                f"{config.max_answer}"
            )
        if prompt + answer > config.context:
            raise BadInput(
                f"a sample of {which} has {prompt + answer} tokens, more than model.context "
                f"{config.context}"
            )

    def _learnt(self, row: _Row) -> range:
        """Returns the places that the tokens to be learnt are predicted at."""
        return range(0 if self._on_prompt else row.prompt - 1, len(row.tokens) - 1)

    def tokens(self, bucket: int, rows: np.ndarray) -> int:
        """Returns how many tokens the rows have, without padding."""
        return sum(len(self._buckets[bucket].rows[i].tokens) for i in rows)

    def batch(self, bucket: int, rows: np.ndarray, step: int) -> dict[str, np.ndarray]:
        """Returns rows of a bucket as arrays.

        Returns:
          tokens and positions, int32 `[B, T]`; places, int32 `[B, A]`, where in T a token is
          predicted; targets, int32 `[B, A]`; weights, float32 `[B, A]`, 0 where there is none.
        """
        chosen = self._buckets[bucket]
        B, T, A = len(rows), chosen.T, chosen.A
        batch = {
            "tokens": np.full((B, T), self._tokenizer.pad_id, np.int32),
            "positions": np.tile(np.arange(T, dtype=np.int32), (B, 1)),
            "places": np.zeros((B, A), np.int32),
            "targets": np.zeros((B, A), np.int32),
            "weights": np.zeros((B, A), np.float32),
        }
        for b, i in enumerate(rows):
            row = chosen.rows[i]
            learnt = self._learnt(row)
            batch["tokens"][b, : len(row.tokens) - 1] = row.tokens[:-1]
            batch["places"][b, : len(learnt)] = learnt
            batch["targets"][b, : len(learnt)] = row.tokens[learnt.start + 1 :]
            batch["weights"][b, : len(learnt)] = 1
            if row.key is not None:
                drawn = self._draw(row, visit=1 + step)[: len(row.tokens) - 1]
                batch["positions"][b, : len(drawn)] = drawn
        return batch

    def _draw(self, row: _Row, visit: int) -> np.ndarray:
        room = answer_room(self._config, row.prompt)
        return positions.draw(row.key, visit, row.prompt + room, self._config.positions.range)


def answer_room(config: TransformerConfig, prompt: int) -> int:
    """Returns how many tokens an answer to a prompt of so many may have; 0 if there is no room."""
    return max(0, min(config.max_answer, config.context - prompt))
