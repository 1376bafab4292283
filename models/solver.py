"""`solver`: the real algorithm, run on each request's graph. The ceiling of every score."""

import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clrs_text_bench import graph, registry, tasks, text
from clrs_text_bench.datasets import Dataset
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import DEFAULT_ENGINE, ModelInfo

from .rows import predictions

_DECIMALS = 3


class Solver:
    """See `protocols.Model`. It reads the requests' graphs, not their questions."""

    def __init__(self, engine: str) -> None:
        self._name = engine
        self._engine = registry.load("generators", engine)()

    def prepare(self, dataset: Dataset) -> None:
        """Needs nothing of the data set."""

    def info(self) -> ModelInfo:
        """Returns who answers."""
        return ModelInfo("solver", settings={"engine": self._name, "version": self._engine.version})

    def generate(self, requests: pa.Table) -> pa.Table:
        """Runs each request's algorithm on its inputs; raises `BadInput` on a row without them."""
        columns = [
            pc.cast(requests["algo_name"], pa.string()).to_pylist(),
            *(requests[name].to_pylist() for name in ("length", "use_hints", "graph_inputs")),
        ]
        answers, seconds = [], []
        for row in zip(*columns, strict=True):
            began = time.perf_counter()
            answers.append(self._answer(*row).rstrip("\n"))
            seconds.append(time.perf_counter() - began)
        rows = len(answers)
        return predictions(requests, answers, ["stop"] * rows, [None] * rows, seconds)

    def _answer(self, algorithm: str, length: int, use_hints: bool, flat: list | None) -> str:
        if flat is None:
            raise BadInput(f"solver needs graph_inputs, and a row of {algorithm} has none")
        inputs = graph.unpack(algorithm, length, flat, "input")
        # Inputs have three decimals: rounding in float64 undoes the storage in float32.
        exact = {k: np.round(v.astype(np.float64), _DECIMALS) for k, v in inputs.items()}
        trace = self._engine.run(algorithm, exact)
        hints = trace.hints if use_hints else None
        return text.answer(tasks.get(algorithm), trace.inputs, trace.outputs, hints)


def load(argument: str) -> Solver:
    """Returns the solver on an engine, by default the one that data sets are made with.

    `solver:dm-clrs` runs dm-clrs's own algorithms. Raises `BadInput` on an unknown engine.
    """
    return Solver(argument or DEFAULT_ENGINE)
