"""Minimum spanning trees (Cormen et al. 2009, chapter 23). Upstream: `clrs._src.algorithms.graphs`.

Inputs `pos, A, adj` of Kruskal's algorithm, `pos, s, A, adj` of Prim's.
"""

import numpy as np

from clrs_text_bench.compiled import jit

from .graph_draws import draw_undirected, matrix, write_source
from .kernel import Kernel
from .priority_queue import extract_min, trace_queue
from .probes import one_step, stable_order, write_node, write_pos, write_values


@jit
def _draw_sparse(bits, length, x):
    """Draws a weighted undirected Erdos-Renyi graph, p = 0.2 twice."""
    write_pos(length, x)
    draw_undirected(bits, length, 0.2, True, x[length:])


@jit
def draw_weighted_from_source(bits, length, x):
    """Draws a weighted undirected Erdos-Renyi graph, p = 0.5 twice, and a source."""
    write_pos(length, x)
    draw_undirected(bits, length, 0.5, True, x[2 * length :])
    write_source(bits, length, x[length:])


@jit
def _step(h, t, n, in_mst, pi, u, v, root_u, root_v, mask_u, mask_v, phase):
    """Traces `in_mst_h, pi, u, v, root_u, root_v, mask_u, mask_v, phase`."""
    if t < len(h):
        row = one_step(h, t)
        place = write_values(row, 0, in_mst.reshape(-1))
        place = write_values(row, place, pi)
        for node in (u, v, root_u, root_v):
            place = write_node(row, place, n, node)
        place = write_values(row, place, mask_u)
        place = write_values(row, place, mask_v)
        row[place + phase] = 1.0
    return t + 1


@jit
def _climb(pi, mask, root):
    """Goes one node towards the root, and points all nodes passed on the way there."""
    root = pi[root]
    for i in range(len(mask)):
        if mask[i] == 1.0:
            pi[i] = root
    mask[root] = 1.0
    return root


@jit
def _edges(weight):
    """Returns the edges (u, v), u < v, of positive weight by ascending weight, `[edges, 2]`."""
    n = len(weight)
    edges, weights, count = np.empty((n * n, 2), np.int64), np.empty(n * n), 0
    for i in range(n):
        for j in range(i + 1, n):
            if weight[i, j] > 0.0:
                edges[count, 0], edges[count, 1] = i, j
                weights[count] = weight[i, j]
                count += 1
    return edges[stable_order(weights[:count])]


@jit
def mst_kruskal(n, x, y, h):
    """Kruskal's algorithm, with path compression but no union by rank; output `in_mst`."""
    edges = _edges(matrix(x[n:], n))
    in_mst, pi = np.zeros((n, n)), np.arange(n)
    mask_u, mask_v = np.zeros(n), np.zeros(n)
    t = _step(h, 0, n, in_mst, pi, 0, 0, 0, 0, mask_u, mask_v, 0)
    for u, v in edges:
        root_u, root_v = u, v
        mask_u[:], mask_v[:] = 0.0, 0.0
        mask_u[u], mask_v[v] = 1.0, 1.0
        t = _step(h, t, n, in_mst, pi, u, v, root_u, root_v, mask_u, mask_v, 1)
        while pi[root_u] != root_u:
            root_u = _climb(pi, mask_u, root_u)
            t = _step(h, t, n, in_mst, pi, u, v, root_u, root_v, mask_u, mask_v, 1)
        while pi[root_v] != root_v:
            root_v = _climb(pi, mask_v, root_v)
            t = _step(h, t, n, in_mst, pi, u, v, root_u, root_v, mask_u, mask_v, 2)
        if root_u != root_v:
            in_mst[u, v], in_mst[v, u] = 1.0, 1.0
            pi[min(root_u, root_v)] = max(root_u, root_v)
        t = _step(h, t, n, in_mst, pi, u, v, root_u, root_v, mask_u, mask_v, 0)
    y[:] = in_mst.reshape(-1)
    return t


@jit
def mst_prim(n, x, y, h):
    """Prim's algorithm; output `pi`."""
    s, weight = np.argmax(x[n : 2 * n]), matrix(x[2 * n :], n)
    key, mark, in_queue, pi = np.zeros(n), np.zeros(n), np.zeros(n), np.arange(n)
    in_queue[s] = 1.0
    t = trace_queue(h, 0, n, pi, key, mark, in_queue, s)
    for _ in range(n):
        u = extract_min(key, in_queue)
        if in_queue[u] == 0.0:
            break
        mark[u] = 1.0
        in_queue[u] = 0.0
        for v in range(n):
            if weight[u, v] == 0.0 or mark[v] == 1.0:
                continue
            if in_queue[v] == 0.0 or weight[u, v] < key[v]:
                pi[v] = u
                key[v] = weight[u, v]
                in_queue[v] = 1.0
        t = trace_queue(h, t, n, pi, key, mark, in_queue, u)
    y[:] = pi
    return t


KERNELS = {
    "mst_kruskal": Kernel(_draw_sparse, mst_kruskal),
    "mst_prim": Kernel(draw_weighted_from_source, mst_prim),
}
