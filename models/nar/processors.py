"""Processors: what one step of message passing does.

A processor is a plug-in of the entry-point group `clrs_text_bench.processors`: a class that is
called as `TripletGMPNN` is. `e_dim` tells how wide its edge latents are, 0 if it has none.

Legend: B rows, N nodes, H width, F features of a triplet.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from .config import NarConfig
from .edges import Edges
from .tables import linear_init

# Stands for nothing in a maximum over messages.
_LEAST = -1e6


class Graph(NamedTuple):
    """What a processor reads in a step.

    Attributes:
      nodes_BxNxH: encoded inputs and hints of the nodes.
      edges: of the edges.
      graph_BxH: of the graph.
      hidden_BxNxH: the nodes' latents after the step before.
      mask_BxN: which nodes there are.
    """

    nodes_BxNxH: jax.Array
    edges: Edges
    graph_BxH: jax.Array
    hidden_BxNxH: jax.Array
    mask_BxN: jax.Array


class Processed(NamedTuple):
    """What a processor makes of it: the latents of nodes, and of edges if it has any."""

    nodes_BxNxH: jax.Array
    edges_BxNxNxH: jax.Array | None


def linear(n_in: int, n_out: int, rngs: nnx.Rngs, bias: float = 0.0) -> nnx.Linear:
    """Returns a linear layer, drawn as Haiku draws it."""
    return nnx.Linear(
        n_in,
        n_out,
        kernel_init=linear_init(n_in),
        bias_init=nnx.initializers.constant(bias),
        rngs=rngs,
    )


class Triplets(nnx.Module):
    """Messages among three nodes, reduced to edges (Dudzik and Velickovic 2022, arXiv 2203.15544).

    Edge (j, k) takes the greatest, over all i, of a sum of what i, j, k, (i, j), (i, k), (j, k) and
    the graph send (`get_triplet_msgs` in `clrs._src.processors`). Only two of the seven depend on
    both i and another node, so the maximum is of the sum of two matrices, and the rest is added
    to it.
    """

    def __init__(self, config: NarConfig, rngs: nnx.Rngs) -> None:
        H, F = config.hidden_dim, config.triplet_dim
        self.t_1, self.t_2, self.t_3 = (linear(2 * H, F, rngs) for _ in range(3))
        self.t_e_1, self.t_e_2, self.t_e_3 = (linear(H, F, rngs) for _ in range(3))
        self.t_g = linear(H, F, rngs)
        self.out = linear(F, H, rngs)

    def __call__(self, graph: Graph, z_BxNx2H: jax.Array) -> jax.Array:
        """Returns the edges' latents, `[B, N, N, H]`."""
        kernels = [t.kernel[...] for t in (self.t_e_1, self.t_e_2, self.t_e_3)]
        biases = sum(t.bias[...] for t in (self.t_e_1, self.t_e_2, self.t_e_3))
        from_edges = graph.edges.times(jnp.concatenate(kernels, axis=1))
        ij, ik, jk = jnp.split(from_edges, 3, axis=-1)
        i_BxNxF = jnp.where(graph.mask_BxN[:, :, None], self.t_1(z_BxNx2H), _LEAST)
        found = greatest(ij + i_BxNxF[:, :, None, :], ik)
        found += jk + self.t_2(z_BxNx2H)[:, :, None, :] + self.t_3(z_BxNx2H)[:, None, :, :]
        found += (self.t_g(graph.graph_BxH) + biases[None, :])[:, None, None, :]
        return jax.nn.relu(self.out(found))


def greatest(a_BxNxNxF: jax.Array, b_BxNxNxF: jax.Array) -> jax.Array:
    """Returns `max over i of a[i, j] + b[i, k]`, `[B, N, N, F]` over j and k."""
    return jnp.max(a_BxNxNxF[:, :, :, None, :] + b_BxNxNxF[:, :, None, :, :], axis=1)


class TripletGMPNN(nnx.Module):
    """The processor of Ibarz et al. 2022 (arXiv 2209.11142): gated messages and triplets.

    Source: `PGN` in `clrs._src.processors` with `use_triplets`, `gated` and `use_ln`, on a graph
    in which all nodes are neighbours.
    """

    def __init__(self, config: NarConfig, rngs: nnx.Rngs) -> None:
        """Draws the parameters."""
        H = config.hidden_dim
        self.e_dim = H
        self.m_1, self.m_2 = linear(2 * H, H, rngs), linear(2 * H, H, rngs)
        self.m_e, self.m_g = linear(H, H, rngs), linear(H, H, rngs)
        self.mlp_0, self.mlp_1 = linear(H, H, rngs), linear(H, H, rngs)
        self.o_1, self.o_2 = linear(2 * H, H, rngs), linear(H, H, rngs)
        self.triplets = Triplets(config, rngs)
        self.norm = nnx.LayerNorm(H, epsilon=1e-5, use_fast_variance=False, rngs=rngs)
        self.gate_1, self.gate_2 = linear(2 * H, H, rngs), linear(H, H, rngs)
        self.gate_3 = linear(H, H, rngs, bias=-3.0)

    def __call__(self, graph: Graph) -> Processed:
        """Makes one step."""
        z_BxNx2H = jnp.concatenate([graph.nodes_BxNxH, graph.hidden_BxNxH], axis=-1)
        messages_BxNxH = self._messages(graph, z_BxNx2H)
        new_BxNxH = self.norm(jax.nn.relu(self.o_1(z_BxNx2H) + self.o_2(messages_BxNxH)))
        gate = self.gate_3(jax.nn.relu(self.gate_1(z_BxNx2H) + self.gate_2(messages_BxNxH)))
        share = jax.nn.sigmoid(gate)
        nodes = new_BxNxH * share + graph.hidden_BxNxH * (1 - share)
        return Processed(nodes, self.triplets(graph, z_BxNx2H))

    def _messages(self, graph: Graph, z_BxNx2H: jax.Array) -> jax.Array:
        """Returns what each node is sent, the greatest over its neighbours, itself among them."""
        same_BxH = self.m_g(graph.graph_BxH) + self.m_e.bias[...][None, :]
        receiver_BxNxH = self.m_1(z_BxNx2H) + same_BxH[:, None, :]
        x_BxNxNxH = self.m_2(z_BxNx2H)[:, :, None, :] + receiver_BxNxH[:, None, :, :]
        x_BxNxNxH += graph.edges.times(self.m_e.kernel[...])
        x_BxNxNxH = self.mlp_1(jax.nn.relu(self.mlp_0(jax.nn.relu(x_BxNxNxH))))
        return jnp.max(jnp.where(graph.mask_BxN[:, :, None, None], x_BxNxNxH, _LEAST), axis=1)
