"""How far a length is from those that a model was trained on."""

from collections.abc import Collection
from typing import Literal

Regime = Literal["in-distribution", "interpolation", "extrapolation"]

REGIMES: tuple[Regime, ...] = ("in-distribution", "interpolation", "extrapolation")


def regime(length: int, train_lengths: Collection[int] | None) -> Regime | None:
    """Returns the regime of a length, or None for a model that was trained on no lengths.

    A length between the smallest and the largest trained one, but not trained on, is interpolation
    (size 10 in Bounsi et al. 2024); one outside of them is extrapolation (size 14 there).

    >>> [regime(n, (4, 5, 6, 7, 8, 12)) for n in (12, 10, 14)]
    ['in-distribution', 'interpolation', 'extrapolation']
    """
    if not train_lengths:
        return None
    if length in train_lengths:
        return "in-distribution"
    inside = min(train_lengths) < length < max(train_lengths)
    return "interpolation" if inside else "extrapolation"
