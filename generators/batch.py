"""The Python API: samples and traces without a data set."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from clrs_text_bench import engines, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.recipes import Cell
from clrs_text_bench.trace import Trace

from . import room

_INT64 = 2**63


def generate_batch(
    algorithm: str,
    length: int,
    *,
    count: int,
    seed: int = 0,
    split: str = "train",
    start: int = 0,
    use_hints: bool = False,
    graph_hints: bool | None = None,
    engine: str | None = None,
) -> pa.Table:
    """Makes samples `start` to `start + count - 1` of (seed, split, algorithm, length).

    Args:
      algorithm: name of a task.
      length: length of the samples.
      count: how many.
      seed: seed of the data set.
      split: name of the split; splits of one seed share no stream.
      start: index of the first.
      use_hints: whether the text is traced.
      graph_hints: whether to fill `graph_hints`; None does as `use_hints`.
      engine: which engine makes them; None for the task's own.

    Returns:
      A table in `schema.DATASET`, in order of index. Batches that overlap agree on what they share.

    Raises:
      BadInput: if the algorithm or engine is unknown, the length too small for the task, or
        count, start or seed out of range, or if so many samples would not fit into memory.
    """
    tasks.get(algorithm).check_length(length)
    if count < 1:
        raise BadInput(f"count {count} is below 1")
    if start < 0:
        raise BadInput(f"start {start} is below 0")
    if not -_INT64 <= seed < _INT64:
        raise BadInput(f"seed {seed} does not fit in 64 bits")
    graph_hints = use_hints if graph_hints is None else graph_hints
    engine = engine or engines.name_of([algorithm])
    maker = engines.load(engine)
    cell = Cell(split, algorithm, length, count, (seed,))
    room.check(cell, count, use_hints=use_hints, graph_hints=graph_hints, engine=engine)
    return maker.generate(
        algorithm,
        length,
        seed=seed,
        split=split,
        indices=np.arange(start, start + count),
        use_hints=use_hints,
        graph_hints=graph_hints,
    )


def run_algorithm(
    algorithm: str, inputs: Mapping[str, np.ndarray], *, engine: str | None = None
) -> Trace:
    """Runs an algorithm on one's own inputs.

    Args:
      algorithm: name of a task.
      inputs: arrays by input probe, `probe.shape(n)` each; `pos` and `adj` may be left out. A
        mask_one probe may be given as the index of its node, a categorical one as its classes.
      engine: which engine runs it; None for the task's own.

    Returns:
      The run's inputs, outputs and hints.

    Raises:
      BadInput: if a probe is missing, unknown, of a wrong shape, or holds what the algorithm cannot
        run on.

    >>> import numpy as np
    >>> trace = run_algorithm("minimum", {"key": np.array([0.3, 0.1, 0.2])})  # doctest: +SKIP
    >>> trace.outputs["min"]  # doctest: +SKIP
    array([0., 1., 0.])
    """
    name = tasks.get(algorithm).name
    return engines.load(engine or engines.name_of([name])).run(name, inputs)
