"""Searches of graphs (Cormen et al. 2009, chapter 22). Upstream: `clrs._src.algorithms.graphs`.

Inputs `pos, A, adj`, of breadth-first search `pos, s, A, adj`.
"""

import numpy as np

from .graph_draws import (
    draw_acyclic,
    draw_communities,
    draw_directed,
    draw_undirected,
    matrix,
    write_source,
)
from .kernel import Kernel, jit
from .probes import one_step, write_classes, write_node, write_pos, write_values

WHITE, GREY, BLACK = range(3)
COLORS = 3

ROOT, ARRIVED, TREE_EDGE, OTHER_EDGE, FINISHED = range(5)
S, U, V, S_LAST = range(4)

_TICK = 0.01


@jit
def depth_first(edge, roots, color, s_prev, at):
    """Walks a graph depth first, in upstream's iterative form, and yields what happens.

    The path from the root to where the search stands is a linked list: `s_prev` points from each
    node on it to the one before, and its end is `at[S_LAST]`. Whenever the search is at a node
    anew, it looks at that node's edges again from the first.

    Args:
      edge: `[n, n]`, an edge where it is not 0.
      roots: nodes to start from, in this order, where they are still white.
      color: int64 `[n]`, all white.
      s_prev: int64 `[n]`, each node itself.
      at: int64 `[4]`, overwritten: the root `s`, the node `u` the search is at, the node `v` it
        looks at, and the end of the path.

    Yields:
      `ROOT`; `ARRIVED` at `u`, for the first time or again; `TREE_EDGE`, when a white `v` was
      found and made the end of the path; `OTHER_EDGE`, when a `v` was found that is not white;
      `FINISHED`, when `u` has no white neighbour left and was made black.
    """
    n = len(color)
    for s in roots:
        if color[s] != WHITE:
            continue
        at[:] = s
        yield ROOT
        while True:
            u = at[U]
            yield ARRIVED
            for v in range(n):
                if edge[u, v] == 0.0:
                    continue
                at[V] = v
                if color[v] == WHITE:
                    color[v] = GREY
                    s_prev[v] = at[S_LAST]
                    at[S_LAST] = v
                    yield TREE_EDGE
                    break
                yield OTHER_EDGE
            if at[S_LAST] == u:
                color[u] = BLACK
                at[V] = n - 1
                yield FINISHED
                if s_prev[u] == u:
                    break
                at[S_LAST] = s_prev[u]
                s_prev[u] = u
            at[U] = at[S_LAST]


@jit
def write_path(row, place, n, s_prev, at, first):
    """Writes `s_prev` and the masks of `at` from the one named `first` on."""
    place = write_values(row, place, s_prev)
    for k in range(first, 4):
        place = write_node(row, place, n, at[k])
    return place


@jit
def put_in_front(u, color, topo, head):
    """Puts a finished node in front of the topological order; returns it as the new head."""
    if color[head] == BLACK:
        topo[u] = head
    return u


@jit
def _draw_directed(bits, length, x):
    """Draws an Erdos-Renyi graph, p = 0.5."""
    write_pos(length, x)
    draw_directed(bits, length, 0.5, x[length:])


@jit
def _draw_acyclic(bits, length, x):
    """Draws an acyclic graph, p = 0.5."""
    write_pos(length, x)
    draw_acyclic(bits, length, 0.5, False, x[length:])


@jit
def _draw_sparse(bits, length, x):
    """Draws an undirected Erdos-Renyi graph, p = 0.2 twice."""
    write_pos(length, x)
    draw_undirected(bits, length, 0.2, False, x[length:])


@jit
def _draw_communities(bits, length, x):
    """Draws communities, p = 0.5."""
    write_pos(length, x)
    draw_communities(bits, length, 0.5, x[length:])


@jit
def _draw_from_source(bits, length, x):
    """Draws an undirected Erdos-Renyi graph, p = 0.5 twice, and a source."""
    write_pos(length, x)
    draw_undirected(bits, length, 0.5, False, x[2 * length :])
    write_source(bits, length, x[length:])


@jit
def _dfs_step(h, t, n, pi, color, d, f, s_prev, at, time):
    """Traces `pi_h, color, d, f, s_prev, s, u, v, s_last, time`."""
    if t < len(h):
        row = one_step(h, t)
        place = write_values(row, 0, pi)
        place = write_classes(row, place, color, COLORS)
        place = write_values(row, place, d)
        place = write_values(row, place, f)
        place = write_path(row, place, n, s_prev, at, S)
        row[place] = time
    return t + 1


