"""Which examples each step takes: a pure function of the seed and the step."""

from collections.abc import Sequence

import numpy as np


class Plan:
    """Batches of examples of one bucket each, in epochs that visit every example.

    An epoch shuffles the examples of every bucket, cuts them into batches, and shuffles the
    batches of all buckets; a bucket's last batch is filled up with its epoch's first examples.
    So every example is as likely as any other, however long it is.
    """

    def __init__(self, buckets: Sequence[int], batch_size: int, seed: int) -> None:
        """Plans over buckets of so many examples each.

        Args:
          buckets: number of examples of each bucket, none of them 0.
          batch_size: examples of a batch.
          seed: of all shuffling.
        """
        self._sizes = list(buckets)
        self._batch_size = batch_size
        self._seed = seed
        self._batches = [-(-size // batch_size) for size in self._sizes]
        self._epoch = -1
        self._order = np.zeros((0, 2), np.int64)

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches that visit every example."""
        return sum(self._batches)

    def batch(self, step: int) -> tuple[int, np.ndarray]:
        """Returns the bucket of a step and its examples' places within it, `[batch_size]`."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._shuffle(epoch)
        bucket, batch = self._order[place]
        start = batch * self._batch_size
        rows = self._rows[bucket]
        return int(bucket), np.take(rows, range(start, start + self._batch_size), mode="wrap")

    def _shuffle(self, epoch: int) -> None:
        self._rows = [
            self._generator(epoch, 1 + bucket).permutation(size)
            for bucket, size in enumerate(self._sizes)
        ]
        pairs = [(b, i) for b, count in enumerate(self._batches) for i in range(count)]
        self._order = self._generator(epoch, 0).permutation(np.array(pairs, np.int64))
        self._epoch = epoch

    def _generator(self, epoch: int, stream: int) -> np.random.Generator:
        seeds = np.random.SeedSequence(self._seed, spawn_key=(epoch, stream))
        return np.random.Generator(np.random.Philox(seeds))
