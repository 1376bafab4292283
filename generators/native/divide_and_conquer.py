"""Maximum subarray (Bentley 1984). Upstream: `clrs._src.algorithms.divide_and_conquer`.

Inputs `pos, key`; outputs `start, end`, the first and last node of the subarray.
"""

from clrs_text_bench.compiled import jit

from .kernel import Kernel
from .probes import one_step, write_initial_order, write_node, write_pos, write_uniform


@jit
def draw_signed_keys(bits, length, x):
    """Draws keys from U[-1, 1)."""
    write_pos(length, x[:length])
    write_uniform(bits, x[length:], -1.0, 1.0)


@jit
def _step(h, t, n, best_low, best_high, best_sum, i, j, total):
    """Traces `pred_h, best_low, best_high, best_sum, i, j, sum`."""
    if t < len(h):
        row = one_step(h, t)
        write_initial_order(n, row)
        at = write_node(row, n, n, best_low)
        at = write_node(row, at, n, best_high)
        row[at] = best_sum
        at = write_node(row, at + 1, n, i)
        at = write_node(row, at, n, j)
        row[at] = total
    return t + 1


@jit
def find_maximum_subarray_kadane(n, x, y, h):
    """Kadane's algorithm: the best subarray that ends at j, for every j."""
    key = x[n : 2 * n]
    best_low, best_high, best_sum = 0, 0, key[0]
    i, total = 0, key[0]
    t = _step(h, 0, n, best_low, best_high, best_sum, i, 0, total)
    for j in range(1, n):
        if total + key[j] >= key[j]:
            total += key[j]
        else:
            i, total = j, key[j]
        if total > best_sum:
            best_low, best_high, best_sum = i, j, total
        t = _step(h, t, n, best_low, best_high, best_sum, i, j, total)
    start, end = y[:n], y[n : 2 * n]
    start[best_low] = 1.0
    end[best_high] = 1.0
    return t


KERNELS = {
    "find_maximum_subarray_kadane": Kernel(draw_signed_keys, find_maximum_subarray_kadane),
}