@jit
def dfs(n, x, y, h):
    """Depth-first search; output `pi`."""
    color, s_prev, at = np.zeros(n, np.int64), np.arange(n), np.zeros(4, np.int64)
    pi, d, f = np.arange(n), np.zeros(n), np.zeros(n)
    time, t = 0.0, 0
    for event in depth_first(matrix(x[n:], n), np.arange(n), color, s_prev, at):
        u, v = at[U], at[V]
        if event == ARRIVED:
            if d[u] != 0.0:
                continue
            time += _TICK
            d[u] = time
            color[u] = GREY
        elif event == TREE_EDGE:
            pi[v] = u
        elif event == OTHER_EDGE:
            continue
        elif event == FINISHED:
            time += _TICK
            f[u] = time
        t = _dfs_step(h, t, n, pi, color, d, f, s_prev, at, time)
    y[:] = pi
    return t


@jit
def _topo_step(h, t, n, topo, head, color, s_prev, at):
    """Traces `topo_h, topo_head_h, color, s_prev, s, u, v, s_last`."""
    if t < len(h):
        row = one_step(h, t)
        place = write_values(row, 0, topo)
        place = write_node(row, place, n, head)
        place = write_classes(row, place, color, COLORS)
        write_path(row, place, n, s_prev, at, S)
    return t + 1


@jit
def topological_sort(n, x, y, h):
    """Topological sort; outputs `topo, topo_head`."""
    color, s_prev, at = np.zeros(n, np.int64), np.arange(n), np.zeros(4, np.int64)
    topo, head, t = np.arange(n), 0, 0
    for event in depth_first(matrix(x[n:], n), np.arange(n), color, s_prev, at):
        u = at[U]
        if event == ARRIVED:
            if color[u] != WHITE:
                continue
            color[u] = GREY
        elif event == OTHER_EDGE:
            continue
        elif event == FINISHED:
            head = put_in_front(u, color, topo, head)
        t = _topo_step(h, t, n, topo, head, color, s_prev, at)
    y[:n] = topo
    y[n + head] = 1.0
    return t


@jit
def _scc_step(h, t, n, scc_id, adjacent, color, d, f, s_prev, at, time, phase):
    """Traces `scc_id_h, A_t, color, d, f, s_prev, s, u, v, s_last, time, phase`."""
    if t < len(h):
        row = one_step(h, t)
        place = write_values(row, 0, scc_id)
        for i in range(n):
            place = write_values(row, place, adjacent[:, i])
        place = write_classes(row, place, color, COLORS)
        place = write_values(row, place, d)
        place = write_values(row, place, f)
        place = write_path(row, place, n, s_prev, at, S)
        row[place] = time
        row[place + 1] = phase
    return t + 1


@jit
def strongly_connected_components(n, x, y, h):
    """Strongly connected components (Kosaraju); output `scc_id`.

    The second phase keeps the times of the first, so that only its roots are discovered anew.
    """
    edge, adjacent = matrix(x[n:], n), matrix(x[n + n * n :], n)
    scc_id, d, f = np.arange(n), np.zeros(n), np.zeros(n)
    roots, finished = np.arange(n), np.empty(n, np.int64)
    time, t = 0.0, 0
    for phase in range(2):
        color, s_prev, at = np.zeros(n, np.int64), np.arange(n), np.zeros(4, np.int64)
        towards = edge if phase == 0 else edge.T.copy()
        last = n
        for event in depth_first(towards, roots, color, s_prev, at):
            u = at[U]
            if event == ARRIVED:
                if phase == 1:
                    scc_id[u] = at[S]
                if color[u] != WHITE and d[u] != 0.0:
                    continue
                time += _TICK
                d[u] = time
                color[u] = GREY
            elif event == OTHER_EDGE:
                continue
            elif event == FINISHED:
                time += _TICK
                f[u] = time
                last -= 1
                finished[last] = u
            t = _scc_step(h, t, n, scc_id, adjacent, color, d, f, s_prev, at, time, phase)
        roots = finished.copy()
    y[:] = scc_id
    return t


@jit
def _cut_step(h, t, n, is_cut, pi, color, d, f, low, child_cnt, s_prev, at, time):
    """Traces `is_cut_h, pi_h, color, d, f, low, child_cnt, s_prev, s, u, v, s_last, time`."""
    if t < len(h):
        row = one_step(h, t)
        place = write_values(row, 0, is_cut)
        place = write_values(row, place, pi)
        place = write_classes(row, place, color, COLORS)
        place = write_values(row, place, d)
        place = write_values(row, place, f)
        place = write_values(row, place, low)
        place = write_values(row, place, child_cnt)
        place = write_path(row, place, n, s_prev, at, S)
        row[place] = time
    return t + 1


