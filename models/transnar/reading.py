"""Gated cross-attention from tokens to a reasoner's latents.

Source: Bounsi et al. 2024 (arXiv 2406.09308), section 3. After a layer's feed-forward, tokens read
node latents and edge latents by a cross-attention each; the results are concatenated and go through
one linear layer. What it gives is let in by the tanh of a learned scalar that starts at 0 (Alayrac
et al. 2022, arXiv 2204.14198). Ours, since the paper is silent: tokens and latents are normalised
before, heads are as many as in self-attention, and no positions are turned.

Legend: B rows, T tokens, D width, H heads, K width of a head, N nodes, M latents, L width of one.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from ..transformer.attention import attend_over, heads_first
from ..transformer.config import TransformerConfig
from ..transformer.network import linear, norm
from .config import Reading


class Latents(NamedTuple):
    """What a reasoner holds of graphs.

    Attributes:
      nodes_BxNxL: of nodes.
      edges_BxNxNxL: of edges.
      mask_BxN: which nodes there are.
    """

    nodes_BxNxL: jax.Array
    edges_BxNxNxL: jax.Array
    mask_BxN: jax.Array


class Memory(NamedTuple):
    """Latents as a layer reads them.

    Attributes:
      k_BxHxMxK: keys.
      v_BxHxMxK: values.
      mask_BxM: which there are.
    """

    k_BxHxMxK: jax.Array
    v_BxHxMxK: jax.Array
    mask_BxM: jax.Array


Memories = dict[str, Memory]


class CrossAttention(nnx.Module):
    """Attention of tokens over one kind of latents."""

    def __init__(self, config: TransformerConfig, width: int, rngs: nnx.Rngs) -> None:
        self.heads = config.num_heads
        D = config.hidden_dim
        self.norm = nnx.LayerNorm(width, rngs=rngs)
        self.q = linear(D, D, 1.0, config, rngs)
        self.kv = linear(width, 2 * D, 1.0, config, rngs)

    def remember(self, latents_BxMxL: jax.Array, mask_BxM: jax.Array) -> Memory:
        """Makes keys and values of latents."""
        kv_BxMx2D = self.kv(self.norm(latents_BxMxL))
        k, v = (heads_first(self._split(x)) for x in jnp.split(kv_BxMx2D, 2, axis=-1))
        return Memory(k, v, mask_BxM)

    def __call__(self, x_BxTxD: jax.Array, memory: Memory) -> jax.Array:
        """Returns what the heads read, `[B, T, D]`."""
        q_BxTxHxK = self._split(self.q(x_BxTxD))
        mask_Bx1x1xM = memory.mask_BxM[:, None, None, :]
        return attend_over(q_BxTxHxK, memory.k_BxHxMxK, memory.v_BxHxMxK, mask_Bx1x1xM).reshape(
            x_BxTxD.shape
        )

    def weights(self, x_BxTxD: jax.Array, memory: Memory) -> jax.Array:
        """Returns how much each token attends to each latent, `[B, H, T, M]`; each sum is 1."""
        q_BxTxHxK = self._split(self.q(x_BxTxD)).astype(jnp.float32)
        scores = jnp.einsum("bthk,bhmk->bhtm", q_BxTxHxK, memory.k_BxHxMxK.astype(jnp.float32))
        scores = scores / math.sqrt(q_BxTxHxK.shape[-1])
        return jax.nn.softmax(scores, axis=-1, where=memory.mask_BxM[:, None, None, :])

    def _split(self, x_BxTxD: jax.Array) -> jax.Array:
        return x_BxTxD.reshape(*x_BxTxD.shape[:2], self.heads, -1)


class Reader(nnx.Module):
    """What one layer reads."""

    def __init__(
        self, config: TransformerConfig, reading: Reading, width: int, rngs: nnx.Rngs
    ) -> None:
        """Draws the parameters.

        Args:
          config: of the Transformer.
          reading: what is read, and how it is put together.
          width: of a latent.
          rngs: of the draws.
        """
        D = config.hidden_dim
        self.norm = norm(config, rngs)
        kinds = ("nodes", "edges") if reading.latents == "both" else (reading.latents,)
        self.of = nnx.Dict({kind: CrossAttention(config, width, rngs) for kind in kinds})
        self.combined = reading.combine
        n_in = D if reading.combine == "sum" else D * len(kinds)
        if reading.combine == "mlp":
            self.hidden = linear(n_in, config.ffn_dim, 1.0, config, rngs)
            n_in = config.ffn_dim
        self.out = linear(n_in, D, 1.0, config, rngs)
        self.gate = nnx.Param(jnp.zeros(()))

    def remember(self, latents: Latents) -> Memories:
        """Makes keys and values of latents; edges in the order of the flattened `[N * N]`."""
        B, N, L = latents.nodes_BxNxL.shape
        mask_BxN = latents.mask_BxN
        mask_BxNxN = mask_BxN[:, :, None] & mask_BxN[:, None, :]
        flat = {
            "nodes": (latents.nodes_BxNxL, mask_BxN),
            "edges": (latents.edges_BxNxNxL.reshape(B, N * N, L), mask_BxNxN.reshape(B, N * N)),
        }
        return {kind: attention.remember(*flat[kind]) for kind, attention in self.of.items()}

    def read(self, x_BxTxD: jax.Array, memories: Memories) -> jax.Array:
        """Returns what is read, before the gate, `[B, T, D]`."""
        normed = self.norm(x_BxTxD)
        found = [attention(normed, memories[kind]) for kind, attention in self.of.items()]
        y = sum(found) if self.combined == "sum" else jnp.concatenate(found, axis=-1)
        if self.combined == "mlp":
            y = jax.nn.relu(self.hidden(y))
        return self.out(y)

    def let_in(self, x_BxTxD: jax.Array, memories: Memories) -> jax.Array:
        """Returns what the gate lets in of what is read, `[B, T, D]`."""
        share = jnp.tanh(self.gate[...]).astype(x_BxTxD.dtype)
        return share * self.read(x_BxTxD, memories)

    def __call__(self, x_BxTxD: jax.Array, memories: Memories) -> jax.Array:
        """Returns activations with what the gate lets in, `[B, T, D]`."""
        return x_BxTxD + self.let_in(x_BxTxD, memories)
