"""Answered training questions, drawn for each sample by its identity."""

import numpy as np

from clrs_text_bench.datasets import Dataset
from clrs_text_bench.errors import BadInput
from clrs_text_bench.identity import SampleId, stream_key

from .prompt import Shot

_TRAIN = "train"

# So many rows of each length are drawn from, the first: they are held in memory.
_MOST_ROWS = 1000


class Shots:
    """The training questions of a data set."""

    def __init__(self, dataset: Dataset, count: int) -> None:
        """Looks for the training questions.

        Args:
          dataset: where they are.
          count: of shots before a question.

        Raises:
          BadInput: if the data set has no train split.
        """
        if not dataset.cells(_TRAIN):
            raise BadInput(
                f"few-shot prompts need a train split, and {dataset.url} has none; use "
                "--prompt chat, or a data set with one"
            )
        self._dataset = dataset
        self._count = count
        self._read: dict[str, list[Shot]] = {}

    def of(self, sample: SampleId, question: str) -> tuple[Shot, ...]:
        """Returns the shots of a sample: distinct, none of them its own question.

        They follow from the sample's identity and the data set alone, and are of its algorithm, at
        any trained length.

        Raises:
          BadInput: if there are not so many.
        """
        known = self._of_algorithm(sample.algorithm)
        rng = np.random.Generator(np.random.Philox(key=stream_key(sample, "shots")))
        found: dict[str, Shot] = {}
        for place in rng.permutation(len(known)):
            shot = known[place]
            if shot.question != question:
                found.setdefault(shot.question, shot)
            if len(found) == self._count:
                return tuple(found.values())
        raise BadInput(
            f"split {_TRAIN} of {self._dataset.url} has {len(found)} distinct other questions of "
            f"{sample.algorithm}, and few-shot:{self._count} asks for {self._count}"
        )

    def _of_algorithm(self, algorithm: str) -> list[Shot]:
        if algorithm not in self._read:
            shots: list[Shot] = []
            for cell in self._dataset.cells(_TRAIN, [algorithm]):
                rows = self._dataset.read(cell, ["question", "answer"], _MOST_ROWS)
                columns = (rows[name].to_pylist() for name in rows.column_names)
                shots += [Shot(*row) for row in zip(*columns, strict=True)]
            self._read[algorithm] = shots
        return self._read[algorithm]
