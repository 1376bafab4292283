"""What checks of trees have in common."""

import numpy as np

from clrs_text_bench.compiled import jit


@jit
def leads_to(pi, node, root):
    """Returns whether pointers lead from a node to the root."""
    for _ in range(len(pi)):
        if node == root:
            return True
        node = pi[node]
    return False


@jit
def is_acyclic(before):
    """Returns whether a relation, bool `[n, n]`, has no cycle: takes away what has nothing before.

    Returns False where an element is before itself.
    """
    n = len(before)
    waits, gone = np.zeros(n, np.int64), np.zeros(n, np.bool_)
    for a in range(n):
        for b in range(n):
            waits[b] += before[a, b]
    for _ in range(n):
        free = -1
        for a in range(n):
            if not gone[a] and waits[a] == 0:
                free = a
                break
        if free < 0:
            return False
        gone[free] = True
        for b in range(n):
            waits[b] -= before[free, b]
    return True
