"""Searching (Cormen et al. 2009, chapters 2 and 9). Upstream: `clrs._src.algorithms.searching`.

Inputs `pos, key`, and `target` of binary search; one output, a node.
"""

import numpy as np

from clrs_text_bench.compiled import jit

from .bits import truncated, uniform
from .kernel import Kernel
from .probes import (
    one_step,
    stable_order,
    write_initial_order,
    write_node,
    write_order,
    write_pos,
    write_uniform,
)
from .sorting import draw_keys


@jit
def _minimum_step(h, t, n, least, i):
    """Traces `pred_h, min_h, i`."""
    if t < len(h):
        row = one_step(h, t)
        write_initial_order(n, row)
        at = write_node(row, n, n, least)
        write_node(row, at, n, i)
    return t + 1


@jit
def minimum(n, x, y, h):
    """Minimum; output `min`."""
    key = x[n : 2 * n]
    least = 0
    t = _minimum_step(h, 0, n, least, 0)
    for i in range(1, n):
        if key[least] > key[i]:
            least = i
        t = _minimum_step(h, t, n, least, i)
    y[least] = 1.0
    return t


@jit
def draw_sorted_keys(bits, length, x):
    """Draws keys from U[0, 1), sorted, and a target from U[0, 1)."""
    key = np.empty(length)
    write_uniform(bits, key, 0.0, 1.0)
    write_pos(length, x[:length])
    order = stable_order(key)
    for i in range(length):
        x[length + i] = key[order[i]]
    x[2 * length] = truncated(uniform(bits))


@jit
def _binary_step(h, t, n, low, high):
    """Traces `pred_h, low, high, mid`."""
    if t < len(h):
        row = one_step(h, t)
        write_initial_order(n, row)
        at = write_node(row, n, n, low)
        at = write_node(row, at, n, high)
        write_node(row, at, n, (low + high) // 2)
    return t + 1


@jit
def binary_search(n, x, y, h):
    """Binary search for the first key that is not below the target; output `return`."""
    key, target = x[n : 2 * n], x[2 * n]
    low, high = 0, n - 1  # the last node, where no key is large enough
    t = _binary_step(h, 0, n, low, high)
    while low < high:
        mid = (low + high) // 2
        if target <= key[mid]:
            high = mid
        else:
            low = mid + 1
        t = _binary_step(h, t, n, low, high)
    y[high] = 1.0
    return t


@jit
def _select_step(h, t, n, order, p, r, i, j, i_rank, target, pivot):
    """Traces `pred_h, p, r, i, j, i_rank, target, pivot`: the nodes at places, ranks over n."""
    if t < len(h):
        row = one_step(h, t)
        write_order(order, row[:n])
        at = write_node(row, n, n, order[p])
        at = write_node(row, at, n, order[r])
        at = write_node(row, at, n, order[i])
        at = write_node(row, at, n, order[j])
        row[at] = i_rank / n
        row[at + 1] = target / n
        write_node(row, at + 2, n, order[pivot])
    return t + 1


@jit
def _swap(key, order, i, j):
    key[i], key[j] = key[j], key[i]
    order[i], order[j] = order[j], order[i]


@jit
def quickselect(n, x, y, h):
    """Quickselect of rank n // 2, the last key as pivot (Lomuto); output `median`.

    `target` is the rank within the part p..r that is left. `i_rank` is counted from the first
    node while a part is being partitioned, and from p once it is, as upstream has it.
    """
    key, order = x[n : 2 * n].copy(), np.arange(n)
    p, r, target, t = 0, n - 1, n // 2, 0
    while True:
        i = p
        for j in range(p, r):
            if key[j] <= key[r]:
                _swap(key, order, i, j)
                i += 1
            t = _select_step(h, t, n, order, p, r, i, j, i, target, r)
        _swap(key, order, i, r)
        rank = i - p
        t = _select_step(h, t, n, order, p, r, i, r, rank, target, i)
        if rank == target:
            y[order[i]] = 1.0
            return t
        if target < rank:
            r = i - 1
        else:
            p = i + 1
            target -= rank + 1


KERNELS = {
    "minimum": Kernel(draw_keys, minimum),
    "binary_search": Kernel(draw_sorted_keys, binary_search),
    "quickselect": Kernel(draw_keys, quickselect),
}
