"""Lengths as a person writes them: `4-8,12`."""

import re

from clrs_text_bench.errors import BadInput

_LARGEST = 100_000
# Nine digits are more than the largest; int() refuses thousands of them.
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


def parse(text: str) -> list[int]:
    """Reads a comma-separated list of lengths and inclusive ranges, sorted, without repeats.

    >>> parse("4-8,12")
    [4, 5, 6, 7, 8, 12]

    Raises:
      BadInput: on anything else, on a length below 1, and on a range that runs backwards.
    """
    found: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if not match:
            raise BadInput(f"length {part.strip()!r} in {text!r} is not like 12 or 4-8")
        low, high = int(match[1]), int(match[2] or match[1])
        if low < 1:
            raise BadInput(f"length {part.strip()!r} in {text!r} is below 1")
        if low > high:
            raise BadInput(f"length range {part.strip()!r} runs backwards; write {high}-{low}")
        if high > _LARGEST:
            raise BadInput(f"length {high} in {text!r} is beyond {_LARGEST}")
        found.update(range(low, high + 1))
    return sorted(found)


def show(lengths: list[int]) -> str:
    """Writes lengths the short way; the inverse of `parse`.

    >>> show([4, 5, 6, 7, 8, 12])
    '4-8,12'
    """
    runs: list[list[int]] = []
    for length in sorted(set(lengths)):
        if runs and length == runs[-1][1] + 1:
            runs[-1][1] = length
        else:
            runs.append([length, length])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
