"""Train and held-out rows of a data set. The test split is never read."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from clrs_text_bench import identity, schema
from clrs_text_bench.datasets import Cell, Dataset
from clrs_text_bench.errors import BadInput

from ..rows import sample_ids
from .config import Validation

TRAIN = "train"
VALIDATION = "validation"

_PURPOSE = "held out"
_KEY_VALUES = 2**128


class Corpus:
    """The rows that a run trains on, and those that it is validated on.

    Held out is the split "validation" or, where a data set has none, a share of the train rows
    chosen by their identity alone.
    """

    def __init__(self, dataset: Dataset, config: Validation) -> None:
        """Opens the rows of a data set; raises `BadInput` if it has no train split."""
        if TRAIN not in dataset.splits():
            raise BadInput(
                f"data set {dataset.url} has no split {TRAIN!r} to train on; it has "
                f"{', '.join(dataset.splits())}"
            )
        self._dataset = dataset
        self._config = config
        self._carves = VALIDATION not in dataset.splits()

    @property
    def n_rows(self) -> int:
        """Number of rows of the train split, held out or not."""
        return sum(cell.count for cell in self._dataset.cells(TRAIN))

    def train(self) -> Iterator[tuple[Cell, pa.Table]]:
        """Yields every cell of the train split with its rows to train on."""
        for cell in self._dataset.cells(TRAIN):
            table = self._dataset.read(cell)
            yield cell, table.filter(pa.array(~self._held_out(table))) if self._carves else table

    def held_out(self) -> pa.Table:
        """Returns the first held-out rows of every cell; raises `BadInput` if there are none."""
        tables = [self._first_held_out(cell) for cell in self._dataset.cells(self._split)]
        table = pa.concat_tables(tables or [schema.DATASET.empty_table()])
        if not table.num_rows:
            raise BadInput(
                f"no row of {self._dataset.url} is held out for validation; make more samples or "
                f"raise validation.fraction above {self._config.fraction}"
            )
        return table

    @property
    def _split(self) -> str:
        return TRAIN if self._carves else VALIDATION

    def _first_held_out(self, cell: Cell) -> pa.Table:
        if not self._carves:
            return self._dataset.read(cell, limit=self._config.samples)
        table = self._dataset.read(cell)
        return table.filter(pa.array(self._held_out(table))).slice(0, self._config.samples)

    def _held_out(self, table: pa.Table) -> np.ndarray:
        limit = int(self._config.fraction * _KEY_VALUES)
        keys = (identity.stream_key(s, _PURPOSE) for s in sample_ids(table))
        return np.fromiter((key < limit for key in keys), bool, table.num_rows)
