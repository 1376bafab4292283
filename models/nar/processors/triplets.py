"""Messages among three nodes, reduced to edges.

Legend: B rows, N nodes, H width, F features of a triplet.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from ..config import NarConfig
from ..edges import Edges
from ..groups import flat
from ..loops import each
from .linear import linear
from .protocol import Graph

# Stands for nothing in a maximum over messages.
LEAST = -1e6


class Triplets(nnx.Module):
    """The edges' latents (Dudzik and Velickovic 2022, arXiv 2203.15544).

    Edge (j, k) takes the greatest, over all i, of a sum of what i, j, k, (i, j), (i, k), (j, k) and
    the graph send (`get_triplet_msgs` in `clrs._src.processors`). Only two of the seven depend on
    both i and another node, so the maximum is of the sum of two matrices, and the rest is added
    to it.
    """

    def __init__(self, config: NarConfig, rngs: nnx.Rngs) -> None:
        """Draws the parameters."""
        H, F = config.hidden_dim, config.triplet_dim
        self.t_1, self.t_2, self.t_3 = (linear(2 * H, F, rngs) for _ in range(3))
        self.t_e_1, self.t_e_2, self.t_e_3 = (linear(H, F, rngs) for _ in range(3))
        self.t_g = linear(H, F, rngs)
        self.out = linear(F, H, rngs)

    def __call__(self, graph: Graph, z_BxNx2H: jax.Array) -> jax.Array:
        """Returns the edges' latents, `[B, N, N, H]`, 0 if nothing reads them."""
        module, params = nnx.split(self)

        def turn(params: nnx.State, read: _Read) -> jax.Array:
            return nnx.merge(module, params).made(read)

        read = _Read(z_BxNx2H, graph.edges, graph.graph_BxH, graph.mask_BxN.astype(jnp.float32))
        alone = jax.tree.map(lambda x: x[None], params)
        return each((turn,), (jnp.asarray(graph.edges_read)[None],), (alone,), read)[0][0]

    def made(self, read: "_Read") -> jax.Array:
        """Returns the edges' latents."""
        z_BxNx2H = read.z_BxNx2H
        kernels = [t.kernel[...] for t in (self.t_e_1, self.t_e_2, self.t_e_3)]
        biases = sum(t.bias[...] for t in (self.t_e_1, self.t_e_2, self.t_e_3))
        from_edges = read.edges.times(jnp.concatenate(kernels, axis=1))
        ij, ik, jk = jnp.split(from_edges, 3, axis=-1)
        i_BxNxF = jnp.where(read.there_BxN[:, :, None] > 0, self.t_1(z_BxNx2H), LEAST)
        found = _greatest(ij + i_BxNxF[:, :, None, :], ik)
        found += jk + self.t_2(z_BxNx2H)[:, :, None, :] + self.t_3(z_BxNx2H)[:, None, :, :]
        found += (self.t_g(read.graph_BxH) + biases[None, :])[:, None, None, :]
        return jax.nn.relu(flat(self.out, found))


class _Read(NamedTuple):
    """What triplets read of a graph; which nodes there are in floats, 1 or 0."""

    z_BxNx2H: jax.Array
    edges: Edges
    graph_BxH: jax.Array
    there_BxN: jax.Array


def _greatest(a_BxNxNxF: jax.Array, b_BxNxNxF: jax.Array) -> jax.Array:
    """Returns `max over i of a[i, j] + b[i, k]`, `[B, N, N, F]` over j and k."""
    return jnp.max(a_BxNxNxF[:, :, :, None, :] + b_BxNxNxF[:, :, None, :, :], axis=1)
