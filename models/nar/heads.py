"""What is read off the latents: of nodes, edges and the graph, and of where they point.

Source: `decoders` in `clrs._src`. What is linear in the features of nodes and edges is taken apart,
so that nothing is put side by side for all pairs of nodes.

Legend: B rows, G groups of them (see `groups`), N nodes, H width, J width of a node's features
(3 H: encoded, before and after the step), E width of an edge's latents, I and O widths of what a
layer reads and makes.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from .edges import Edges
from .groups import spread, times

Matrix = tuple[jax.Array, jax.Array]
"""A layer: a kernel `[G, I, O]` and a bias `[G, O]`."""


class Features(NamedTuple):
    """What decoders read.

    Attributes:
      nodes_BxNxJ: of the nodes: encoded, and latents before and after the step.
      edges: encoded edges.
      latents_BxNxNxE: latents of the edges, if there are any.
      graph_BxH: encoded graph.
      mask_BxN: which nodes there are.
      penalty_B: the processor's, which no decoder reads; None if it has none.
    """

    nodes_BxNxJ: jax.Array
    edges: Edges
    latents_BxNxNxE: jax.Array | None
    graph_BxH: jax.Array
    mask_BxN: jax.Array
    penalty_B: jax.Array | None

    def greatest(self) -> jax.Array:
        """Returns the greatest of each feature over the nodes, `[B, J]`."""
        there = self.mask_BxN[:, :, None]
        return jnp.max(jnp.where(there, self.nodes_BxNxJ, -jnp.inf), axis=1)


class Pairs(NamedTuple):
    """What decoders of edges and of pointers read of `Features`."""

    nodes_BxNxJ: jax.Array
    edges: Edges
    latents_BxNxNxE: jax.Array | None


def _at_nodes(layer: Matrix, features: Features | Pairs) -> jax.Array:
    """Returns a layer's output at the nodes, `[B, N, O]`."""
    kernel, bias = layer
    x_BxNxO = times(features.nodes_BxNxJ, kernel)
    return x_BxNxO + spread(bias, x_BxNxO)


def _at_edges(layer: Matrix, features: Features | Pairs) -> jax.Array:
    """Returns a layer's output at the edges, `[B, N, N, O]`."""
    kernel, bias = layer
    H = features.edges.kernel_GxCxH.shape[-1]
    x_BxNxNxO = features.edges.times_each(kernel[:, :H])
    if features.latents_BxNxNxE is not None:
        x_BxNxNxO += times(features.latents_BxNxNxE, kernel[:, H:])
    return x_BxNxNxO + spread(bias, x_BxNxNxO)


def of_nodes(layers: list[Matrix], features: Features) -> jax.Array:
    """Returns `[B, N, O]`."""
    return _at_nodes(layers[0], features)


def of_edges(layers: list[Matrix], features: Features | Pairs) -> jax.Array:
    """Returns `[B, N, N, O]`."""
    start, end, edge = layers
    start_BxNxO, end_BxNxO = _at_nodes(start, features), _at_nodes(end, features)
    return start_BxNxO[:, :, None] + end_BxNxO[:, None] + _at_edges(edge, features)


def of_graph(layers: list[Matrix], features: Features) -> jax.Array:
    """Returns `[B, O]`."""
    (kernel, bias), (g_kernel, g_bias) = layers
    x_BxO = times(features.greatest(), kernel) + times(features.graph_BxH, g_kernel)
    return x_BxO + spread(bias + g_bias, x_BxO)


def to_nodes(layers: list[Matrix], features: Pairs) -> jax.Array:
    """Returns `[B, N, N]`: a layer of the greater of two readings of either end."""
    own, other, edge, (kernel, bias) = layers
    own_BxNxH, other_BxNxH = _at_nodes(own, features), _at_nodes(other, features)
    # Of edge (j, i) for the pointer from i to j.
    along_BxNxNxH = _at_edges(edge, features) + other_BxNxH[:, :, None]
    greater_BxNxNxH = jnp.maximum(own_BxNxH[:, None], along_BxNxNxH)
    x_BxNxNx1 = times(greater_BxNxNxH, kernel)
    return jnp.swapaxes((x_BxNxNx1 + spread(bias, x_BxNxNx1))[..., 0], 1, 2)


def from_edges(layers: list[Matrix], features: Pairs) -> jax.Array:
    """Returns `[B, N, N, N]`: a layer of the greater of readings of edge and third node."""
    start, end, edge, third, (kernel, bias) = layers
    x_BxNxNxH = of_edges([start, end, edge], features)

    def to(third_BxH: jax.Array) -> jax.Array:
        greater_BxNxNxH = jnp.maximum(x_BxNxNxH, third_BxH[:, None, None])
        return times(greater_BxNxNxH, kernel)[..., 0]

    # One third node after another: N x N x N x H numbers are never held at once.
    third_NxBxH = jnp.moveaxis(_at_nodes(third, features), 1, 0)
    x_BxNxNxN = jnp.moveaxis(jax.lax.map(jax.checkpoint(to), third_NxBxH), 0, 3)
    return x_BxNxNxN + spread(bias, x_BxNxNxN)