@jit
def articulation_points(n, x, y, h):
    """Articulation points (Tarjan); output `is_cut`."""
    color, s_prev, at = np.zeros(n, np.int64), np.arange(n), np.zeros(4, np.int64)
    pi, d, f = np.arange(n), np.zeros(n), np.zeros(n)
    low, child_cnt, is_cut = np.zeros(n), np.zeros(n), np.zeros(n)
    time, t = 0.0, 0
    for event in depth_first(matrix(x[n:], n), np.arange(n), color, s_prev, at):
        u, v = at[U], at[V]
        if event == ARRIVED:
            if d[u] != 0.0:
                continue
            time += _TICK
            d[u] = time
            low[u] = time
            color[u] = GREY
        elif event == TREE_EDGE:
            pi[v] = u
            child_cnt[u] += _TICK
        elif event == OTHER_EDGE:
            if v == pi[u]:
                continue
            low[u] = min(low[u], d[v])
        elif event == FINISHED:
            time += _TICK
            f[u] = time
            # A root is its own parent, and so among its own children; that changes nothing.
            for child in range(n):
                if pi[child] == u:
                    low[u] = min(low[u], low[child])
                    if pi[u] != u and low[child] >= d[u]:
                        is_cut[u] = 1.0
            if pi[u] == u and child_cnt[u] > _TICK:
                is_cut[u] = 1.0
        t = _cut_step(h, t, n, is_cut, pi, color, d, f, low, child_cnt, s_prev, at, time)
    y[:] = is_cut
    return t


@jit
def _bridge_step(h, t, n, is_bridge, pi, color, d, f, low, s_prev, at, time):
    """Traces `is_bridge_h, pi_h, color, d, f, low, s_prev, s, u, v, s_last, time`."""
    if t < len(h):
        row = one_step(h, t)
        place = write_values(row, 0, is_bridge.reshape(-1))
        place = write_values(row, place, pi)
        place = write_classes(row, place, color, COLORS)
        place = write_values(row, place, d)
        place = write_values(row, place, f)
        place = write_values(row, place, low)
        place = write_path(row, place, n, s_prev, at, S)
        row[place] = time
    return t + 1


@jit
def bridges(n, x, y, h):
    """Bridges (Tarjan); output `is_bridge`, -1 (masked) where there is no edge."""
    color, s_prev, at = np.zeros(n, np.int64), np.arange(n), np.zeros(4, np.int64)
    pi, d, f, low = np.arange(n), np.zeros(n), np.zeros(n), np.zeros(n)
    is_bridge = matrix(x[n + n * n :], n) - 1.0
    time, t = 0.0, 0
    for event in depth_first(matrix(x[n:], n), np.arange(n), color, s_prev, at):
        u, v = at[U], at[V]
        if event == ARRIVED:
            if d[u] != 0.0:
                continue
            time += _TICK
            d[u] = time
            low[u] = time
            color[u] = GREY
        elif event == TREE_EDGE:
            pi[v] = u
        elif event == OTHER_EDGE:
            if v == pi[u]:
                continue
            low[u] = min(low[u], d[v])
        elif event == FINISHED:
            time += _TICK
            f[u] = time
            for child in range(n):
                if pi[child] == u:
                    low[u] = min(low[u], low[child])
                    if low[child] > d[u]:
                        is_bridge[u, child] = 1.0
                        is_bridge[child, u] = 1.0
        t = _bridge_step(h, t, n, is_bridge, pi, color, d, f, low, s_prev, at, time)
    y[:] = is_bridge.reshape(-1)
    return t


@jit
def _bfs_step(h, t, reach, pi):
    """Traces `reach_h, pi_h`."""
    if t < len(h):
        place = write_values(h[t], 0, reach)
        write_values(h[t], place, pi)
    return t + 1


@jit
def bfs(n, x, y, h):
    """Breadth-first search, layer by layer; output `pi`."""
    s, edge = np.argmax(x[n : 2 * n]), matrix(x[2 * n :], n)
    reach, pi, t = np.zeros(n), np.arange(n), 0
    reach[s] = 1.0
    while True:
        reached = reach.copy()
        t = _bfs_step(h, t, reached, pi)
        for i in range(n):
            if reached[i] == 1.0:
                for j in range(n):
                    if edge[i, j] > 0.0:
                        if pi[j] == j and j != s:
                            pi[j] = i
                        reach[j] = 1.0
        if np.all(reach == reached):
            break
    y[:] = pi
    return t


KERNELS = {
    "dfs": Kernel(_draw_directed, dfs),
    "topological_sort": Kernel(_draw_acyclic, topological_sort),
    "strongly_connected_components": Kernel(_draw_communities, strongly_connected_components),
    "articulation_points": Kernel(_draw_sparse, articulation_points),
    "bridges": Kernel(_draw_sparse, bridges),
    "bfs": Kernel(_draw_from_source, bfs),
}
