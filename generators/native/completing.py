"""From given inputs to the flat inputs of a kernel, `pos` and `adj` filled in."""

from collections.abc import Mapping

import numpy as np

from clrs_text_bench.tasks import Task


def complete(task: Task, inputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, int, int]:
    """Returns the flat inputs, float64 `[X]`, with the number of nodes and the length.

    Args:
      task: whose inputs.
      inputs: checked ones (see `given_inputs.check`), which lack `pos` and `adj`.
    """
    n = next(len(a) for a in inputs.values() if a.ndim)
    derived = {"pos": _pos(n, inputs.get("string"))}
    if "A" in inputs:
        # Upstream's `probing.graph`: an edge where there is a weight, and at every node.
        derived["adj"] = ((inputs["A"] + np.eye(n)) != 0).astype(np.float64)
    values = [(inputs.get(p.name, derived.get(p.name))).reshape(-1) for p in task.stage("input")]
    return np.concatenate(values), n, n - (task.n_nodes(n) - n)


def _pos(n: int, second: np.ndarray | None) -> np.ndarray:
    """Indices over n; within each of the two strings, where there are two."""
    if second is None:
        return np.arange(n) / n
    first = int(np.sum(second == 0))
    return np.concatenate([np.arange(first) / first, np.arange(n - first) / (n - first)])
