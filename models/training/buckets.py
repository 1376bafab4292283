"""Buckets of lengths: the few static shapes that arrays are padded to."""

import bisect

# Steps of a third to a half: a sixth of a batch is padding on average, and few shapes compile.
_WITHIN_OCTAVE = (2, 3)


def _ladder(top: int) -> list[int]:
    sizes = [8]
    while sizes[-1] < top:
        octave = 8 << (len(sizes) // len(_WITHIN_OCTAVE))
        sizes.append(octave * _WITHIN_OCTAVE[len(sizes) % len(_WITHIN_OCTAVE)] // 2)
    return sizes


_SIZES = _ladder(1 << 24)


def size_for(length: int) -> int:
    """Returns the smallest bucket that holds so many tokens.

    >>> [size_for(n) for n in (1, 8, 9, 13, 17, 25)]
    [8, 8, 12, 16, 24, 32]
    """
    return _SIZES[bisect.bisect_left(_SIZES, length)]
