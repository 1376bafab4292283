"""What is evaluated: a model, some cells of a data set, and how answers are scored."""

import dataclasses
import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from clrs_text_bench import lengths as lengths_
from clrs_text_bench import tasks
from clrs_text_bench.datasets import Cell, Dataset
from clrs_text_bench.errors import BadInput, unknown
from clrs_text_bench.protocols import Extraction, ModelInfo

from . import leaderboard

DEFAULT_SPLIT = "test"


@dataclass(frozen=True)
class Request:
    """One evaluation.

    Attributes:
      spec: how the model was named.
      info: who answers.
      dataset: what is asked.
      cells: which of its cells, all of one split.
      limit: so many answers of each cell, the first; None for all.
      evaluator: name of the evaluator.
      extraction: how an answer is found in a completion.
    """

    spec: str
    info: ModelInfo
    dataset: Dataset
    cells: tuple[Cell, ...]
    limit: int | None
    evaluator: str
    extraction: Extraction

    @property
    def split(self) -> str:
        """The split that the cells are of."""
        return self.cells[0].split

    @cached_property
    def model(self) -> dict:
        """The model's info as JSON reads it back; raises `BadInput` if it does not fit JSON."""
        try:
            return json.loads(json.dumps(dataclasses.asdict(self.info)))
        except (TypeError, ValueError) as error:
            raise BadInput(
                f"model {self.info.name!r} ({self.spec}) describes itself in values that JSON "
                f"cannot hold: {error}"
            ) from error

    @cached_property
    def run(self) -> str:
        """The run's id: the same for the same rows, from one process to the next."""
        return leaderboard.run_id(
            self.info.name,
            {
                "model": self.model,
                "dataset": self.dataset.hash,
                "cells": [dataclasses.astuple(c) for c in self.cells],
                "limit": self.limit,
                "evaluator": self.evaluator,
                "extraction": self.extraction,
            },
        )

    def count(self, cell: Cell) -> int:
        """Returns how many answers of a cell are wanted."""
        return cell.count if self.limit is None else min(cell.count, self.limit)


def choose_cells(
    dataset: Dataset,
    split: str | None,
    algorithms: Collection[str],
    lengths: Collection[int],
) -> tuple[Cell, ...]:
    """Returns the wanted cells of a data set.

    Args:
      dataset: where they are.
      split: None for "test" if there is one, else for the only one.
      algorithms: names; empty for all.
      lengths: empty for all.

    Raises:
      BadInput: if there is no such split, algorithm or length, or none of them together.
    """
    split = choose_split(dataset, split)
    for name in algorithms:
        if tasks.get(name).name not in dataset.algorithms(split):
            raise unknown(
                f"algorithm of split {split} of {dataset.url}", name, dataset.algorithms(split)
            )
    known = dataset.lengths(split)
    for length in lengths:
        if length not in known:
            raise BadInput(
                f"split {split} of {dataset.url} has no length {length}; it has "
                f"{lengths_.show(known)}"
            )
    cells = dataset.cells(split, algorithms or None, lengths or None)
    if not cells:
        raise BadInput(
            f"split {split} of {dataset.url} has no samples of {', '.join(algorithms)} at "
            f"{lengths_.show(list(lengths))}"
        )
    return tuple(cells)


def choose_split(dataset: Dataset, split: str | None) -> str:
    """Returns the split that is meant: None is "test" if there is one, else the only one.

    Raises:
      BadInput: if there is no such split, or several to choose from.
    """
    known = dataset.splits()
    if split is not None:
        if split not in known:
            raise unknown(f"split of {dataset.url}", split, known)
        return split
    if DEFAULT_SPLIT in known:
        return DEFAULT_SPLIT
    if len(known) == 1:
        return known[0]
    raise BadInput(f"{dataset.url} has splits {', '.join(known)}; choose one with --split")
