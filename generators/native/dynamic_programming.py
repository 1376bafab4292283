"""Dynamic programming (Cormen et al. 2009, chapter 15).

Upstream: `clrs._src.algorithms.dynamic_programming`. It fills the tables of matrix_chain_order
and lcs_length in passes: each cell from the cells of the pass before, until nothing changes.
"""

import numpy as np

from clrs_text_bench.compiled import jit

from .bits import truncated, uniform
from .graph_draws import matrix
from .kernel import Kernel
from .probes import one_step, write_initial_order, write_pos
from .sorting import draw_keys
from .two_strings import draw_characters, read_strings, write_strings, write_strings_order

_DIAGONAL, _UP, _LEFT, _BLANK, _CLASSES = 0, 1, 2, 3, 4
_UNKNOWN_COST = 1e9


@jit
def _write_table(row, at, table):
    """Writes an n x n table; returns where it stopped."""
    n = len(table)
    for i in range(n):
        for j in range(n):
            row[at + n * i + j] = table[i, j]
    return at + n * n


@jit
def _chain_step(h, t, n, m, s, known):
    """Traces `pred_h, m, s_h, msk`."""
    if t < len(h):
        row = one_step(h, t)
        write_initial_order(n, row)
        at = _write_table(row, n, m)
        at = _write_table(row, at, s)
        _write_table(row, at, known)
    return t + 1


@jit
def matrix_chain_order(n, x, y, h):
    """Matrix-chain multiplication; input `p`, the dimensions; output `s`, where to split i..j.

    Upstream stops once no cost has changed, even if cells are still unknown: all costs may be 0.
    """
    p, s = x[n : 2 * n], matrix(y, n)
    m, known = np.zeros((n, n)), np.zeros((n, n))
    for i in range(1, n):
        known[i, i] = 1.0
    for t in range(n):  # as many passes as it can take
        last_m, last_known = m.copy(), known.copy()
        _chain_step(h, t, n, m, s, known)
        changed = False
        for i in range(1, n):
            # Cells that are at most t apart are settled after t passes.
            for j in range(i + 1 + t, n):
                for k in range(i, j):
                    if last_known[i, k] and last_known[k + 1, j]:
                        q = last_m[i, k] + last_m[k + 1, j] + p[i - 1] * p[k] * p[j]
                        if not known[i, j] or q < m[i, j]:
                            m[i, j] = q
                            s[i, j] = k
                            known[i, j] = 1.0
                changed |= m[i, j] != last_m[i, j]
        if not changed:
            return t + 1
    return n


@jit
def draw_two_strings(bits, length, x):
    """Draws two random strings; the first takes the odd character."""
    characters = np.empty(length, np.int64)
    draw_characters(bits, characters)
    write_strings(characters, length - length // 2, x)


@jit
def _write_directions(row, at, n, b):
    """Writes one-hot directions of the cells (first string, second string), the others masked."""
    first = len(b)
    for i in range(n):
        for j in range(n):
            cell = at + _CLASSES * (n * i + j)
            if i < first and j >= first:
                row[cell + b[i, j - first]] = 1.0
            else:
                row[cell + _BLANK] = -1.0
    return at + _CLASSES * n * n


@jit
def _lcs_step(h, t, n, b, c):
    """Traces `pred_h, b_h, c`."""
    if t < len(h):
        row = one_step(h, t)
        first = len(b)
        write_strings_order(n, first, row)
        at = _write_directions(row, n, n, b)
        for i in range(first):
            for j in range(n - first):
                row[at + n * i + first + j] = c[i, j]
    return t + 1


@jit
def _fill_edges(b, c, x, y):
    """Fills the first column and then the first row, whose cells hold 0 or 1."""
    for i in range(len(x)):
        if x[i] == y[0]:
            c[i, 0] = 1
        else:
            c[i, 0] = c[i - 1, 0] if i else 0
            b[i, 0] = _UP
    for j in range(len(y)):
        if x[0] == y[j]:
            c[0, j] = 1
        elif j and c[0, j - 1]:
            c[0, j] = 1
            b[0, j] = _LEFT
        else:
            b[0, j] = _UP


@jit
def lcs_length(n, x, y, h):
    """Longest common subsequence; output `b`: to the diagonal, up or left, or no such cell."""
    first, second = read_strings(n, x)
    b = np.zeros((len(first), len(second)), np.int64)
    c = np.zeros((len(first), len(second)), np.int64)
    _fill_edges(b, c, first, second)
    t, changed = 0, True
    while changed:
        last_c = c.copy()
        t = _lcs_step(h, t, n, b, c)
        changed = False
        for i in range(1, len(first)):
            for j in range(1, len(second)):
                if first[i] == second[j]:
                    c[i, j] = last_c[i - 1, j - 1] + 1
                    b[i, j] = _DIAGONAL
                elif last_c[i - 1, j] >= last_c[i, j - 1]:
                    c[i, j] = last_c[i - 1, j]
                    b[i, j] = _UP
                else:
                    c[i, j] = last_c[i, j - 1]
                    b[i, j] = _LEFT
                changed |= c[i, j] != last_c[i, j]
    _write_directions(y, 0, n, b)
    return t


@jit
def draw_probabilities(bits, length, x):
    """Draws 2 * length + 1 values from U[0, 1), divided by their sum before they are truncated.

    The first `length` are `p`, which ends with a 0 that is no probability; the others are `q`.
    """
    n = length + 1
    write_pos(n, x[:n])
    p, q = x[n : 2 * n], x[2 * n : 3 * n]
    total = 0.0
    for i in range(length):
        p[i] = uniform(bits)
        total += p[i]
    for i in range(n):
        q[i] = uniform(bits)
        total += q[i]
    for i in range(length):
        p[i] = truncated(p[i] / total)
    for i in range(n):
        q[i] = truncated(q[i] / total)


@jit
def _tree_step(h, t, n, root, e, w, known):
    """Traces `pred_h, root_h, e, w, msk`."""
    if t < len(h):
        row = one_step(h, t)
        write_initial_order(n, row)
        at = _write_table(row, n, root)
        at = _write_table(row, at, e)
        at = _write_table(row, at, w)
        _write_table(row, at, known)
    return t + 1


@jit
def optimal_bst(n, x, y, h):
    """Optimal binary search tree; output `root` of the tree over keys i..j - 1, for every i < j."""
    p, q, root = x[n : 2 * n], x[2 * n : 3 * n], matrix(y, n)
    e, w, known = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))
    for i in range(n):
        e[i, i] = q[i]
        w[i, i] = q[i]
        known[i, i] = 1.0
    t = _tree_step(h, 0, n, root, e, w, known)
    for size in range(1, n):
        for i in range(n - size):
            j = i + size
            e[i, j] = _UNKNOWN_COST
            w[i, j] = w[i, j - 1] + p[j - 1] + q[j]
            for r in range(i, j):
                cost = e[i, r] + e[r + 1, j] + w[i, j]
                if cost < e[i, j]:
                    e[i, j] = cost
                    root[i, j] = r
            known[i, j] = 1.0
        t = _tree_step(h, t, n, root, e, w, known)
    return t


KERNELS = {
    "matrix_chain_order": Kernel(draw_keys, matrix_chain_order),
    "lcs_length": Kernel(draw_two_strings, lcs_length),
    "optimal_bst": Kernel(draw_probabilities, optimal_bst),
}
