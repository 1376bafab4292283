"""The flat graph columns: packing a sample's probes into one float32 list, and views back.

A stage's probes are flattened in C order and concatenated in catalogue order. Hints have a leading
axis of n_steps each: `[n_steps, *probe.shape(n)]`.
"""

import math
from collections.abc import Mapping

import numpy as np

from clrs_text_bench import tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.tasks import Stage


def size(algorithm: str, length: int, stage: Stage) -> int:
    """Returns the number of values of a stage of one sample (of one step, for hints).

    Raises:
      BadInput: if the algorithm is unknown, or the length too small for it.
    """
    task = tasks.get(algorithm)
    task.check_length(length)
    n = task.n_nodes(length)
    return sum(math.prod(p.shape(n)) for p in task.stage(stage))


def pack(algorithm: str, length: int, probes: Mapping[str, np.ndarray], stage: Stage) -> np.ndarray:
    """Flattens the probes of one stage of one sample.

    Args:
      algorithm: name of the task.
      length: length of the sample.
      probes: arrays by probe name, exactly those of the stage; `probe.shape(n)` each, with a
        leading axis of n_steps for hints.
      stage: which stage to pack.

    Returns:
      float32 array `[size]`, or `[n_steps * size]` for hints.

    Raises:
      BadInput: if a probe is missing, unknown, or of another shape.
    """
    task = tasks.get(algorithm)
    task.check_length(length)
    n = task.n_nodes(length)
    expected = task.stage(stage)
    odd = {p.name for p in expected} ^ set(probes)
    if odd:
        raise BadInput(
            f"{algorithm} has {stage} probes {', '.join(p.name for p in expected)}; missing or "
            f"unknown: {', '.join(sorted(odd))}"
        )
    arrays = [np.asarray(probes[p.name], dtype=np.float32) for p in expected]
    steps = arrays[0].shape[:1] if stage == "hint" else ()
    for probe, array in zip(expected, arrays, strict=True):
        if array.shape != steps + probe.shape(n):
            raise BadInput(
                f"{stage} probe {probe.name!r} of {algorithm} at length {length} has shape "
                f"{array.shape}, expected {steps + probe.shape(n)}"
            )
    return np.concatenate([a.reshape(-1) for a in arrays])


def unpack(algorithm: str, length: int, flat: np.ndarray, stage: Stage) -> dict[str, np.ndarray]:
    """Gives the probes of one stage of one sample, as views on the flat values.

    The inverse of `pack`. A float32 array is not copied.

    Args:
      algorithm: name of the task.
      length: length of the sample.
      flat: values of the row's `graph_inputs`, `graph_outputs` or `graph_hints`.
      stage: "input", "output" or "hint".

    Returns:
      Arrays by probe name, of `probe.shape(n)`, with a leading axis of n_steps for hints.

    Raises:
      BadInput: if there are not as many values as the stage holds.
    """
    task = tasks.get(algorithm)
    n = task.n_nodes(length)
    flat = np.asarray(flat, dtype=np.float32)
    if flat.ndim != 1:
        raise BadInput(f"{stage} graph of {algorithm} has shape {flat.shape}, expected one axis")
    per_step = size(algorithm, length, stage)
    steps, left = divmod(len(flat), per_step)
    if left or (stage != "hint" and steps != 1):
        raise BadInput(
            f"{stage} graph of {algorithm} at length {length} has {len(flat)} values, expected "
            f"{'a multiple of ' if stage == 'hint' else ''}{per_step}"
        )
    lead = (steps,) if stage == "hint" else ()
    views, start = {}, 0
    for probe in task.stage(stage):
        shape = lead + probe.shape(n)
        stop = start + math.prod(shape)
        views[probe.name] = flat[start:stop].reshape(shape)
        start = stop
    return views
