"""Valid answers of graph searches.

Legend: R rows, n nodes. An edge goes from i to j where `A[i, j]` is not 0.
"""

import numpy as np

from clrs_text_bench.compiled import jit

from .trees import is_acyclic


@jit
def bfs(s_R, A_Rxnxn, pi_Rxn):
    """Returns whether parents are neighbours one step nearer to the source.

    The source, and nodes that it does not reach, point to themselves.
    """
    R, n = pi_Rxn.shape
    valid_R = np.ones(R, np.bool_)
    for r in range(R):
        A, pi, depth = A_Rxnxn[r], pi_Rxn[r], _depths(A_Rxnxn[r], s_R[r])
        for v in range(n):
            u = pi[v]
            if depth[v] <= 0:
                valid_R[r] &= u == v
            else:
                valid_R[r] &= A[u, v] != 0 and depth[u] == depth[v] - 1
    return valid_R


@jit
def _depths(A, s):
    """Returns the numbers of edges from s, -1 for nodes out of reach."""
    n = len(A)
    depth, queue, count = np.full(n, -1), np.empty(n, np.int64), 1
    depth[s], queue[0] = 0, s
    for k in range(n):
        if k == count:
            break
        u = queue[k]
        for v in range(n):
            if A[u, v] != 0 and depth[v] < 0:
                depth[v] = depth[u] + 1
                queue[count] = v
                count += 1
    return depth


@jit
def dfs(A_Rxnxn, pi_Rxn):
    """Returns whether some depth-first search has these parents; roots point to themselves.

    Of roots, and of the children of a node, any may come first, unless an edge forbids it: one
    from the tree below a to the tree below b must be found after b's tree is finished, or its end
    would be white, and be put below a. So b comes before a, and an order in which all such pairs
    are kept is one that a search can take.
    """
    R = len(pi_Rxn)
    valid_R = np.zeros(R, np.bool_)
    for r in range(R):
        valid_R[r] = _is_depth_first(A_Rxnxn[r], pi_Rxn[r])
    return valid_R


@jit
def _is_depth_first(A, pi):
    n = len(pi)
    depth = np.zeros(n, np.int64)
    for v in range(n):
        u = v
        while pi[u] != u:
            if A[pi[u], u] == 0 or depth[v] == n:
                return False
            u = pi[u]
            depth[v] += 1
    before = np.zeros((n, n), np.bool_)
    for u in range(n):
        for v in range(n):
            if A[u, v] != 0:
                a, b = _siblings(pi, depth, u, v)
                if a != b:
                    before[b, a] = True
    return is_acyclic(before)


@jit
def _siblings(pi, depth, u, v):
    """Returns the siblings, or roots, above or at u and v; one twice if u or v is an ancestor."""
    while depth[u] > depth[v]:
        u = pi[u]
    while depth[v] > depth[u]:
        v = pi[v]
    while u != v and pi[u] != pi[v] and pi[u] != u:
        u, v = pi[u], pi[v]
    return u, v


@jit
def topological_sort(A_Rxnxn, topo_Rxn, head_R):
    """Returns whether the list from `head` on holds all nodes, and no edge goes back in it."""
    R, n = topo_Rxn.shape
    valid_R = np.zeros(R, np.bool_)
    for r in range(R):
        A, place, last = A_Rxnxn[r], _places(topo_Rxn[r], head_R[r]), True
        for u in range(n):
            last &= place[u] >= 0
            for v in range(n):
                last &= A[u, v] == 0 or u == v or place[u] < place[v]
        valid_R[r] = last
    return valid_R


@jit
def _places(after, head):
    """Returns each node's place in a list, -1 for those that are not in it."""
    place, node, count = np.full(len(after), -1), head, 0
    while place[node] < 0:
        place[node] = count
        count += 1
        node = after[node]
    # The last node is followed by itself: a list that goes back to another has no end.
    if place[node] != count - 1:
        place[:] = -1
    return place


@jit
def strongly_connected_components(A_Rxnxn, id_Rxn):
    """Returns whether each component is named by one of its nodes.

    Any of them can be the one that a depth-first search finishes last.
    """
    R, n = id_Rxn.shape
    valid_R = np.ones(R, np.bool_)
    for r in range(R):
        reach, name = _reach(A_Rxnxn[r]), id_Rxn[r]
        for u in range(n):
            valid_R[r] &= reach[u, name[u]] and reach[name[u], u]
            for v in range(n):
                together = reach[u, v] and reach[v, u]
                valid_R[r] &= together == (name[u] == name[v])
    return valid_R


@jit
def _reach(A):
    n = len(A)
    reach = np.eye(n) + A != 0
    for k in range(n):
        for i in range(n):
            if reach[i, k]:
                reach[i] |= reach[k]
    return reach
