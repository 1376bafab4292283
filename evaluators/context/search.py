"""The largest size that fits a context, by doubling and bisection."""

import math
from collections.abc import Callable
from dataclasses import dataclass

# Tokens of a size; None where a size was not tried.
Tokens = Callable[[int], float | None]

# A size is the largest if so many behind it do not fit: numbers of tokens go up and down a little.
BEHIND = 3


@dataclass(frozen=True, slots=True)
class Largest:
    """The largest size that fits.

    Attributes:
      size: 0 if not even the smallest does.
      at_least: whether the next size was not tried, so that larger ones may fit.
    """

    size: int
    at_least: bool


def largest(tokens: Tokens, context: int, smallest: int) -> Largest:
    """Searches the largest size with at most `context` tokens.

    Sizes are doubled until one does not fit, and what lies between is bisected, every other time at
    the size where a power of it would fill the context. Tokens need not be monotone in the size: if
    one of the next `BEHIND` sizes fits after all, the search goes on from it. So the size found
    fits, and the `BEHIND` sizes behind it do not. Beside a size that was not tried the search is
    coarse: what is found is no more than a tenth below it.

    Args:
      tokens: of a size; None ends the search, and says that larger sizes are not tried either.
      context: tokens that there is room for.
      smallest: size to begin at.

    >>> largest(lambda size: size * size, context=1000, smallest=4)
    Largest(size=31, at_least=False)
    """
    found = tokens(smallest)
    if found is None or found > context:
        return Largest(0, at_least=found is None)
    low = smallest
    while True:
        high = _doubled(tokens, context, low)
        low, high = _bisected(tokens, context, high // 2, high)
        if tokens(high) is None:
            return Largest(low, at_least=True)
        later = [n for n in range(low + 2, low + 1 + BEHIND) if _fits(tokens, context, n)]
        if not later:
            return Largest(low, at_least=False)
        low = later[-1]


def _fits(tokens: Tokens, context: int, size: int) -> bool:
    found = tokens(size)
    return found is not None and found <= context


def _doubled(tokens: Tokens, context: int, low: int) -> int:
    """Returns the first of the doubles of a size that does not fit."""
    high = 2 * low
    while _fits(tokens, context, high):
        high *= 2
    return high


def _bisected(tokens: Tokens, context: int, low: int, high: int) -> tuple[int, int]:
    """Returns the size that fits and the next one that does not, between two of these kinds."""
    by_power = True
    while high - low > (1 if tokens(high) is not None else max(1, high // 10)):
        middle = (low + high) // 2
        if by_power:
            middle = _by_power(tokens, context, low, high) or middle
        by_power = not by_power
        if _fits(tokens, context, middle):
            low = middle
        else:
            high = middle
    return low, high


def _by_power(tokens: Tokens, context: int, low: int, high: int) -> int | None:
    """Returns where a power of the size through both ends is the context; None if nowhere."""
    below, above = tokens(low), tokens(high)
    if above is None or not 0 < below < above:
        return None
    power = math.log(above / below) / math.log(high / low)
    place = round(low * (context / below) ** (1 / power))
    return min(max(place, low + 1), high - 1)
