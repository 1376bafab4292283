"""`solver`: the real algorithm, run on each request's graph. The ceiling of every score."""

import time

import pyarrow as pa

from clrs_text_bench import engines, tasks, text
from clrs_text_bench.datasets import Dataset
from clrs_text_bench.protocols import DEFAULT_ENGINE, ModelInfo

from .rows import Given, given, predictions


class Solver:
    """See `protocols.Model`. It reads the requests' graphs, not their questions."""

    def __init__(self, engine: str) -> None:
        self._asked = engine
        self._take(engine or DEFAULT_ENGINE)

    def _take(self, engine: str) -> None:
        self._name, self._engine = engine, engines.load(engine)

    def prepare(self, dataset: Dataset) -> None:
        """Takes the engine of the data set's tasks, unless one was asked for."""
        if not self._asked:
            self._take(engines.name_of(cell.algorithm for cell in dataset.cells()))

    def info(self) -> ModelInfo:
        """Returns who answers."""
        return ModelInfo("solver", settings={"engine": self._name, "version": self._engine.version})

    def generate(self, requests: pa.Table) -> pa.Table:
        """Runs each request's algorithm on its inputs; raises `BadInput` on a row without them."""
        answers, seconds = [], []
        for one in given(requests, "solver"):
            began = time.perf_counter()
            answers.append(self._answer(one).rstrip("\n"))
            seconds.append(time.perf_counter() - began)
        rows = len(answers)
        return predictions(requests, answers, ["stop"] * rows, [None] * rows, seconds)

    def _answer(self, one: Given) -> str:
        trace = self._engine.run(one.algorithm, one.drawn())
        hints = trace.hints if one.use_hints else None
        return text.answer(tasks.get(one.algorithm), trace.inputs, trace.outputs, hints)


def load(argument: str) -> Solver:
    """Returns the solver on an engine, by default that of the data set's tasks.

    `solver:dm-clrs` runs dm-clrs's own algorithms. Raises `BadInput` on an unknown engine.
    """
    return Solver(argument)
