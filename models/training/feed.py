"""What each step is trained on: batches of one shape, cut from blocks of rows.

A block is so many batches' worth of rows, in the source's order. Its rows are grouped by shape and
cut into batches, a shape's last one filled up with its first rows, and the batches are shuffled. A
row is so as likely as any other, however long it is, and no row is padded beyond its shape.

Where the feed stands is the number of a block and a place within it: a few numbers, that a
checkpoint keeps. A thread makes batches ahead; where a device computes, processes read rows for it,
and a second thread makes the next block ready.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import grain
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clrs_text_bench.errors import BadInput
from clrs_text_bench.one_ahead import one_ahead
from clrs_text_bench.workers import Pool

from .trainable import Batch, Examples, Trainable

_AHEAD = 4

Blocks = Callable[[int, int, tuple[str, ...]], Iterator[pa.Table]]
"""From rows a block, the first block's number and columns of `schema.DATASET` to blocks of rows."""


@dataclass(frozen=True, slots=True)
class Share:
    """Which of a batch's rows a process reads: the i-th of n equal parts."""

    place: int = 0
    parts: int = 1


@dataclass(frozen=True, slots=True)
class Fed:
    """What one step is trained on.

    Attributes:
      batch: arrays whose first axis is this process's share of the batch.
      tokens: number of tokens of the whole batch, without padding.
    """

    batch: Batch
    tokens: int


class Feed(grain.IterDataset):
    """Endless batches; iterate over `ahead()`.

    Args:
      blocks: where rows come from.
      trainable: makes rows ready.
      held_out: rows that are validated on. No row with the same question is trained on.
      batch_size: rows of a batch, over all processes.
      seed: of the order of batches.
      share: which rows of each batch are wanted.
      readers: number of processes that read rows, a block each, while the next block is made
        ready; 0 to do all in the thread.
    """

    def __init__(
        self,
        blocks: Blocks,
        trainable: Trainable,
        held_out: pa.Table,
        batch_size: int,
        seed: int,
        share: Share = Share(),
        readers: int = 0,
    ) -> None:
        super().__init__()
        self._blocks = blocks
        self._trainable = trainable
        self._questions = held_out["question"].combine_chunks()
        self._batch_size = batch_size
        self._seed = seed
        self._share = share
        self._readers = readers
        self._announce: Callable[[Batch], None] | None = None
        self._announced: set = set()

    def ahead(self, announce: Callable[[Batch], None] | None = None) -> grain.DatasetIterator:
        """Returns an iterator over `Fed` that a thread keeps ahead of; it is to be closed.

        Args:
          announce: is given a batch of each new shape when the block is read that has it, in the
            order in which they come.
        """
        self._announce = announce
        return iter(grain.experimental.ThreadPrefetchIterDataset(self, prefetch_buffer_size=_AHEAD))

    def __iter__(self) -> "_Iterator":
        return _Iterator(self)

    def open(self, block: int) -> Generator[Examples]:
        """Yields blocks of encoded rows, those that are held out left out.

        Raises:
          BadInput: if a block has no other rows.
          RunFailed: if a reader dies.
        """
        reader, asked = self._trainable.reader, deque()
        if reader is None:
            yield from map(self._trainable.encode, self._tables(block))
            return

        def calls() -> Iterator[tuple[Callable, tuple]]:
            for table in self._tables(block):
                asked.append(table)
                yield reader, (table,)

        def ready() -> Generator[Examples]:
            with Pool(self._readers) as pool:
                for read in pool.stream(calls(), "rows to train on ready"):
                    yield self._trainable.ready(asked.popleft(), read)

        yield from one_ahead(ready(), "ready") if self._readers else ready()

    def _tables(self, block: int) -> Iterator[pa.Table]:
        """Yields blocks of rows, those that are held out left out."""
        rows, columns = self._trainable.block * self._batch_size, self._trainable.columns
        for table in self._blocks(rows, block, columns):
            kept = table.filter(pc.invert(pc.is_in(table["question"], self._questions)))
            if not kept.num_rows:
                raise BadInput(
                    "no row is left to train on: all have questions that are held out for "
                    "validation; lower validation.samples or validation.fraction"
                )
            yield kept

    def cut(self, examples: Examples, block: int) -> list[np.ndarray]:
        """Returns the rows of a block's batches, `[batch_size]` each."""
        grouped: dict = {}
        for row, shape in enumerate(examples.shapes):
            grouped.setdefault(shape, []).append(row)
        seeds = np.random.SeedSequence(self._seed, spawn_key=(block,))
        generator = np.random.Generator(np.random.Philox(seeds))
        # In the order of the shapes, so that neither process nor hash seed matters.
        batches = [
            np.take(grouped[shape], range(start, start + self._batch_size), mode="wrap")
            for shape in sorted(grouped)
            for start in range(0, len(grouped[shape]), self._batch_size)
        ]
        return [batches[i] for i in generator.permutation(len(batches))]

    def announce(self, examples: Examples, batches: list[np.ndarray]) -> None:
        """Gives a batch of each new shape of a block to whom `ahead` was told of."""
        if self._announce is None:
            return
        for rows in batches:
            if (shape := examples.shapes[rows[0]]) not in self._announced:
                self._announced.add(shape)
                self._announce(self.fed(examples, rows, 0).batch)

    def fed(self, examples: Examples, rows: np.ndarray, visit: int) -> Fed:
        """Returns a batch, this process's share of it."""
        size = self._batch_size // self._share.parts
        mine = rows[self._share.place * size :][:size]
        return Fed(examples.batch(mine, visit), examples.tokens(rows))


class _Iterator(grain.DatasetIterator):
    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self._feed = feed
        self._blocks: Generator[Examples] | None = None
        self.set_state({"block": 0, "batch": 0, "visit": 0})

    def get_state(self) -> dict[str, int]:
        """Returns where the feed stands, before the next batch."""
        return {"block": self._block, "batch": self._batch, "visit": self._visit}

    def set_state(self, state: dict[str, int]) -> None:
        """Goes to where a feed stood."""
        self._close_blocks()
        self._block, self._batch = state["block"], state["batch"]
        self._visit = state["visit"]

    def close(self) -> None:
        """Ends the readers."""
        super().close()
        self._close_blocks()

    def _close_blocks(self) -> None:
        if self._blocks is not None:
            self._blocks.close()
            self._blocks = None

    def __next__(self) -> Fed:
        if self._blocks is None:
            self._blocks = self._feed.open(self._block)
            self._read()
        if self._batch == len(self._batches):
            self._block, self._batch = self._block + 1, 0
            self._read()
        rows = self._batches[self._batch]
        self._batch += 1
        self._visit += 1
        return self._feed.fed(self._examples, rows, self._visit)

    def _read(self) -> None:
        self._examples = next(self._blocks)
        self._batches = self._feed.cut(self._examples, self._block)
        self._feed.announce(self._examples, self._batches)
