"""Sorting (Cormen et al. 2009, chapters 2, 6 and 7). Upstream: `clrs._src.algorithms.sorting`.

Inputs `pos, key`; output `pred`. Keys are drawn from U[0, 1). `order[i]` is the node whose key
stands at place i.
"""

import numpy as np

from clrs_text_bench.compiled import jit

from .kernel import Kernel
from .probes import one_step, write_order, write_pos, write_uniform


@jit
def draw_keys(bits, length, x):
    """Draws keys from U[0, 1)."""
    write_pos(length, x[:length])
    write_uniform(bits, x[length:], 0.0, 1.0)


@jit
def _step(h, t, n, order, i, j):
    """Traces `pred_h, i, j`."""
    if t < len(h):
        row = one_step(h, t)
        write_order(order, row[:n])
        row[n + i] = 1
        row[2 * n + j] = 1
    return t + 1


@jit
def insertion_sort(n, x, y, h):
    """Insertion sort; `i` traces the node that stood where the key was put, as upstream does."""
    key, order = x[n:].copy(), np.arange(n)
    t = _step(h, 0, n, order, 0, 0)
    for j in range(1, n):
        inserted = key[j]
        i = j - 1
        while i >= 0 and key[i] > inserted:
            key[i + 1] = key[i]
            order[i + 1] = order[i]
            i -= 1
        key[i + 1] = inserted
        displaced = order[i + 1]
        order[i + 1] = j
        t = _step(h, t, n, order, displaced, j)
    write_order(order, y)
    return t


@jit
def bubble_sort(n, x, y, h):
    """Bubble sort."""
    key, order = x[n:].copy(), np.arange(n)
    t = _step(h, 0, n, order, 0, 0)
    for i in range(n - 1):
        for j in range(n - 1, i, -1):
            if key[j] < key[j - 1]:
                _swap(key, order, j, j - 1)
            t = _step(h, t, n, order, order[i], order[j])
    write_order(order, y)
    return t


@jit
def _swap(key, order, i, j):
    key[i], key[j] = key[j], key[i]
    order[i], order[j] = order[j], order[i]


@jit
def _heap_step(h, t, n, order, heap_size, i, j, largest, last, phase):
    """Traces `pred_h, parent, i, j, largest, heap_size, phase`."""
    if t < len(h):
        row = one_step(h, t)
        write_order(order, row[:n])
        for place in range(n):
            row[n + place] = place
        for place in range(1, heap_size):
            row[n + order[place]] = order[(place - 1) // 2]
        row[2 * n + i] = 1
        row[3 * n + j] = 1
        row[4 * n + largest] = 1
        row[5 * n + last] = 1
        row[6 * n + phase] = 1
    return t + 1


@jit
def _max_heapify(h, t, n, key, order, i, heap_size, root, phase):
    """Lets the key at place i sink; `root` is where the call began, which is what `i` traces."""
    while True:
        left, right, largest = 2 * i + 1, 2 * i + 2, i
        if left < heap_size and key[left] > key[largest]:
            largest = left
        if right < heap_size and key[right] > key[largest]:
            largest = right
        if largest != i:
            _swap(key, order, i, largest)
        t = _heap_step(
            h, t, n, order, heap_size,
            order[root], order[i], order[largest], order[heap_size - 1], phase,
        )  # fmt: skip
        if largest == i:
            return t
        i = largest


@jit
def heapsort(n, x, y, h):
    """Heapsort."""
    key, order = x[n:].copy(), np.arange(n)
    t = _heap_step(h, 0, n, order, n, n - 1, n - 1, n - 1, n - 1, 0)
    for i in range(n - 1, -1, -1):
        t = _max_heapify(h, t, n, key, order, i, n, i, 0)
    for i in range(n - 1, 0, -1):
        _swap(key, order, 0, i)
        # Upstream traces node 0 as `largest` here, whatever stands at the root.
        t = _heap_step(h, t, n, order, i, order[0], order[i], 0, order[i - 1], 1)
        t = _max_heapify(h, t, n, key, order, 0, i, i, 2)
    write_order(order, y)
    return t


@jit
def _partition_step(h, t, n, order, p, r, i, j):
    """Traces `pred_h, p, r, i, j`, each the node at that place."""
    if t < len(h):
        row = one_step(h, t)
        write_order(order, row[:n])
        row[n + order[p]] = 1
        row[2 * n + order[r]] = 1
        row[3 * n + order[i]] = 1
        row[4 * n + order[j]] = 1
    return t + 1


@jit
def quicksort(n, x, y, h):
    """Quicksort, the last key as pivot (Lomuto); left parts first, on a stack of one's own."""
    key, order = x[n:].copy(), np.arange(n)
    stack = np.empty((n + 1, 2), np.int64)
    stack[0, 0], stack[0, 1] = 0, n - 1
    depth, t = 1, 0
    while depth:
        depth -= 1
        p, r = stack[depth, 0], stack[depth, 1]
        if p >= r:
            continue
        i = p - 1
        for j in range(p, r):
            if key[j] <= key[r]:
                i += 1
                _swap(key, order, i, j)
            t = _partition_step(h, t, n, order, p, r, i + 1, j)
        _swap(key, order, i + 1, r)
        t = _partition_step(h, t, n, order, p, r, i + 1, r)
        stack[depth, 0], stack[depth, 1] = i + 2, r
        stack[depth + 1, 0], stack[depth + 1, 1] = p, i
        depth += 2
    write_order(order, y)
    return t


KERNELS = {
    "insertion_sort": Kernel(draw_keys, insertion_sort),
    "bubble_sort": Kernel(draw_keys, bubble_sort),
    "heapsort": Kernel(draw_keys, heapsort),
    "quicksort": Kernel(draw_keys, quicksort),
}
