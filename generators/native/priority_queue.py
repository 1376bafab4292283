"""The queue of Prim's and Dijkstra's algorithms, a node's place in it given by its key.

Upstream keeps it as an array, and extracts the minimum by sorting (`np.argsort`).
"""

from clrs_text_bench.compiled import jit

from .probes import one_step, write_node, write_values

_NOT_IN_QUEUE = 1e9


@jit
def extract_min(key, in_queue):
    """Returns the node of the least key among those in the queue, the lowest of equal ones.

    With none in the queue, or none whose key is below 1e9, it is one that is not in it.
    """
    least, found = key[0] + (1.0 - in_queue[0]) * _NOT_IN_QUEUE, 0
    for v in range(1, len(key)):
        value = key[v] + (1.0 - in_queue[v]) * _NOT_IN_QUEUE
        if value < least:
            least, found = value, v
    return found


@jit
def trace_queue(h, t, n, pi, key, mark, in_queue, u):
    """Traces `pi_h, key, mark, in_queue, u` (Dijkstra's key is called `d`)."""
    if t < len(h):
        row = one_step(h, t)
        place = write_values(row, 0, pi)
        place = write_values(row, place, key)
        place = write_values(row, place, mark)
        place = write_values(row, place, in_queue)
        write_node(row, place, n, u)
    return t + 1
