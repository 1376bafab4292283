"""`majority`: the most common training answer of each algorithm and length. The floor."""

import time
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from clrs_text_bench.datasets import Dataset
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import ModelInfo

from .rows import predictions

_TRAIN = "train"


class Majority:
    """See `protocols.Model`. It looks neither at the question nor at the graph."""

    def __init__(self) -> None:
        self._answers: dict[str, dict[int, str]] = {}
        self._data = ""

    def prepare(self, dataset: Dataset) -> None:
        """Counts the data set's training answers; of equally common ones the first seen wins.

        Raises:
          BadInput: if the data set has no train split.
        """
        cells = dataset.cells(_TRAIN)
        if not cells:
            raise BadInput(f"majority needs a train split, and {dataset.url} has none")
        self._data = dataset.hash
        self._answers = {}
        for cell in cells:
            counted: Counter[str] = Counter()
            for table in dataset.batches(cell, ["answer"]):
                counted.update(table["answer"].to_pylist())
            ((answer, _),) = counted.most_common(1)
            self._answers.setdefault(cell.algorithm, {})[cell.length] = answer.rstrip("\n")

    def info(self) -> ModelInfo:
        """Returns who answers."""
        lengths = {length for known in self._answers.values() for length in known}
        return ModelInfo(
            "majority",
            train_lengths=tuple(sorted(lengths)),
            train_algorithms=tuple(self._answers),
            settings={"data": self._data},
        )

    def generate(self, requests: pa.Table) -> pa.Table:
        """Answers with what is most common at the row's length, or at the nearest trained one.

        Raises:
          BadInput: on an algorithm without training answers.
        """
        began = time.perf_counter()
        names = pc.cast(requests["algo_name"], pa.string()).to_pylist()
        answers = [
            self._answer(*row) for row in zip(names, requests["length"].to_pylist(), strict=True)
        ]
        rows = len(answers)
        seconds = [(time.perf_counter() - began) / max(1, rows)] * rows
        return predictions(requests, answers, ["stop"] * rows, [None] * rows, seconds)

    def _answer(self, algorithm: str, length: int) -> str:
        known = self._answers.get(algorithm)
        if known is None:
            raise BadInput(f"majority has no training answers of {algorithm}")
        # Of two lengths equally near, the smaller.
        return known[min(known, key=lambda trained: (abs(trained - length), trained))]


def load(argument: str) -> Majority:
    """Returns the floor; raises `BadInput` if anything follows its name."""
    if argument:
        raise BadInput(f"majority takes no argument, not {argument!r}")
    return Majority()
