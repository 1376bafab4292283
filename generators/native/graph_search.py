"""Searches of graphs (Cormen et al. 2009, chapter 22). Upstream: `clrs._src.algorithms.graphs`.

Inputs `pos, A, adj`, of breadth-first search `pos, s, A, adj`.
"""

import numpy as np

from clrs_text_bench.compiled import jit

from .graph_draws import (
    draw_acyclic,
    draw_communities,
    draw_directed,
    draw_undirected,
    matrix,
    write_source,
)
from .kernel import Kernel
from .probes import one_step, write_classes, write_node, write_pos, write_values

WHITE, GREY, BLACK = range(3)
COLORS = 3

ROOT, DISCOVERED, TREE_EDGE, OTHER_EDGE, FINISHED = range(5)
WHAT, S, U, V = range(4)

_TICK = 0.01


@jit
def depth_first(edge, roots, every_edge):
    """Searches a graph depth first, neighbours lowest index first, and returns what happens.

    All of upstream's depth-first algorithms take the same way through a graph; they differ in
    what they make of it. `follow` goes along with it.

    Args:
      edge: `[n, n]`, an edge where it is not 0.
      roots: nodes to start from, in this order, where they are still white.
      every_edge: whether to tell of edges to nodes that are not white, too. Upstream looks at a
        node's edges from the first whenever it comes back to it, so they are told of again.

    Returns:
      Events, int64 `[events, 4]`: what, the root `s`, the node `u` that the search is at, and the
      node `v` that it looks at. What is `ROOT`, `u` being a root; `DISCOVERED`, `u` being new;
      `TREE_EDGE`, to a white `v`; `OTHER_EDGE`, to a `v` of another color; or `FINISHED`, with
      `v` the last of all nodes.
    """
    n = len(edge)
    events, count = np.empty((3 * n + (2 * n * n if every_edge else 0), 4), np.int64), 0
    color, parent, looked = np.zeros(n, np.int64), np.arange(n), np.zeros(n, np.int64)
    for s in roots:
        if color[s] != WHITE:
            continue
        count = _tell(events, count, ROOT, s, s, s)
        u = s
        while True:
            if color[u] == WHITE:
                color[u] = GREY
                count = _tell(events, count, DISCOVERED, s, u, u)
            child = n
            for v in range(0 if every_edge else looked[u], n):
                if edge[u, v] != 0.0:
                    if color[v] == WHITE:
                        child = v
                        break
                    if every_edge:
                        count = _tell(events, count, OTHER_EDGE, s, u, v)
            if child < n:
                looked[u] = child
                parent[child] = u
                count = _tell(events, count, TREE_EDGE, s, u, child)
                u = child
                continue
            color[u] = BLACK
            count = _tell(events, count, FINISHED, s, u, n - 1)
            if u == s:
                break
            u = parent[u]
    return events[:count]


@jit
def _tell(events, count, what, s, u, v):
    event = events[count]
    event[WHAT] = what
    event[S] = s
    event[U] = u
    event[V] = v
    return count + 1


@jit
def follow(events, k, color, s_prev):
    """Brings colors and path up to event k of `depth_first`; returns what, u and v.

    `color` starts white; `s_prev`, the path from each node on it towards the root, with each node
    at itself.
    """
    if k > 0 and events[k - 1, WHAT] == FINISHED:
        left = events[k - 1, U]
        s_prev[left] = left
    what, u, v = events[k, WHAT], events[k, U], events[k, V]
    if what == DISCOVERED:
        color[u] = GREY
    elif what == TREE_EDGE:
        color[v] = GREY
        s_prev[v] = u
    elif what == FINISHED:
        color[u] = BLACK
    return what, u, v


