"""Decimal numbers in bytes, compared exactly: no float, no rounding, no limit on their digits.

A number is an optional sign, ASCII digits with an optional fraction (`5.` and `.5` too), and an
optional exponent. Words such as NaN and inf are none. Every function is linear in the bytes.
"""

from clrs_text_bench.compiled import jit

_PLUS, _MINUS, _POINT, _ZERO, _NINE = ord("+"), ord("-"), ord("."), ord("0"), ord("9")
_SMALL_E, _LARGE_E = ord("e"), ord("E")
_EXPONENT_LIMIT = 10**17
_BEYOND = 2**62

NOTHING = -(2**63)
_LARGEST, _MOST_DIGITS = 2**53, 16


@jit
def parse(text, start, stop):
    """Reads `text[start:stop]` as a number.

    Returns:
      `(valid, negative, first, last, power)`: whether it is a number, whether it has a minus sign,
      the places of its first and last digits other than 0 (-1 for zero), and the power of ten of
      the last. Powers beyond all counting (exponents over 10^17 in size) are ±2^62.
    """
    i = start
    negative = False
    if i < stop and (text[i] == _MINUS or text[i] == _PLUS):
        negative = text[i] == _MINUS
        i += 1
    digits = 0
    first, last, point = -1, -1, -1
    while i < stop:
        if _ZERO <= text[i] <= _NINE:
            digits += 1
            if text[i] != _ZERO:
                first = i if first < 0 else first
                last = i
        elif text[i] == _POINT and point < 0:
            point = i
        else:
            break
        i += 1
    end = point if point >= 0 else i
    exponent, i = _exponent(text, i, stop)
    if digits == 0 or i != stop:
        return False, False, -1, -1, 0
    if first < 0:
        return True, False, -1, -1, 0
    if abs(exponent) >= _EXPONENT_LIMIT:
        return True, negative, first, last, _BEYOND if exponent > 0 else -_BEYOND
    # Digits before the point count powers from 0 at its left, those behind it from -1.
    power = end - last - 1 if last < end else end - last
    return True, negative, first, last, power + exponent


@jit
def _exponent(text, start, stop):
    """Returns the exponent that starts here and the place after it; `(0, start)` if none does."""
    if start == stop or (text[start] != _SMALL_E and text[start] != _LARGE_E):
        return 0, start
    i = start + 1
    negative = False
    if i < stop and (text[i] == _MINUS or text[i] == _PLUS):
        negative = text[i] == _MINUS
        i += 1
    first = i
    value = 0
    while i < stop and _ZERO <= text[i] <= _NINE:
        if value < _EXPONENT_LIMIT:
            value = value * 10 + (text[i] - _ZERO)
        i += 1
    if i == first:
        return 0, start
    return -value if negative else value, i


@jit
def equal(a, a_start, a_stop, b, b_start, b_stop):
    """Returns whether both are numbers and of one value.

    Two powers beyond all counting are equal only if written alike.
    """
    same = _same_bytes(a, a_start, a_stop, b, b_start, b_stop)
    if same and a_stop - a_start == 1:
        return _ZERO <= a[a_start] <= _NINE
    a_valid, a_negative, i, a_last, a_power = parse(a, a_start, a_stop)
    if same or not a_valid:
        return a_valid
    b_valid, b_negative, j, b_last, b_power = parse(b, b_start, b_stop)
    if not b_valid or a_negative != b_negative or a_power != b_power or abs(a_power) == _BEYOND:
        return False
    if i < 0 or j < 0:
        return i == j
    while i <= a_last and j <= b_last:
        if a[i] == _POINT:
            i += 1
        elif b[j] == _POINT:
            j += 1
        elif a[i] != b[j]:
            return False
        else:
            i += 1
            j += 1
    return i > a_last and j > b_last


@jit
def whole(text, start, stop, places):
    """Returns a number times `10**places`, if that is whole and at most 2^53 in size, else NOTHING.

    NOTHING stands for what is no number, too.
    """
    valid, negative, first, last, power = parse(text, start, stop)
    if not valid or abs(power) == _BEYOND:
        return NOTHING
    value = 0
    if first >= 0:
        if power + places < 0:
            return NOTHING
        for i in range(first, last + 1):
            if text[i] != _POINT:
                value = value * 10 + (text[i] - _ZERO)
            if value > _LARGEST:
                return NOTHING
        for _ in range(min(power + places, _MOST_DIGITS)):
            value *= 10
            if value > _LARGEST:
                return NOTHING
    return -value if negative else value


@jit
def _same_bytes(a, a_start, a_stop, b, b_start, b_stop):
    if a_stop - a_start != b_stop - b_start:
        return False
    for k in range(a_stop - a_start):  # noqa: SIM110 (Numba compiles loops, not generators)
        if a[a_start + k] != b[b_start + k]:
            return False
    return True
