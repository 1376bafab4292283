"""Rows as examples for training, each of one of a few shapes."""

import itertools
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from clrs_text_bench import identity
from clrs_text_bench.identity import SampleId

from ..rows import sample_ids
from ..training.buckets import size_for
from . import graphs
from .config import NarConfig
from .graphs import Row
from .layout import Layout

NOISE = "noise"

# A program is compiled for each of these numbers of steps; a batch makes no more than it needs.
_FEWEST, _FACTOR = 16, 4

_POSITION = "pos"


class Shape(NamedTuple):
    """What rows of one batch have in common.

    Attributes:
      N: nodes that they are padded to.
      T: steps that there is room for.
      algorithm: place in the layout. As upstream's, a batch is of one algorithm: all its rows share
        the weights of encoders and decoders, and what the algorithm has no probe for is not
        computed. The program is the same for all. None if a batch mixes them.
    """

    N: int
    T: int
    algorithm: int | None


def room_for(steps: int) -> int:
    """Returns the number of steps that a program is compiled for, to make so many."""
    room = _FEWEST
    while room < steps:
        room *= _FACTOR
    return room


class Graphs:
    """Examples for the training of a reasoner (see `training.trainable.Examples`)."""

    def __init__(self, table: pa.Table, config: NarConfig, layout: Layout, *, seed: int) -> None:
        """Reads rows.

        Args:
          table: rows in `schema.DATASET`.
          config: of the model.
          layout: of its probes.
          seed: of positions and noise.

        Raises:
          BadInput: if a row is of another algorithm, or lacks a graph or its trace.
        """
        self._layout, self._config, self._seed = layout, config, seed
        rows, samples = graphs.rows(table, layout), sample_ids(table)
        # Rows of about as many steps stand together, so that few of a batch wait for others.
        order = sorted(range(len(rows)), key=lambda i: rows[i].steps)
        self._rows, self._samples = [rows[i] for i in order], [samples[i] for i in order]
        self.shapes = [self._shape(row) for row in self._rows]

    def _shape(self, row: Row) -> Shape:
        steps = min(row.steps, self._config.max_steps)
        algorithm = None if self._config.mixed_batches else row.algorithm
        return Shape(size_for(row.n), room_for(steps), algorithm)

    def tokens(self, rows: np.ndarray) -> int:
        """Returns how many nodes are processed, over all steps."""
        return sum(self._rows[i].n * max(1, self._rows[i].steps) for i in rows)

    def batch(self, rows: np.ndarray, visit: int) -> dict[str, np.ndarray]:
        """Returns rows of one shape as arrays.

        Args:
          rows: places of the rows.
          visit: positions and noise are drawn anew for each.

        Returns:
          See `graphs.stack`; besides NOISE, uint32 `[B, 2]`.
        """
        shape = self.shapes[rows[0]]
        generators = [self._generator(self._samples[i], visit) for i in rows]
        found = [_moved(self._rows[i], g) for i, g in zip(rows, generators, strict=True)]
        batch = graphs.stack(found, self._layout, shape.N, shape.T, shape.T + 1)
        batch[NOISE] = np.stack([g.integers(2**32, size=2, dtype=np.uint32) for g in generators])
        return batch

    def _generator(self, sample: SampleId, visit: int) -> np.random.Generator:
        key = identity.stream_key(sample, f"graph/{self._seed}/{visit}")
        return np.random.Generator(np.random.Philox(key=key))


def _moved(row: Row, generator: np.random.Generator) -> Row:
    """Returns a row with random positions, ascending.

    So that what is learnt depends on their order alone. A list of two parts has two such orders.
    Source: `process_random_pos` in `clrs._src.samplers`.
    """
    old = row.probes["input"][_POSITION]
    drawn = generator.uniform(size=len(old)).astype(np.float32)
    starts = np.append(np.flatnonzero(old == 0), len(old))
    for start, stop in itertools.pairwise(starts.tolist()):
        drawn[start:stop].sort()
    inputs = {**row.probes["input"], _POSITION: drawn}
    return row._replace(probes={**row.probes, "input": inputs})
