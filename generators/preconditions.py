"""What some algorithms need of their inputs beyond shape and type, to end and to answer right."""

from collections.abc import Callable, Mapping

import numpy as np

from clrs_text_bench.errors import BadInput

Inputs = Mapping[str, np.ndarray]

_LEAST_AREA = 1e-12


def check(algorithm: str, inputs: Inputs) -> None:
    """Raises `BadInput` on inputs that an algorithm has no answer to, or never ends on."""
    condition = _CONDITIONS.get(algorithm)
    if condition:
        condition(inputs)


def _ends_in_zero(inputs: Inputs) -> None:
    if inputs["p"][-1] != 0:
        raise BadInput("input 'p' of optimal_bst must end in 0: there is one key less than gaps")


def _without_negative_weight(algorithm: str) -> Callable[[Inputs], None]:
    """Upstream's bfs and mst_kruskal take such edges for none; Dijkstra's algorithm needs none."""

    def condition(inputs: Inputs) -> None:
        negative = np.argwhere(inputs["A"] < 0)
        if len(negative):
            i, j = negative[0]
            raise BadInput(f"input 'A' of {algorithm} must not be negative, and is at ({i}, {j})")

    return condition


def _without_negative_cycle(algorithm: str) -> Callable[[Inputs], None]:
    """Relaxes all edges at once, as dm-clrs does, until nothing changes: n rounds at most."""

    def condition(inputs: Inputs) -> None:
        weights = np.where(inputs["A"] == 0, np.inf, inputs["A"])
        from_all = np.ones(len(weights))
        distance = np.where(inputs.get("s", from_all) == 1, 0.0, np.inf)
        for _ in range(len(distance)):
            relaxed = np.minimum(distance, (distance[:, None] + weights).min(axis=0))
            if np.array_equal(relaxed, distance):
                return
            distance = relaxed
        reach = " within reach of 's'" if "s" in inputs else ""
        raise BadInput(f"input 'A' of {algorithm} has a cycle of negative weight{reach}")

    return condition


def _in_general_position(algorithm: str) -> Callable[[Inputs], None]:
    def condition(inputs: Inputs) -> None:
        points = np.stack([inputs["x"], inputs["y"]], axis=1)
        span = np.ptp(points, axis=0).max()
        if not span or len(np.unique(points, axis=0)) < len(points):
            raise BadInput(f"inputs 'x' and 'y' of {algorithm} hold the same point twice")
        for i in range(len(points)):
            dx, dy = ((points[i + 1 :] - points[i]) / span).T
            area = np.abs(np.outer(dx, dy) - np.outer(dy, dx))
            if np.any(area[np.triu_indices(len(dx), 1)] < _LEAST_AREA):
                raise BadInput(f"inputs 'x' and 'y' of {algorithm} hold three points on a line")

    return condition


def _second_after_first(algorithm: str, *, fits: bool) -> Callable[[Inputs], None]:
    def condition(inputs: Inputs) -> None:
        second = inputs["string"] == 1
        first = int(np.sum(inputs["string"] == 0))
        if not 0 < first < len(second) or not second[first:].all():
            raise BadInput(
                f"input 'string' of {algorithm} must be 0 for a first string and then 1 for a "
                "second one"
            )
        if fits and len(second) - first > first:
            raise BadInput(
                f"the pattern ({len(second) - first}) of {algorithm} is longer than the text "
                f"({first})"
            )

    return condition


_CONDITIONS = {
    "optimal_bst": _ends_in_zero,
    "bfs": _without_negative_weight("bfs"),
    "mst_kruskal": _without_negative_weight("mst_kruskal"),
    "dijkstra": _without_negative_weight("dijkstra"),
    "bellman_ford": _without_negative_cycle("bellman_ford"),
    "floyd_warshall": _without_negative_cycle("floyd_warshall"),
    "graham_scan": _in_general_position("graham_scan"),
    "jarvis_march": _in_general_position("jarvis_march"),
    "lcs_length": _second_after_first("lcs_length", fits=False),
    "naive_string_matcher": _second_after_first("naive_string_matcher", fits=True),
    "kmp_matcher": _second_after_first("kmp_matcher", fits=True),
}
