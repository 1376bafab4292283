"""What some algorithms need of their inputs beyond shape and type, so that they end at all."""

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


def _settles(inputs: Inputs) -> None:
    """Relaxes all edges at once, as dm-clrs does, until nothing changes: n rounds at most."""
    weights = np.where(inputs["A"] == 0, np.inf, inputs["A"])
    distance = np.where(inputs["s"] == 1, 0.0, np.inf)
    for _ in range(len(distance)):
        relaxed = np.minimum(distance, (distance[:, None] + weights).min(axis=0))
        if np.array_equal(relaxed, distance):
            return
        distance = relaxed
    raise BadInput("input 'A' of bellman_ford has a cycle of negative weight within reach of 's'")


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
    "bellman_ford": _settles,
    "graham_scan": _in_general_position("graham_scan"),
    "jarvis_march": _in_general_position("jarvis_march"),
    "lcs_length": _second_after_first("lcs_length", fits=False),
    "naive_string_matcher": _second_after_first("naive_string_matcher", fits=True),
    "kmp_matcher": _second_after_first("kmp_matcher", fits=True),
}
