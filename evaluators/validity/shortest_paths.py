"""Valid answers of shortest paths: any tree of them.

Legend: R rows, n nodes. `A` holds weights in thousandths, 0 where there is no edge.
"""

import numpy as np

from clrs_text_bench.compiled import jit

from .trees import leads_to

_FAR = 2**60


@jit
def single_source(s_R, A_Rxnxn, pi_Rxn):
    """Returns whether the pointers from each node lead to the source by a shortest path.

    The source, and nodes that it does not reach, point to themselves.
    """
    R = len(pi_Rxn)
    valid_R = np.zeros(R, np.bool_)
    for r in range(R):
        A, s, pi = A_Rxnxn[r], s_R[r], pi_Rxn[r]
        valid_R[r] = pi[s] == s and _are_shortest(A, s, pi, _distances(A, s), True)
    return valid_R


@jit
def _distances(A, s):
    """Relaxes all edges until nothing changes, n times at most (Bellman and Ford)."""
    n = len(A)
    distance = np.full(n, _FAR)
    distance[s] = 0
    for _ in range(n):
        changed = False
        for u in range(n):
            if distance[u] < _FAR:
                for v in range(n):
                    if A[u, v] != 0 and distance[u] + A[u, v] < distance[v]:
                        distance[v] = distance[u] + A[u, v]
                        changed = True
        if not changed:
            break
    return distance


@jit
def _are_shortest(A, s, pi, distance, alone):
    """Returns whether all nodes but s have a predecessor on a shortest path from s.

    Nodes out of reach point to themselves (`alone`) or else to s.
    """
    for v in range(len(A)):
        if v == s:
            continue
        u = pi[v]
        if distance[v] == _FAR:
            if u != (v if alone else s):
                return False
        elif A[u, v] == 0 or distance[u] + A[u, v] != distance[v] or not leads_to(pi, v, s):
            return False
    return True


@jit
def floyd_warshall(A_Rxnxn, Pi_Rxnxn):
    """Returns whether `Pi[i, j]` stands before j on a shortest path from i, for all pairs.

    `Pi[i, j]` is i where i does not reach j, and `Pi[i, i]` is i: the path is empty. Where i has a
    loop, upstream has no empty path, and `Pi[i, i]` may stand before i on a shortest way back to
    it.
    """
    R, n = len(A_Rxnxn), A_Rxnxn.shape[1]
    valid_R = np.ones(R, np.bool_)
    for r in range(R):
        A = A_Rxnxn[r]
        for i in range(n):
            distance, pi = _distances(A, i), Pi_Rxnxn[r, i]
            valid_R[r] = (
                valid_R[r]
                and (pi[i] == i or _is_way_back(A, i, pi[i], distance))
                and _are_shortest(A, i, pi, distance, False)
            )
    return valid_R


@jit
def _is_way_back(A, i, last, distance):
    """Returns whether a shortest way from i to i, which has a loop, goes over `last`."""
    if A[i, i] == 0 or A[last, i] == 0:
        return False
    shortest = _FAR
    for k in range(len(A)):
        if A[k, i] != 0:
            shortest = min(shortest, distance[k] + A[k, i])
    return distance[last] + A[last, i] == shortest
