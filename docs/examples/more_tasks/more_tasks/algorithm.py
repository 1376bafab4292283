"""What each task's file offers to the catalogue and to the engine."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from clrs_text_bench.tasks import Task
from clrs_text_bench.trace import Trace

Inputs = Mapping[str, np.ndarray]
"""Input probes, without `pos`, which the engine adds."""

ENGINE = "more-tasks"


class Algorithm(NamedTuple):
    """One task, and the code that draws and runs it.

    Attributes:
      task: its record.
      draw: returns the inputs of a random sample of a length.
      run: returns the trace of a run on inputs that it can be run on.
      check: raises `BadInput` on inputs of the right shapes and kinds that it cannot be run on.
    """

    task: Task
    draw: Callable[[np.random.RandomState, int], Inputs]
    run: Callable[[Inputs], Trace]
    check: Callable[[Inputs], None]
