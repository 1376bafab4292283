"""Rendering in compiled code: from a sample's arrays to bytes, as upstream prints them.

Every function writes at `at` into `out` (uint8) and returns where it stopped; the caller has made
room by `most_bytes`.
"""

import numpy as np

from clrs_text_bench.compiled import jit

from .layout import CLASS, DECIMAL, HINT, INDEX, INPUT, LITERAL, SORTED

_ZERO, _MINUS, _SPACE, _COMMA = 48, 45, 32, 44
_OPEN, _CLOSE = 91, 93
_LONGEST_NUMBER = 24
_MOST_DIGITS = 19


def _fractions() -> tuple[np.ndarray, np.ndarray]:
    """Returns what follows the whole part for every thousandth: `.0`, `.001`, ..., with sizes."""
    written = [f"{k / 1000}"[1:] for k in range(1000)]
    padded = [list(text.ljust(4).encode()) for text in written]
    return np.array(padded, np.uint8), np.array([len(text) for text in written], np.int64)


_FRACTIONS, _FRACTION_SIZES = _fractions()


@jit
def most_bytes(operations):
    """Returns an upper bound on the bytes that operations write."""
    total = 0
    for k in range(len(operations)):
        if operations[k, 0] == LITERAL:
            total += operations[k, 3]
        else:
            # A number and its separator, and brackets with theirs around every row.
            total += operations[k, 3] * (operations[k, 4] * _LONGEST_NUMBER + 4) + 4
    return total


@jit
def write_whole(out, at, value):
    """Writes an integer."""
    if value < 0:
        out[at] = _MINUS
        at += 1
        value = -value
    if value < 10:  # most are: nodes, classes, masks
        out[at] = _ZERO + value
        return at + 1
    left = np.uint64(value)
    digits = 1
    power = np.uint64(10)
    while left >= power and digits < _MOST_DIGITS:
        digits += 1
        power *= np.uint64(10)
    for place in range(at + digits - 1, at - 1, -1):
        out[place] = _ZERO + left % np.uint64(10)
        left //= np.uint64(10)
    return at + digits


@jit
def write_decimal(out, at, value):
    """Writes a float of at most three decimals the way Python does: `0.5`, `0.0`, `-0.0`."""
    if np.signbit(value):
        out[at] = _MINUS
        at += 1
        value = -value
    rest = np.uint64(value * 1000.0 + 0.5)
    if rest < np.uint64(1000):
        out[at] = _ZERO
        at += 1
    else:
        at = write_whole(out, at, np.int64(rest // np.uint64(1000)))
        rest %= np.uint64(1000)
    for i in range(4):
        out[at + i] = _FRACTIONS[rest, i]
    return at + _FRACTION_SIZES[rest]


@jit
def _class_of(values, start, classes):
    """Returns the class of a one-hot row; -1 if it is masked."""
    found = 0
    for c in range(classes):
        if values[start + c] == -1:
            return -1
        if values[start + c] > values[start + found]:
            found = c
    return found


@jit
def _index_of(values, start, n):
    for i in range(n):
        if values[start + i] != 0:
            return i
    return 0


@jit
def _write_sorted(out, at, pred, start, keys, n, order):
    """Writes keys in the order of pointers to predecessors (`predecessors_to_order`)."""
    for i in range(n):
        order[i] = 0
    for i in range(n):
        order[np.int64(pred[start + i])] = 1
    node = 0
    while order[node]:  # the last element is the one that nothing points to
        node += 1
    for place in range(n - 1, -1, -1):
        order[place] = node
        node = np.int64(pred[start + node])
    out[at] = _OPEN
    at += 1
    for place in range(n):
        if place:
            out[at] = _SPACE
            at += 1
        at = write_decimal(out, at, keys[order[place]])
    out[at] = _CLOSE
    return at + 1


@jit
def _write_value(out, at, operation, values):
    """Writes a value of rank 0, 1 or 2."""
    code, start = operation[0], operation[2]
    rows, columns, classes, rank = operation[3], operation[4], operation[5], operation[6]
    if code == INDEX:
        return write_whole(out, at, _index_of(values, start, columns))
    if rank == 2:
        out[at] = _OPEN
        at += 1
    for i in range(rows):
        if i:
            out[at] = _COMMA
            out[at + 1] = _SPACE
            at += 2
        if rank:
            out[at] = _OPEN
            at += 1
        for j in range(columns):
            if j:
                out[at] = _SPACE
                at += 1
            place = i * columns + j
            if code == DECIMAL:
                at = write_decimal(out, at, values[start + place])
            elif code == CLASS:
                at = write_whole(out, at, _class_of(values, start + place * classes, classes))
            else:
                at = write_whole(out, at, np.int64(values[start + place]))
        if rank:
            out[at] = _CLOSE
            at += 1
    if rank == 2:
        out[at] = _CLOSE
        at += 1
    return at


@jit
def write(out, at, operations, literals, x, y, step, key, order):
    """Follows a program's operations.

    Args:
      out: uint8, where to write.
      at: from where.
      operations: int64 `[operations, 8]`, see `layout`.
      literals: uint8, their literals.
      x: float64 `[X]`, inputs.
      y: float64 `[Y]`, outputs.
      step: float32 `[H]`, the step of the trace that hints are read from.
      key: offset of the keys in `x` for sorted values, or -1.
      order: int64 `[n]`, scratch.
    """
    for k in range(len(operations)):
        operation = operations[k]
        code, source = operation[0], operation[1]
        if code == LITERAL:
            for i in range(operation[2], operation[2] + operation[3]):
                out[at] = literals[i]
                at += 1
        elif code == SORTED:
            n = operation[4]
            keys = x[key : key + n]
            if source == HINT:
                at = _write_sorted(out, at, step, operation[2], keys, n, order)
            else:
                at = _write_sorted(out, at, y, operation[2], keys, n, order)
        elif source == INPUT:
            at = _write_value(out, at, operation, x)
        elif source == HINT:
            at = _write_value(out, at, operation, step)
        else:
            at = _write_value(out, at, operation, y)
    return at
