"""From samples to a table in the data-set schema."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from clrs_text_bench import graph, schema
from clrs_text_bench.trace import Trace


@dataclass
class Rows:
    """Collects the samples of one (split, algorithm, length, seed) in text mode `use_hints`."""

    algorithm: str
    length: int
    seed: int
    split: str
    use_hints: bool
    graph_hints: bool
    _questions: list[str] = field(default_factory=list)
    _answers: list[str] = field(default_factory=list)
    _indices: list[int] = field(default_factory=list)
    _n_steps: list[int] = field(default_factory=list)
    _inputs: list[np.ndarray] = field(default_factory=list)
    _outputs: list[np.ndarray] = field(default_factory=list)
    _hints: list[np.ndarray] = field(default_factory=list)

    def add(self, index: int, question: str, answer: str, trace: Trace) -> None:
        """Adds the sample of an index."""
        self._indices.append(index)
        self._questions.append(question)
        self._answers.append(answer)
        self._n_steps.append(trace.n_steps)
        self._inputs.append(graph.pack(self.algorithm, self.length, trace.inputs, "input"))
        self._outputs.append(graph.pack(self.algorithm, self.length, trace.outputs, "output"))
        if self.graph_hints:
            self._hints.append(graph.pack(self.algorithm, self.length, trace.hints, "hint"))

    def table(self) -> pa.Table:
        """Returns the rows in `schema.DATASET`."""
        count = len(self._indices)
        name = pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(count, np.int32)), pa.array([self.algorithm])
        )
        hints = self._hints if self.graph_hints else None
        columns = [
            pa.array(self._questions, pa.string()),
            pa.array(self._answers, pa.string()),
            name,
            pa.array(np.full(count, self.length, np.int32)),
            pa.array(np.full(count, self.use_hints)),
            pa.array([self.split] * count, pa.string()),
            pa.array(np.full(count, self.seed, np.int64)),
            pa.array(self._indices, pa.int64()),
            pa.array(self._n_steps, pa.int32()),
            _lists(self._inputs, count),
            _lists(self._outputs, count),
            _lists(hints, count),
        ]
        return pa.Table.from_arrays(columns, schema=schema.DATASET)


def _lists(arrays: list[np.ndarray] | None, count: int) -> pa.Array:
    kind = schema.DATASET.field("graph_inputs").type
    if arrays is None:
        return pa.nulls(count, kind)
    offsets = np.concatenate([[0], np.cumsum([len(a) for a in arrays])]).astype(np.int32)
    values = np.concatenate(arrays) if arrays else np.zeros(0, np.float32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values), type=kind)
