"""Endless streams of fresh samples, for training without a disk."""

import contextlib
import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from clrs_text_bench import engines, recipes, schema
from clrs_text_bench.errors import BadInput, unknown
from clrs_text_bench.one_ahead import one_ahead
from clrs_text_bench.protocols import Engine
from clrs_text_bench.recipes import Cell, Recipe

from . import room
from .mixing import Mix, Places
from .plan import TRAIN, most_steps, row_bytes

_INT64 = 2**63
# Samples are made so many bytes at a time, over several steps: cells are many, and steps small.
_BLOCK_BYTES = 64 << 20


def stream(
    recipe: Recipe | str | os.PathLike,
    batch_size: int,
    start: int = 0,
    *,
    split: str = TRAIN,
    seed: int | None = None,
    shard: tuple[int, int] = (0, 1),
    engine: str | None = None,
) -> Iterator[pa.Table]:
    """Yields batches of fresh samples without end, one for each step from `start` on.

    The batch of step k depends on the recipe, the seed, the batch size and k alone, so a training
    that was cut off at step k goes on with `start=k`. Cells are mixed in every batch, in exact
    proportion to their samples in the recipe. Every sample comes once: the recipe's own samples of
    the split first, in a random order (over so many samples as it has of them), then such with
    indices beyond its count.

    Splits share no random stream, so samples of "train" are drawn independently of every other
    split's. Small inputs can still come up in both by chance: a stream leaves none out, as
    `generate --dedupe` does.

    Args:
      recipe: a recipe, the name of a shipped one, or the path of a `.toml` file.
      batch_size: samples of a step, over all shards; a multiple of the number of shards.
      start: the first step.
      split: which split of the recipe.
      seed: seed of all samples; None takes the recipe's.
      shard: `(i, n)`, for the i-th of n hosts, counted from 0: rows `i * batch_size / n` up to
        `(i + 1) * batch_size / n` of every batch, and no others are made.
      engine: which engine makes the samples; None for the tasks' own.

    Returns:
      An iterator over tables of `batch_size / n` rows in `schema.DATASET`. While a batch is used,
      a thread makes those that follow; closing the iterator ends it.

    Raises:
      BadInput: if an argument is out of range or unknown, if the recipe asks for upstream's
        sequential stream, or if a batch would not fit into memory.

    >>> batches = stream("smoke", 32, start=1000)  # doctest: +SKIP
    >>> next(batches).num_rows  # doctest: +SKIP
    32
    """
    if not isinstance(recipe, Recipe):
        recipe = recipes.load(recipe)
    place, shards = shard
    if batch_size < 1:
        raise BadInput(f"batch size {batch_size} is below 1")
    if start < 0:
        raise BadInput(f"start {start} is below 0")
    if shards < 1 or not 0 <= place < shards:
        raise BadInput(f"shard {shard} is none of (0, n) to (n - 1, n)")
    if batch_size % shards:
        raise BadInput(f"batch size {batch_size} cannot be cut evenly into {shards} shards")
    if seed is not None and not -_INT64 <= seed < _INT64:
        raise BadInput(f"seed {seed} does not fit in 64 bits")
    if recipe.stream == "upstream":
        raise BadInput(
            f"recipe {recipe.name} asks for upstream's stream, which ends nowhere in particular "
            'but cannot be taken up at a step; use stream = "identity"'
        )
    cells = recipe.cells(split)
    if not cells:
        raise unknown(f"split of recipe {recipe.name}", split, {s.name for s in recipe.splits})
    if seed is not None:
        cells = [replace(c, samples=c.count, seeds=(seed,)) for c in cells]
    engine = engine or engines.name_of(cell.algorithm for cell in cells)
    maker = _Maker(recipe, cells, engines.load(engine))
    rows = batch_size // shards
    maker.check_room(rows, engine)
    return _batches(maker, batch_size, rows, place * rows, start)


def _batches(
    maker: "_Maker", batch_size: int, rows: int, first: int, step: int
) -> Iterator[pa.Table]:
    """Yields the rows from `first` on of every step's batch, a block of steps made ahead."""
    steps = maker.steps_at_once(rows)
    within = first + np.arange(rows)

    def blocks(step: int) -> Generator[pa.Table]:
        while True:
            places = (step + np.arange(steps))[:, None] * batch_size + within
            yield maker.make(places.reshape(-1))
            step += steps

    with contextlib.closing(one_ahead(blocks(step), "stream")) as made_ahead:
        for made in made_ahead:
            for number in range(steps):
                yield made.slice(number * rows, rows)


@dataclass(frozen=True)
class _Maker:
    """Makes the samples at any places of a stream."""

    recipe: Recipe
    cells: list[Cell]
    engine: Engine

    def __post_init__(self) -> None:
        names = list(dict.fromkeys(cell.algorithm for cell in self.cells))
        object.__setattr__(self, "_names", pa.array(names))
        object.__setattr__(self, "_name_of", [names.index(c.algorithm) for c in self.cells])
        object.__setattr__(self, "_mix", Mix(self.cells))

    def check_room(self, rows: int, engine: str) -> None:
        """Raises `BadInput` if so many rows would not fit into memory."""
        shares = self._mix.shares / self._mix.shares.sum()
        for cell, share in zip(self.cells, shares, strict=True):
            room.check(
                cell,
                max(1, round(rows * share)),
                use_hints=self.recipe.hints,
                graph_hints=self.recipe.with_graph_hints(),
                engine=engine,
            )

    def steps_at_once(self, rows: int) -> int:
        """Returns how many steps of so many rows are made at a time, by a bound on their bytes."""
        sizes = [
            row_bytes(
                cell.algorithm,
                cell.length,
                self.recipe.hints,
                self.recipe.with_graph_hints(),
                most_steps(cell.algorithm, cell.length),
            )
            for cell in self.cells
        ]
        mean = int(np.average(sizes, weights=self._mix.shares))
        return max(1, min(self.engine.batch, _BLOCK_BYTES // mean) // rows)

    def make(self, places: np.ndarray) -> pa.Table:
        """Returns the samples at places, in their order."""
        found = self._mix.at(places)
        order = np.lexsort((found.index, found.seed, found.cell))
        groups = np.split(order, np.flatnonzero(_differs(found, order)) + 1)
        tables = [self._group(found, group) for group in groups]
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        table = pa.concat_tables(tables).combine_chunks().take(pa.array(back))
        # One dictionary for all batches, whatever came up in them.
        numbers = pa.array(np.array(self._name_of, np.int32)[found.cell])
        name = pa.DictionaryArray.from_arrays(numbers, self._names)
        return table.append_column("algo_name", name).select(schema.DATASET.names)

    def _group(self, found: Places, group: np.ndarray) -> pa.Table:
        """Makes samples of one cell and seed, all columns but the algorithm's name."""
        cell = self.cells[found.cell[group[0]]]
        return self.engine.generate(
            cell.algorithm,
            cell.length,
            seed=int(found.seed[group[0]]),
            split=cell.split,
            indices=found.index[group],
            use_hints=self.recipe.hints,
            graph_hints=self.recipe.with_graph_hints(),
        ).drop_columns(["algo_name"])


def _differs(found: Places, order: np.ndarray) -> np.ndarray:
    """Returns where a place's cell or seed is not its successor's."""
    cell, seed = found.cell[order], found.seed[order]
    return (cell[1:] != cell[:-1]) | (seed[1:] != seed[:-1])
