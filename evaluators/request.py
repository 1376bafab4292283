"""What is evaluated: a model, some cells of a data set, and how answers are scored."""

import dataclasses
import json
from dataclasses import dataclass
from functools import cached_property

from clrs_text_bench.datasets import Cell, Dataset
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import Extraction, ModelInfo

from . import leaderboard


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
