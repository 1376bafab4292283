"""The engine: what the entry point in `clrs_text_bench.generators` names."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from clrs_text_bench import text
from clrs_text_bench.errors import unknown
from clrs_text_bench.generators import given_inputs
from clrs_text_bench.generators.rows import Rows
from clrs_text_bench.identity import SampleId, bit_generator
from clrs_text_bench.trace import Trace

from .algorithm import ENGINE, Algorithm, Inputs
from .tasks import ALGORITHMS

_BY_NAME = {algorithm.task.name: algorithm for algorithm in ALGORITHMS}


class Engine:
    """The tasks' algorithms in NumPy, a sample at a time. See `protocols.Engine`."""

    version = f"{ENGINE} 1"
    batch = 500

    def generate(
        self,
        algorithm: str,
        length: int,
        *,
        seed: int,
        split: str,
        indices: np.ndarray,
        use_hints: bool,
        graph_hints: bool,
    ) -> pa.Table:
        """Makes the samples of these indices; raises `BadInput` on a task that is not here."""
        one = _algorithm(algorithm)
        rows = Rows(algorithm, length, seed, split, use_hints, graph_hints)
        for index in indices.tolist():
            bits = bit_generator(SampleId(seed, split, algorithm, length, index))
            # RandomState's streams stay the same over versions of NumPy.
            trace = _run(one, one.draw(np.random.RandomState(bits), length))
            shown = trace.hints if use_hints else None
            question = text.question(one.task, trace.inputs, shown)
            rows.add(
                index, question, text.answer(one.task, trace.inputs, trace.outputs, shown), trace
            )
        return rows.table()

    def run(self, algorithm: str, inputs: Mapping[str, np.ndarray]) -> Trace:
        """Runs an algorithm on given inputs; raises `BadInput` on such as it cannot run on."""
        one = _algorithm(algorithm)
        checked = given_inputs.check(one.task, inputs)
        one.check(checked)
        return _run(one, checked)


def _algorithm(name: str) -> Algorithm:
    if name not in _BY_NAME:
        raise unknown(f"algorithm of engine {ENGINE}", name, _BY_NAME)
    return _BY_NAME[name]


def _run(one: Algorithm, inputs: Inputs) -> Trace:
    """Runs an algorithm, and adds the positions of the nodes."""
    trace = one.run(inputs)
    n = len(next(array for array in trace.inputs.values() if array.ndim))
    return replace(trace, inputs={"pos": np.arange(n) / n, **trace.inputs})
