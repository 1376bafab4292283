"""Random graphs, as upstream's samplers draw them (`clrs._src.samplers`).

A graph is written as `A` and `adj`, n x n each, one after the other: an edge from i to j where
`A[i, j]` is not 0, of that weight; `adj` has a loop at every node besides.
"""

import numpy as np

from clrs_text_bench.compiled import jit

from .bits import below, coin, shuffle, truncated, uniform

_COMMUNITIES = 4
_TOGGLED = 0.01


@jit
def matrix(values, n):
    """Returns the first n x n values as a matrix, a view."""
    return values[: n * n].reshape(n, n)


@jit
def write_source(bits, n, source):
    """Draws one of n nodes, as a mask; all of them are equally likely."""
    source[below(bits, n)] = 1.0


@jit
def write_adjacency(n, graph):
    """Fills in `adj` from `A`."""
    edge, adjacent = matrix(graph, n), matrix(graph[n * n :], n)
    for i in range(n):
        for j in range(n):
            adjacent[i, j] = edge[i, j] != 0.0 or i == j


@jit
def draw_directed(bits, n, p, graph):
    """Draws every one of the n * n possible edges, loops included, with probability p."""
    edge = matrix(graph, n)
    for i in range(n):
        for j in range(n):
            edge[i, j] = coin(bits, p)
    write_adjacency(n, graph)


@jit
def draw_undirected(bits, n, p, weighted, graph):
    """Draws an undirected graph, symmetric as a matrix.

    Upstream multiplies a directed graph by its transpose, and weights U[0, 1) by theirs: an edge
    has probability p^2, a loop p, and the weight is sqrt(u * v + 0.001), with u = v in a loop.
    """
    edge = matrix(graph, n)
    for i in range(n):
        for j in range(i, n):
            if coin(bits, p if i == j else p * p):
                weight = 1.0
                if weighted:
                    u = uniform(bits)
                    v = u if i == j else uniform(bits)
                    weight = truncated(np.sqrt(u * v + 1e-3))
                edge[i, j] = weight
                edge[j, i] = weight
    write_adjacency(n, graph)


@jit
def draw_acyclic(bits, n, p, weighted, graph):
    """Draws every edge that goes up in a random order of the nodes with probability p.

    Weights are U[0, 1), and one that is cut to 0 takes its edge away.
    """
    edge, rank = matrix(graph, n), np.arange(n)
    shuffle(bits, rank)
    for i in range(n):
        for j in range(n):
            if rank[i] < rank[j] and coin(bits, p):
                edge[i, j] = truncated(uniform(bits)) if weighted else 1.0
    write_adjacency(n, graph)


@jit
def draw_communities(bits, n, p, graph):
    """Draws four directed communities, the last of which takes what four does not divide.

    Within a community an edge has probability p, loops included, and each is then toggled with
    probability 0.01; so is none between an earlier community and a later one. No edge goes back,
    so that no cycle leaves its community. Nodes are in random order.
    """
    edge, place = matrix(graph, n), np.arange(n)
    shuffle(bits, place)
    size = n // _COMMUNITIES
    for i in range(n):
        for j in range(n):
            start = min(place[i] // size, _COMMUNITIES - 1)
            end = min(place[j] // size, _COMMUNITIES - 1)
            if start <= end:
                inside = start == end and coin(bits, p)
                edge[i, j] = inside != coin(bits, _TOGGLED)
    write_adjacency(n, graph)
