"""The inputs that questions show, as whole numbers: exactly what a reader of the text knows.

Inputs are cut to three decimals before an algorithm runs on them, so that thousandths hold them
exactly, and sums and products of thousandths decide ties without a tolerance.
"""

import numpy as np
import pyarrow as pa

from clrs_text_bench.errors import BadInput
from clrs_text_bench.tasks import Probe, Task

from . import probe_values
from .answer_values import DECIMALS
from .grammar import Grammar

# Up to here float32 tells thousandths apart, and products of three do not come near 2^63.
LARGEST = 100
_LARGEST_WHOLE = 2**24  # and up to here whole numbers


def shown(references: pa.Table, rows: np.ndarray, grammar: Grammar, task: Task) -> list[np.ndarray]:
    """Returns the inputs that the questions of rows of one algorithm and length show.

    Args:
      references: with a column graph_inputs.
      rows: which rows, int64.
      grammar: of the rows.
      task: of the rows.

    Returns:
      Of each of `task.text_inputs()`, int64 `[len(rows), ...]` as `protocols.Check` has it.

    Raises:
      BadInput: if a row has no such graph, not as many values as the probes, or a value that its
        text cannot hold.
    """
    inputs = probe_values.unpacked(references, "graph_inputs", rows, grammar, task)
    return [_numbers(probe, inputs[probe.name], rows, task) for probe in task.text_inputs()]


def _numbers(probe: Probe, x: np.ndarray, rows: np.ndarray, task: Task) -> np.ndarray:
    if probe.type in ("mask_one", "categorical"):
        return np.ascontiguousarray(np.argmax(x, axis=-1))
    decimals = probe.type == "scalar" and not probe.whole
    scale = 10**DECIMALS if decimals else 1
    with np.errstate(invalid="ignore"):
        number = np.round(x.astype(np.float64) * scale)
        same = (number / scale).astype(np.float32) == x
    fits = same & (np.abs(x) <= (LARGEST if decimals else _LARGEST_WHOLE))
    if not np.all(fits):
        place = tuple(np.argwhere(~fits)[0])
        decimal = f"at most {DECIMALS} decimals, and {LARGEST} in size"
        raise BadInput(
            f"graph_inputs of row {rows[place[0]]} ({task.name}) has {x[place]!s} in "
            f"{probe.name!r}, which its question cannot show; expected "
            f"{decimal if decimals else 'a whole number'}"
        )
    return number.astype(np.int64)