@jit
def write_path(row, place, n, s_prev, event, first):
    """Writes `s_prev`, the masks `s, u, v` from the one numbered `first` on, and `s_last`."""
    place = write_values(row, place, s_prev)
    for k in range(first, V + 1):
        place = write_node(row, place, n, event[k])
    return write_node(row, place, n, event[V] if event[WHAT] == TREE_EDGE else event[U])


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
def _trace_dfs(row, n, event, pi, color, d, f, s_prev, time):
    """Traces `pi_h, color, d, f, s_prev, s, u, v, s_last, time`."""
    place = write_values(row, 0, pi)
    place = write_classes(row, place, color, COLORS)
    place = write_values(row, place, d)
    place = write_values(row, place, f)
    place = write_path(row, place, n, s_prev, event, S)
    row[place] = time


@jit
def dfs(n, x, y, h):
    """Depth-first search; output `pi`."""
    events = depth_first(matrix(x[n:], n), np.arange(n), False)
    color, s_prev = np.zeros(n, np.int64), np.arange(n)
    pi, d, f = np.arange(n), np.zeros(n), np.zeros(n)
    time = 0.0
    for t in range(len(events)):
        what, u, v = follow(events, t, color, s_prev)
        if what == DISCOVERED:
            time += _TICK
            d[u] = time
        elif what == TREE_EDGE:
            pi[v] = u
        elif what == FINISHED:
            time += _TICK
            f[u] = time
        if t < len(h):
            _trace_dfs(one_step(h, t), n, events[t], pi, color, d, f, s_prev, time)
    y[:] = pi
    return len(events)


@jit
def _trace_topo(row, n, event, topo, head, color, s_prev):
    """Traces `topo_h, topo_head_h, color, s_prev, s, u, v, s_last`."""
    place = write_values(row, 0, topo)
    place = write_node(row, place, n, head)
    place = write_classes(row, place, color, COLORS)
    write_path(row, place, n, s_prev, event, S)


@jit
def topological_sort(n, x, y, h):
    """Topological sort; outputs `topo, topo_head`."""
    events = depth_first(matrix(x[n:], n), np.arange(n), False)
    color, s_prev = np.zeros(n, np.int64), np.arange(n)
    topo, head, t = np.arange(n), 0, 0
    for k in range(len(events)):
        what, u, _ = follow(events, k, color, s_prev)
        if what == DISCOVERED and u != events[k, S]:
            continue  # upstream traces the discovery of roots only: the others are grey by then
        if what == FINISHED:
            head = put_in_front(u, color, topo, head)
        if t < len(h):
            _trace_topo(one_step(h, t), n, events[k], topo, head, color, s_prev)
        t += 1
    y[:n] = topo
    y[n + head] = 1.0
    return t


@jit
def _trace_scc(row, n, event, scc_id, transposed, color, d, f, s_prev, time, phase):
    """Traces `scc_id_h, A_t, color, d, f, s_prev, s, u, v, s_last, time, phase`."""
    place = write_values(row, 0, scc_id)
    place = write_values(row, place, transposed)
    place = write_classes(row, place, color, COLORS)
    place = write_values(row, place, d)
    place = write_values(row, place, f)
    place = write_path(row, place, n, s_prev, event, S)
    row[place] = time
    row[place + 1] = phase


@jit
def strongly_connected_components(n, x, y, h):
    """Strongly connected components (Kosaraju); output `scc_id`."""
    edge, adjacent = matrix(x[n:], n), matrix(x[n + n * n :], n)
    transposed = adjacent.T.copy().reshape(-1)
    scc_id, d, f = np.arange(n), np.zeros(n), np.zeros(n)
    roots, order, finished = np.arange(n), np.arange(n), n
    time, t = 0.0, 0
    for phase in range(2):
        events = depth_first(edge if phase == 0 else edge.T.copy(), roots, False)
        color, s_prev = np.zeros(n, np.int64), np.arange(n)
        for k in range(len(events)):
            what, u, _ = follow(events, k, color, s_prev)
            if what == DISCOVERED:
                if phase == 1:
                    scc_id[u] = events[k, S]
                    if u != events[k, S]:
                        continue  # it keeps the time of the first phase
                time += _TICK
                d[u] = time
            elif what == FINISHED:
                time += _TICK
                f[u] = time
                if phase == 0:  # the last to finish is the first root of the second phase
                    finished -= 1
                    order[finished] = u
            if t < len(h):
                _trace_scc(
                    one_step(h, t), n, events[k],
                    scc_id, transposed, color, d, f, s_prev, time, phase,
                )  # fmt: skip
            t += 1
        roots = order
    y[:] = scc_id
    return t


