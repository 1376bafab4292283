"""Values that several algorithms write in the same way (upstream: `clrs._src.probing`)."""

import numpy as np

from clrs_text_bench.compiled import jit

from .bits import truncated, uniform


@jit
def write_pos(n, pos):
    """Writes the input `pos` of n nodes: their indices over n."""
    for i in range(n):
        pos[i] = i / n


@jit
def write_uniform(bits, values, low, high):
    """Draws truncated values from U[low, high)."""
    for i in range(len(values)):
        values[i] = truncated(low + (high - low) * uniform(bits))


@jit
def one_step(h, t):
    """Returns the row of step t, cleared; the caller has checked that there is room for it."""
    row = h[t]
    row[:] = 0.0
    return row


@jit
def write_order(order, pred):
    """Writes pointers to predecessors in an order; the first points to itself."""
    pred[order[0]] = order[0]
    for i in range(1, len(order)):
        pred[order[i]] = order[i - 1]


@jit
def write_initial_order(n, pred):
    """Writes the pointers of the order 0, 1, ..., n - 1: upstream's constant `pred_h`."""
    pred[0] = 0
    for i in range(1, n):
        pred[i] = i - 1


@jit
def write_values(row, at, values):
    """Writes one value per node at an offset; returns where it stopped."""
    for i in range(len(values)):
        row[at + i] = values[i]
    return at + len(values)


@jit
def write_node(row, at, n, node):
    """Writes a mask that is 1 at one of n nodes, into cleared space; returns where it stopped."""
    row[at + node] = 1.0
    return at + n


@jit
def write_classes(row, at, values, classes):
    """Writes one-hot rows of classes, into cleared space; returns where it stopped."""
    for i in range(len(values)):
        row[at + classes * i + values[i]] = 1.0
    return at + classes * len(values)


@jit
def stable_order(keys):
    """Returns the indices of keys in ascending order, equal keys lowest index first.

    Upstream's `np.argsort` leaves the order of equal keys open; the catalogue settles it.
    """
    order = np.arange(len(keys))
    for j in range(1, len(keys)):
        i = j - 1
        while i >= 0 and keys[order[i]] > keys[j]:
            order[i + 1] = order[i]
            i -= 1
        order[i + 1] = j
    return order
