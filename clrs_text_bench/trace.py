"""One run of an algorithm: what an engine gives back, and what is rendered or packed."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Trace:
    """Inputs, outputs and hints of one run, as arrays by probe name in catalogue order.

    Attributes:
      inputs: `probe.shape(n)` each.
      outputs: `probe.shape(n)` each.
      hints: `[n_steps, *probe.shape(n)]` each.
      n_steps: number of steps of the trace.
    """

    inputs: dict[str, np.ndarray]
    outputs: dict[str, np.ndarray]
    hints: dict[str, np.ndarray]
    n_steps: int
