"""What the processors have in common: messages between any two nodes, and triplets.

Source: `PGN` in `clrs._src.processors` with `use_triplets` and `use_ln`, on a graph in which all
nodes are neighbours.

Legend: B rows, N nodes, H width. z are the encodings of the nodes beside what is read of their
latents.
"""

import jax
import jax.numpy as jnp
from flax import nnx

from ..config import NarConfig
from ..groups import flat
from .linear import linear
from .protocol import Graph
from .triplets import LEAST, Triplets


class MessagePassing(nnx.Module):
    """The parameters of messages, triplets and update; a processor is made of it."""

    penalises = False

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

    def messages(self, graph: Graph, z_BxNx2H: jax.Array) -> jax.Array:
        """Returns what each node (second axis) sends to each (third), `[B, N, N, H]`."""
        same_BxH = self.m_g(graph.graph_BxH) + self.m_e.bias[...][None, :]
        receiver_BxNxH = self.m_1(z_BxNx2H) + same_BxH[:, None, :]
        x_BxNxNxH = self.m_2(z_BxNx2H)[:, :, None, :] + receiver_BxNxH[:, None, :, :]
        x_BxNxNxH += graph.edges.times(self.m_e.kernel[...])
        return flat(lambda x: self.mlp_1(jax.nn.relu(self.mlp_0(jax.nn.relu(x)))), x_BxNxNxH)

    def update(self, z_BxNx2H: jax.Array, received_BxNxH: jax.Array) -> jax.Array:
        """Returns new latents of the nodes, `[B, N, H]`."""
        return self.norm(jax.nn.relu(self.o_1(z_BxNx2H) + self.o_2(received_BxNxH)))


def beside(nodes_BxNxH: jax.Array, hidden_BxNxH: jax.Array) -> jax.Array:
    """Returns z, `[B, N, 2 H]`."""
    return jnp.concatenate([nodes_BxNxH, hidden_BxNxH], axis=-1)


@jax.custom_vjp
def greatest(messages_BxNxNxH: jax.Array, mask_BxN: jax.Array) -> jax.Array:
    """Returns the greatest message that each node is sent, its own among them, `[B, N, H]`.

    The gradient is `jnp.max`'s, in fewer passes over all messages.
    """
    return jnp.max(jnp.where(mask_BxN[:, :, None, None], messages_BxNxNxH, LEAST), axis=1)


def _greatest_forward(messages_BxNxNxH: jax.Array, mask_BxN: jax.Array) -> tuple:
    found = greatest(messages_BxNxNxH, mask_BxN)
    return found, (messages_BxNxNxH, mask_BxN, found)


def _greatest_backward(kept: tuple, d_found_BxNxH: jax.Array) -> tuple:
    messages_BxNxNxH, mask_BxN, found_BxNxH = kept
    there = mask_BxN[:, :, None, None]
    taken_BxNxNxH = (messages_BxNxNxH == found_BxNxH[:, None]) & there
    # Messages that are equal share it.
    share_BxNxH = d_found_BxNxH / jnp.sum(taken_BxNxNxH, axis=1)
    return jnp.where(taken_BxNxNxH, share_BxNxH[:, None], 0.0), None


greatest.defvjp(_greatest_forward, _greatest_backward)
