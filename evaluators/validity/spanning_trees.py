"""Valid answers of minimum spanning trees: any of the least weight.

Legend: R rows, n nodes. `A`, symmetric, holds weights in thousandths, 0 where there is no edge. A
graph that is not connected has a spanning forest: Kruskal's algorithm gives all of it, Prim's the
tree of the source.
"""

import numpy as np

from clrs_text_bench.compiled import jit

from .trees import leads_to


@jit
def mst_kruskal(A_Rxnxn, in_mst_Rxnxn):
    """Returns whether the edges marked, both ways alike, are a spanning forest of least weight."""
    R = len(A_Rxnxn)
    valid_R = np.zeros(R, np.bool_)
    for r in range(R):
        valid_R[r] = _forest(A_Rxnxn[r], in_mst_Rxnxn[r]) == _least_forest(A_Rxnxn[r])
    return valid_R


@jit
def _forest(A, marked):
    """Returns number and weight of the marked edges, -1 each if they are no forest.

    They are one if all are there, marked both ways, and none closes a cycle.
    """
    n = len(A)
    tree, edges, weight = np.arange(n), 0, 0
    for u in range(n):
        if marked[u, u] != 0:
            return -1, -1
        for v in range(u + 1, n):
            if marked[u, v] != marked[v, u] or marked[u, v] < 0:
                return -1, -1
            if marked[u, v] == 0:
                continue
            a, b = tree[u], tree[v]
            if A[u, v] == 0 or a == b:
                return -1, -1
            tree[tree == b] = a
            edges += 1
            weight += A[u, v]
    return edges, weight


@jit
def _least_forest(A):
    """Returns the number and the weight of the edges of a minimum spanning forest."""
    reached, edges, weight = np.zeros(len(A), np.bool_), 0, 0
    for s in range(len(A)):
        if not reached[s]:
            more, heavier = _grow(A, s, reached)
            edges += more
            weight += heavier
    return edges, weight


@jit
def _grow(A, s, reached):
    """Marks what s reaches; returns number and weight of the edges of a least tree (Prim)."""
    n = len(A)
    key, edges, weight = np.zeros(n, np.int64), -1, 0
    u = s
    while u >= 0:
        reached[u] = True
        edges += 1
        weight += key[u]
        for v in range(n):
            if A[u, v] != 0 and not reached[v] and (key[v] == 0 or A[u, v] < key[v]):
                key[v] = A[u, v]
        u = -1
        for v in range(n):
            if not reached[v] and key[v] != 0 and (u < 0 or key[v] < key[u]):
                u = v
    return edges, weight


@jit
def mst_prim(s_R, A_Rxnxn, pi_Rxn):
    """Returns whether pointers lead to the source by a least tree of what it reaches.

    The source, and nodes that it does not reach, point to themselves.
    """
    R, n = pi_Rxn.shape
    valid_R = np.zeros(R, np.bool_)
    for r in range(R):
        A, s, pi, reached = A_Rxnxn[r], s_R[r], pi_Rxn[r], np.zeros(n, np.bool_)
        _, least = _grow(A, s, reached)
        weight, tree = 0, pi[s] == s
        for v in range(n):
            if v != s and reached[v]:
                weight += A[pi[v], v]
                tree = tree and A[pi[v], v] != 0 and leads_to(pi, v, s)
            elif v != s:
                tree = tree and pi[v] == v
        valid_R[r] = tree and weight == least
    return valid_R