@jit
def _trace_cuts(row, n, event, is_cut, pi, color, d, f, low, child_cnt, s_prev, time):
    """Traces `is_cut_h, pi_h, color, d, f, low, child_cnt, s_prev, s, u, v, s_last, time`."""
    place = write_values(row, 0, is_cut)
    place = write_values(row, place, pi)
    place = write_classes(row, place, color, COLORS)
    place = write_values(row, place, d)
    place = write_values(row, place, f)
    place = write_values(row, place, low)
    place = write_values(row, place, child_cnt)
    place = write_path(row, place, n, s_prev, event, S)
    row[place] = time


@jit
def articulation_points(n, x, y, h):
    """Articulation points (Tarjan); output `is_cut`."""
    events = depth_first(matrix(x[n:], n), np.arange(n), True)
    color, s_prev = np.zeros(n, np.int64), np.arange(n)
    pi, d, f, low = np.arange(n), np.zeros(n), np.zeros(n), np.zeros(n)
    child_cnt, is_cut = np.zeros(n), np.zeros(n)
    time, t = 0.0, 0
    for k in range(len(events)):
        what, u, v = follow(events, k, color, s_prev)
        if what == DISCOVERED:
            time += _TICK
            d[u] = time
            low[u] = time
        elif what == TREE_EDGE:
            pi[v] = u
            child_cnt[u] += _TICK
        elif what == OTHER_EDGE:
            if v == pi[u]:
                continue
            low[u] = min(low[u], d[v])
        elif what == FINISHED:
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
        if t < len(h):
            _trace_cuts(
                one_step(h, t), n, events[k],
                is_cut, pi, color, d, f, low, child_cnt, s_prev, time,
            )  # fmt: skip
        t += 1
    y[:] = is_cut
    return t


@jit
def _trace_bridges(row, n, event, is_bridge, pi, color, d, f, low, s_prev, time):
    """Traces `is_bridge_h, pi_h, color, d, f, low, s_prev, s, u, v, s_last, time`."""
    place = write_values(row, 0, is_bridge.reshape(-1))
    place = write_values(row, place, pi)
    place = write_classes(row, place, color, COLORS)
    place = write_values(row, place, d)
    place = write_values(row, place, f)
    place = write_values(row, place, low)
    place = write_path(row, place, n, s_prev, event, S)
    row[place] = time


@jit
def bridges(n, x, y, h):
    """Bridges (Tarjan); output `is_bridge`, -1 (masked) where there is no edge."""
    events = depth_first(matrix(x[n:], n), np.arange(n), True)
    color, s_prev = np.zeros(n, np.int64), np.arange(n)
    pi, d, f, low = np.arange(n), np.zeros(n), np.zeros(n), np.zeros(n)
    is_bridge = matrix(x[n + n * n :], n) - 1.0
    time, t = 0.0, 0
    for k in range(len(events)):
        what, u, v = follow(events, k, color, s_prev)
        if what == DISCOVERED:
            time += _TICK
            d[u] = time
            low[u] = time
        elif what == TREE_EDGE:
            pi[v] = u
        elif what == OTHER_EDGE:
            if v == pi[u]:
                continue
            low[u] = min(low[u], d[v])
        elif what == FINISHED:
            time += _TICK
            f[u] = time
            for child in range(n):
                if pi[child] == u:
                    low[u] = min(low[u], low[child])
                    if low[child] > d[u]:
                        is_bridge[u, child] = 1.0
                        is_bridge[child, u] = 1.0
        if t < len(h):
            _trace_bridges(
                one_step(h, t), n, events[k], is_bridge, pi, color, d, f, low, s_prev, time
            )
        t += 1
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
