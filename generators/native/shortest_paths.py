"""Shortest paths (Cormen et al. 2009, chapters 24-25). Upstream: `clrs._src.algorithms.graphs`.

Inputs `pos, s, A, adj`, of Floyd and Warshall's algorithm `pos, A, adj`; `A` holds the weights, 0
where there is no edge. Distances `d` are 0 where `msk` or `mark` does not say that there is one.
"""

import numpy as np

from clrs_text_bench.compiled import jit

from .graph_draws import draw_acyclic, draw_undirected, matrix, write_source
from .graph_search import (
    COLORS,
    DISCOVERED,
    FINISHED,
    U,
    depth_first,
    follow,
    put_in_front,
    write_path,
)
from .kernel import Kernel
from .priority_queue import extract_min, trace_queue
from .probes import one_step, write_classes, write_node, write_pos, write_values
from .spanning_trees import draw_weighted_from_source


@jit
def _draw_acyclic(bits, length, x):
    """Draws a weighted acyclic graph, p = 0.5, and a source."""
    write_pos(length, x)
    draw_acyclic(bits, length, 0.5, True, x[2 * length :])
    write_source(bits, length, x[length:])


@jit
def _draw_weighted(bits, length, x):
    """Draws a weighted undirected Erdos-Renyi graph, p = 0.5 twice."""
    write_pos(length, x)
    draw_undirected(bits, length, 0.5, True, x[length:])


@jit
def _bellman_ford_step(h, t, pi, d, msk):
    """Traces `pi_h, d, msk`."""
    if t < len(h):
        place = write_values(h[t], 0, pi)
        place = write_values(h[t], place, d)
        write_values(h[t], place, msk)
    return t + 1


@jit
def bellman_ford(n, x, y, h):
    """Bellman and Ford's algorithm, in rounds that end when no distance changes; output `pi`."""
    s, weight = np.argmax(x[n : 2 * n]), matrix(x[2 * n :], n)
    d, msk, pi, t = np.zeros(n), np.zeros(n), np.arange(n), 0
    msk[s] = 1.0
    while True:
        prev_d, prev_msk = d.copy(), msk.copy()
        t = _bellman_ford_step(h, t, pi, prev_d, prev_msk)
        for u in range(n):
            if prev_msk[u] == 1.0:
                for v in range(n):
                    if weight[u, v] != 0.0:
                        if msk[v] == 0.0 or prev_d[u] + weight[u, v] < d[v]:
                            d[v] = prev_d[u] + weight[u, v]
                            pi[v] = u
                        msk[v] = 1.0
        if np.all(d == prev_d):
            break
    y[:] = pi
    return t


@jit
def dijkstra(n, x, y, h):
    """Dijkstra's algorithm; output `pi`."""
    s, weight = np.argmax(x[n : 2 * n]), matrix(x[2 * n :], n)
    d, mark, in_queue, pi = np.zeros(n), np.zeros(n), np.zeros(n), np.arange(n)
    in_queue[s] = 1.0
    t = trace_queue(h, 0, n, pi, d, mark, in_queue, s)
    for _ in range(n):
        u = extract_min(d, in_queue)
        if in_queue[u] == 0.0:
            break
        mark[u] = 1.0
        in_queue[u] = 0.0
        for v in range(n):
            if weight[u, v] == 0.0 or mark[v] == 1.0:
                continue
            if in_queue[v] == 0.0 or d[u] + weight[u, v] < d[v]:
                pi[v] = u
                d[v] = d[u] + weight[u, v]
                in_queue[v] = 1.0
        t = trace_queue(h, t, n, pi, d, mark, in_queue, u)
    y[:] = pi
    return t


@jit
def _trace_dag(row, n, event, pi, d, mark, topo, head, color, s_prev, phase):
    """Traces `pi_h, d, mark, topo_h, topo_head_h, color, s_prev, u, v, s_last, phase`."""
    place = write_values(row, 0, pi)
    place = write_values(row, place, d)
    place = write_values(row, place, mark)
    place = write_values(row, place, topo)
    place = write_node(row, place, n, head)
    place = write_classes(row, place, color, COLORS)
    place = write_path(row, place, n, s_prev, event, U)
    row[place] = phase


@jit
def dag_shortest_paths(n, x, y, h):
    """Shortest paths in an acyclic graph: sort what the source reaches, then relax; output `pi`."""
    source, weight = np.argmax(x[n : 2 * n]), matrix(x[2 * n :], n)
    events = depth_first(weight, np.full(1, source), False)
    color, s_prev, topo, head = np.zeros(n, np.int64), np.arange(n), np.arange(n), 0
    pi, d, mark, t = np.arange(n), np.zeros(n), np.zeros(n), 0
    last = len(events) - 1
    for k in range(len(events)):
        what, u, _ = follow(events, k, color, s_prev)
        if what == DISCOVERED and u != source:
            continue  # as in `topological_sort`
        if what == FINISHED:
            head = put_in_front(u, color, topo, head)
        if t < len(h):
            _trace_dag(one_step(h, t), n, events[k], pi, d, mark, topo, head, color, s_prev, 0)
        t += 1
    mark[source] = 1.0
    while topo[head] != head:
        u = head
        mark[u] = 1.0
        if t < len(h):
            _trace_dag(one_step(h, t), n, events[last], pi, d, mark, topo, u, color, s_prev, 1)
        t += 1
        for v in range(n):
            if weight[u, v] != 0.0 and (mark[v] == 0.0 or d[u] + weight[u, v] < d[v]):
                d[v] = d[u] + weight[u, v]
                pi[v] = u
                mark[v] = 1.0
        head = topo[head]
    if t < len(h):
        _trace_dag(one_step(h, t), n, events[last], pi, d, mark, topo, head, color, s_prev, 1)
    y[:] = pi
    return t + 1


@jit
def _trace_pairs(row, n, pi, d, msk, k):
    """Traces `Pi_h, D, msk, k`."""
    place = write_values(row, 0, pi.reshape(-1))
    place = write_values(row, place, d.reshape(-1))
    place = write_values(row, place, msk.reshape(-1))
    write_node(row, place, n, k)


@jit
def floyd_warshall(n, x, y, h):
    """Floyd and Warshall's algorithm; output `Pi`."""
    d, msk = matrix(x[n:], n).copy(), matrix(x[n + n * n :], n).copy()
    pi = matrix(y, n)
    for i in range(n):
        pi[i] = i
    for k in range(n):
        prev_d, prev_msk = d.copy(), msk.copy()
        if k < len(h):
            _trace_pairs(one_step(h, k), n, pi, prev_d, prev_msk, k)
        for i in range(n):
            if prev_msk[i, k] > 0.0:
                for j in range(n):
                    if prev_msk[k, j] > 0.0:
                        through = prev_d[i, k] + prev_d[k, j]
                        if msk[i, j] == 0.0 or through < d[i, j]:
                            d[i, j] = through
                            pi[i, j] = pi[k, j]
                        msk[i, j] = 1.0
    return n


KERNELS = {
    "bellman_ford": Kernel(draw_weighted_from_source, bellman_ford),
    "dag_shortest_paths": Kernel(_draw_acyclic, dag_shortest_paths),
    "dijkstra": Kernel(draw_weighted_from_source, dijkstra),
    "floyd_warshall": Kernel(_draw_weighted, floyd_warshall),
}
