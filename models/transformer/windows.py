"""Windows over a text that is longer than a model's context.

Each token is scored once, with what stands before it in its window (Hugging Face, "Perplexity of
fixed-length models"): the first window scores all that it holds, and each later one, `stride`
further on, the tokens that the one before did not reach. So a token behind the first window has at
least `context - stride` tokens before it.
"""

from typing import NamedTuple


class Window(NamedTuple):
    """Places of a text that are read together.

    Attributes:
      start: the first place that is read.
      stop: the place behind the last one.
      first: the first place that is scored; all behind it are, too.
    """

    start: int
    stop: int
    first: int


def windows(count: int, context: int, stride: int) -> list[Window]:
    """Returns the windows over so many places; all but the last hold `context` of them.

    Args:
      count: of places, at least 1.
      context: places of a window.
      stride: from one window to the next, at least 1 and at most `context`.

    >>> windows(10, context=6, stride=3)
    [Window(start=0, stop=6, first=0), Window(start=3, stop=9, first=6), \
Window(start=6, stop=10, first=9)]
    """
    found = [Window(0, min(context, count), 0)]
    while found[-1].stop < count:
        start = found[-1].start + stride
        found.append(Window(start, min(start + context, count), found[-1].stop))
    return found


def default_stride(context: int) -> int:
    """Returns half of a context: each token behind the first window has that before it."""
    return max(1, context // 2)
