"""Train and held-out rows of a data set. The test split is never read."""

import itertools
from collections.abc import Iterator, Sequence

import grain
import numpy as np
import pyarrow as pa

from clrs_text_bench import identity, progress, schema
from clrs_text_bench.datasets import Cell, Dataset
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import Model

from ..rows import sample_ids
from .config import Validation

TRAIN = "train"
VALIDATION = "validation"

_PURPOSE = "held out"
_KEY_VALUES = 2**128


class Corpus:
    """The rows of a data set that a run trains on, and those that it is validated on.

    Held out is the split "validation" or, where a data set has none, a share of the train rows
    chosen by their identity alone. See `source.Source`.
    """

    def __init__(self, dataset: Dataset, config: Validation, *, seed: int, show: bool) -> None:
        """Opens the rows of a data set.

        Args:
          dataset: the data set.
          config: what is held out.
          seed: of the order of the rows.
          show: whether to show progress in reading them.

        Raises:
          BadInput: if it has no train split.
        """
        if TRAIN not in dataset.splits():
            raise BadInput(
                f"data set {dataset.url} has no split {TRAIN!r} to train on; it has "
                f"{', '.join(dataset.splits())}"
            )
        self.name = dataset.url
        self.hash = dataset.hash
        self.use_hints = dataset.manifest.use_hints
        self.algorithms = tuple(dataset.algorithms(TRAIN))
        self.lengths = tuple(dataset.lengths(TRAIN))
        self._dataset = dataset
        self._config = config
        self._seed = seed
        self._show = show
        self._carves = VALIDATION not in dataset.splits()

    def show_to(self, model: Model) -> None:
        """See `source.Source`."""
        model.prepare(self._dataset)

    def blocks(self, rows: int, start: int, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yields blocks of so many rows with these columns, epoch after epoch, reshuffled.

        Raises:
          BadInput: if no row is left to train on.
        """
        table = self._train_table(columns)
        # Grain shuffles by a permutation that is computed, not kept.
        order = grain.MapDataset.range(table.num_rows).seed(self._seed).shuffle().repeat()
        for block in itertools.count(start):
            places = [order[place] for place in range(block * rows, (block + 1) * rows)]
            yield table.take(pa.array(places, pa.int64()))

    def _train_table(self, columns: Sequence[str]) -> pa.Table:
        """Reads all rows to train on."""
        tables = []
        total = sum(cell.count for cell in self._dataset.cells(TRAIN))
        with progress.bar("rows", show=self._show) as bar:
            task = bar.add_task("reading", total=total)
            for cell, table in self.train([*dict.fromkeys([*schema.IDENTITY, *columns])]):
                tables.append(table.select(columns))
                bar.advance(task, cell.count)
        table = pa.concat_tables(tables)
        if not table.num_rows:
            raise BadInput("no row is left to train on; lower validation.fraction")
        return table.unify_dictionaries()

    def train(self, columns: list[str] | None = None) -> Iterator[tuple[Cell, pa.Table]]:
        """Yields every cell of the train split with its rows to train on.

        Args:
          columns: which to read, the identity's among them; None for all.
        """
        for cell in self._dataset.cells(TRAIN):
            table = self._dataset.read(cell, columns)
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
