"""The decoder-only Transformer: pre-norm, rotary positions; the rest as the config says.

With the config's defaults it is our own, with other settings GPT-NeoX (Black et al. 2022, arXiv
2204.06745), the architecture of Pythia.

Legend: B batch, T tokens, S slots of the key/value cache, D width, F width of the feed-forward
layer, H heads, K width of a head, V vocabulary.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from .attention import attend, attend_over, heads_first
from .config import TransformerConfig
from .embedding import Embedding

# Cosines and sines of the rotary angles, see `rotation`.
Turns = tuple[jax.Array, jax.Array]


class Cache(NamedTuple):
    """Keys and values of one layer, `[B, H, S, K]` each."""

    k_BxHxSxK: jax.Array
    v_BxHxSxK: jax.Array

    def written(self, k_BxTxHxK: jax.Array, v_BxTxHxK: jax.Array, slots_B: jax.Array) -> "Cache":
        """Returns the cache with those of T tokens from each row's slot on.

        What would come after the last slot is dropped.
        """
        B, T = k_BxTxHxK.shape[:2]
        rows_Bx1, slots_BxT = jnp.arange(B)[:, None], slots_B[:, None] + jnp.arange(T)[None]
        return Cache(
            self.k_BxHxSxK.at[rows_Bx1, :, slots_BxT].set(k_BxTxHxK, mode="drop"),
            self.v_BxHxSxK.at[rows_Bx1, :, slots_BxT].set(v_BxTxHxK, mode="drop"),
        )


def rotation(positions_BxT: jax.Array, width: int, base: float) -> Turns:
    """Returns cosines and sines of the rotary angles, float32 `[B, T, 1, width]` each.

    Su et al. 2021 (arXiv 2104.09864): pair i of the K = `width` numbers that are turned goes by
    position * base^(-2i / K). It is (x[i], x[i + K/2]), the halves convention of GPT-NeoX and
    Llama, not the paper's interleaved one. The sines of the first half are negated, as `rotate`
    uses them.
    """
    frequencies = base ** (-jnp.arange(0, width, 2, dtype=jnp.float32) / width)
    angles = positions_BxT.astype(jnp.float32)[:, :, None, None] * frequencies[None, None, None, :]
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    return jnp.concatenate([cos, cos], axis=-1), jnp.concatenate([-sin, sin], axis=-1)


def rotate(x_BxTxHxK: jax.Array, turns: Turns | None) -> jax.Array:
    """Turns queries or keys by their positions' angles; None leaves them as they are.

    Angles that are narrower than a head turn the first part of it.
    """
    if turns is None:
        return x_BxTxHxK
    cos, sin = turns
    if cos.shape[-1] < x_BxTxHxK.shape[-1]:
        turned, rest = jnp.split(x_BxTxHxK, [cos.shape[-1]], axis=-1)
        return jnp.concatenate([rotate(turned, turns), rest], axis=-1)
    left, right = jnp.split(x_BxTxHxK, 2, axis=-1)
    swapped = jnp.concatenate([right, left], axis=-1)
    turned = x_BxTxHxK.astype(jnp.float32) * cos + swapped.astype(jnp.float32) * sin
    return turned.astype(x_BxTxHxK.dtype)


def linear(
    n_in: int, n_out: int, scale: float, config: TransformerConfig, rngs: nnx.Rngs
) -> nnx.Linear:
    """Returns a layer that turns inputs of unit variance into outputs of variance `scale ** 2`."""
    return nnx.Linear(
        n_in,
        n_out,
        use_bias=config.bias,
        dtype=jnp.dtype(config.dtype),
        param_dtype=jnp.float32,
        kernel_init=nnx.initializers.normal(scale / math.sqrt(n_in)),
        rngs=rngs,
    )


def norm(config: TransformerConfig, rngs: nnx.Rngs) -> nnx.RMSNorm | nnx.LayerNorm:
    """Returns a norm of activations, of the config's kind."""
    kind = nnx.RMSNorm if config.norm == "rms" else nnx.LayerNorm
    return kind(
        config.hidden_dim,
        epsilon=config.norm_epsilon,
        dtype=jnp.dtype(config.dtype),
        param_dtype=jnp.float32,
        rngs=rngs,
    )


class Attention(nnx.Module):
    """Causal self-attention over H heads."""

    def __init__(self, config: TransformerConfig, rngs: nnx.Rngs) -> None:
        self.heads = config.num_heads
        self.qkv = linear(config.hidden_dim, 3 * config.hidden_dim, 1.0, config, rngs)
        self.out = linear(config.hidden_dim, config.hidden_dim, config.residual_scale, config, rngs)

    def __call__(
        self,
        x_BxTxD: jax.Array,
        turns: Turns | None,
        cache: Cache | None = None,
        slots_B: jax.Array | None = None,
        mask_Bx1xTxS: jax.Array | None = None,
    ) -> tuple[jax.Array, Cache]:
        """Returns what the heads read `[B, T, D]`, and the cache; see `Transformer`."""
        B, T, D = x_BxTxD.shape
        qkv = self.qkv(x_BxTxD).reshape(B, T, 3, self.heads, D // self.heads)
        q, k, v = (qkv[:, :, i] for i in range(3))
        q, k = rotate(q, turns), rotate(k, turns)
        if cache is None:
            y, cache = attend(q, k, v), Cache(heads_first(k), heads_first(v))
        else:
            cache = cache.written(k, v, slots_B)
            y = attend_over(q, *cache, mask_Bx1xTxS)
        return self.out(y.reshape(B, T, D)), cache


# A squared ReLU (So et al. 2021, arXiv 2109.08668) is as good as a GELU, whose tanh takes a quarter
# of a training step on a CPU.
_ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "squared_relu": lambda x: jnp.square(jax.nn.relu(x)),
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "gelu_tanh": lambda x: jax.nn.gelu(x, approximate=True),
}


