"""Fresh rows of a recipe, made while a run trains: no disk, and no row twice."""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from clrs_text_bench import engines, registry
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import Model
from clrs_text_bench.recipes import Cell, Recipe

from .config import Validation
from .corpus import TRAIN, VALIDATION

_STREAM = "fresh"


class Fresh:
    """The endless stream of a recipe's train split, with samples of the run's own seed.

    Held out are the first samples of the recipe's split "validation" or, where it has none, of a
    split of that name with the cells that are trained on. See `source.Source`.
    """

    def __init__(self, recipe: Recipe, name: str, config: Validation, *, seed: int) -> None:
        """Sets a stream up; nothing is made yet.

        Args:
          recipe: what to draw.
          name: what the user calls it: a shipped name, or the path of a file.
          config: how many samples are held out.
          seed: of the samples trained on.

        Raises:
          BadInput: if the recipe has no split "train".
        """
        cells = recipe.cells(TRAIN)
        if not cells:
            raise BadInput(f"recipe {name} has no split {TRAIN!r} to train on")
        self._recipe = recipe
        self._engine_name = engines.name_of(cell.algorithm for cell in recipe.cells())
        self._engine = engines.load(self._engine_name)
        self._config = config
        self._seed = seed
        self.name = name
        self.hash = self._hash()
        self.use_hints = recipe.hints
        self.algorithms = tuple(dict.fromkeys(cell.algorithm for cell in cells))
        self.lengths = tuple(sorted({cell.length for cell in cells}))

    def _hash(self) -> str:
        """Hashes all that the rows follow from, but for the seed."""
        fields = (self._recipe.model_dump_json(), self._engine_name, self._engine.version)
        return hashlib.sha256(repr(fields).encode()).hexdigest()

    def show_to(self, model: Model) -> None:
        """Shows nothing: there is no data set."""

    def blocks(self, rows: int, start: int, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yields blocks of so many rows with these columns from the stream."""
        stream = registry.load("streams", _STREAM)
        recipe = self._recipe
        if "graph_hints" in columns:
            recipe = recipe.model_copy(update={"graph_hints": True})
        for table in stream(recipe, rows, start, split=TRAIN, seed=self._seed):
            yield table.select(columns)

    def held_out(self) -> pa.Table:
        """Returns the rows to validate on."""
        cells = self._recipe.cells(VALIDATION) or self._recipe.cells(TRAIN)
        return pa.concat_tables([self._first(cell) for cell in cells]).unify_dictionaries()

    def _first(self, cell: Cell) -> pa.Table:
        return self._engine.generate(
            cell.algorithm,
            cell.length,
            seed=cell.seeds[0],
            split=VALIDATION,
            indices=np.arange(self._config.samples),
            use_hints=self._recipe.hints,
            graph_hints=False,
        )
