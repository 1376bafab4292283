"""What a reasoner is asked: rows as the network begins to execute them; they need no trace."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from clrs_text_bench import engines, tasks
from clrs_text_bench.tasks import Task

from ..rows import Given, given
from . import graphs
from .graphs import Row
from .layout import Layout
from .steps import Setting, bound


class Request(NamedTuple):
    """A row to answer: its task, its inputs as they were drawn, and how the network begins."""

    task: Task
    length: int
    inputs: dict[str, np.ndarray]
    row: Row


@dataclass(frozen=True)
class Requests:
    """Reads rows as a network that is to execute them does.

    Attributes:
      layout: of its probes.
      engine: name of what runs the algorithms.
      steps: how many steps it makes.
    """

    layout: Layout
    engine: str
    steps: Setting

    def __call__(self, table: pa.Table) -> list[Request]:
        """Reads rows.

        Raises:
          BadInput: if a row has no inputs, or is of an algorithm that the network lacks.
        """
        engine = engines.load(self.engine)
        return [self._request(engine, one) for one in given(table, "a reasoner")]

    def rows(self, table: pa.Table) -> list[Row]:
        """Returns the graphs of rows; raises as a call does."""
        return [one.row for one in self(table)]

    def _request(self, engine: engines.Engine, one: Given) -> Request:
        """Runs a row's algorithm, of which but the beginning and the number of steps is used."""
        task, place = tasks.get(one.algorithm), self.layout.place(one.algorithm)
        drawn = one.drawn()
        trace = engine.run(one.algorithm, drawn)
        begun = {k: np.asarray(v[:1], np.float32) for k, v in trace.hints.items()}
        n = task.n_nodes(one.length)
        steps = trace.n_steps - 1 if self.steps == "trace" else bound(one.algorithm, n)
        found = graphs.probes(self.layout, place, {"input": one.inputs, "hint": begun})
        return Request(task, one.length, drawn, Row(place, n, max(1, steps), found))