class FeedForward(nnx.Module):
    """Two linear layers with an activation between."""

    def __init__(self, config: TransformerConfig, rngs: nnx.Rngs) -> None:
        self.activation = config.activation
        hidden = config.ffn_dim
        self.up = linear(config.hidden_dim, hidden, 1.0, config, rngs)
        self.down = linear(hidden, config.hidden_dim, config.residual_scale, config, rngs)

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Returns activations `[B, T, D]`."""
        return self.down(_ACTIVATIONS[self.activation](self.up(x_BxTxD)))


class Block(nnx.Module):
    """Attention and feed-forward, each normalised before and added to what came in."""

    def __init__(self, config: TransformerConfig, rngs: nnx.Rngs) -> None:
        self.parallel = config.parallel_residual
        self.attention_norm = norm(config, rngs)
        self.attention = Attention(config, rngs)
        self.feed_forward_norm = norm(config, rngs)
        self.feed_forward = FeedForward(config, rngs)

    def __call__(
        self,
        x_BxTxD: jax.Array,
        turns: Turns | None,
        cache: Cache | None = None,
        slots_B: jax.Array | None = None,
        mask_Bx1xTxS: jax.Array | None = None,
    ) -> tuple[jax.Array, Cache]:
        """Returns activations `[B, T, D]`, and the cache; see `Transformer`."""
        y, cache = self.attention(self.attention_norm(x_BxTxD), turns, cache, slots_B, mask_Bx1xTxS)
        if self.parallel:
            return x_BxTxD + y + self.feed_forward(self.feed_forward_norm(x_BxTxD)), cache
        x_BxTxD = x_BxTxD + y
        return x_BxTxD + self.feed_forward(self.feed_forward_norm(x_BxTxD)), cache


@nnx.remat
def _again(block: Block, x_BxTxD: jax.Array, turns: Turns | None) -> tuple[jax.Array, Cache]:
    """Runs a block, and once more in the backward pass instead of keeping what it computed."""
    return block(x_BxTxD, turns)


class Transformer(nnx.Module):
    """Token ids in, next-token logits out."""

    def __init__(self, config: TransformerConfig, vocab_size: int, rngs: nnx.Rngs) -> None:
        self.config = config
        self.embedding = Embedding(
            vocab_size,
            config.hidden_dim,
            dtype=jnp.dtype(config.dtype),
            param_dtype=jnp.float32,
            embedding_init=nnx.initializers.normal(config.hidden_dim**-0.5),
            rngs=rngs,
        )
        self.blocks = nnx.List([Block(config, rngs) for _ in range(config.num_layers)])
        self.norm = norm(config, rngs)
        if not config.tie_embeddings:
            self.unembedding = nnx.Linear(
                config.hidden_dim,
                vocab_size,
                use_bias=False,
                dtype=jnp.dtype(config.dtype),
                param_dtype=jnp.float32,
                kernel_init=nnx.initializers.normal(config.hidden_dim**-0.5),
                rngs=rngs,
            )

    def __call__(
        self,
        tokens_BxT: jax.Array,
        positions_BxT: jax.Array,
        caches: list[Cache] | None = None,
        slots_B: jax.Array | None = None,
        mask_Bx1xTxS: jax.Array | None = None,
        after: Callable[[int, jax.Array], jax.Array] = lambda _, x_BxTxD: x_BxTxD,
    ) -> tuple[jax.Array, list[Cache]]:
        """Returns the last layer's activations `[B, T, D]`, and the caches brought up to date.

        Without caches, those of the T tokens, one slot each.

        Args:
          tokens_BxT: token ids.
          positions_BxT: their positions.
          caches: one per layer, to write the tokens' keys and values to and attend over; without
            them a token attends over those before it.
          slots_B: where in the caches each row's first token is written; needed with caches.
          mask_Bx1xTxS: which slots each token attends over; needed with caches.
          after: what becomes of the activations that a layer, counted from 0, leaves.
        """
        config = self.config
        turns = None
        if config.positions.kind != "none":
            turns = rotation(positions_BxT, config.rotary_dim, config.positions.base)
        x_BxTxD = self.embedding(tokens_BxT)
        if config.scale_embeddings:
            x_BxTxD = x_BxTxD * math.sqrt(config.hidden_dim)
        updated = []
        for place, block in enumerate(self.blocks):
            if caches is None:
                run = _again if config.remat else Block.__call__
                x_BxTxD, cache = run(block, x_BxTxD, turns)
            else:
                x_BxTxD, cache = block(x_BxTxD, turns, caches[place], slots_B, mask_Bx1xTxS)
            x_BxTxD = after(place, x_BxTxD)
            updated.append(cache)
        return self.norm(x_BxTxD), updated

    def logits(self, x: jax.Array) -> jax.Array:
        """Returns float32 logits `[..., V]` of activations `[..., D]`."""
        unembed = self.embedding.attend if self.config.tie_embeddings else self.unembedding
        return unembed(x).astype(jnp.float32)


def empty_caches(config: TransformerConfig, batch: int, slots: int) -> list[Cache]:
    """Returns caches of zeros with room for `slots` tokens, one per layer."""
    shape = (batch, config.num_heads, slots, config.head_dim)
    dtype = jnp.dtype(config.dtype)
    return [
        Cache(jnp.zeros(shape, dtype), jnp.zeros(shape, dtype)) for _ in range(config.num_layers)
    ]
