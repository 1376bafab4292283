"""Attention over heads, by whichever kernel the platform runs fastest.

Legend: B batch, T queries, S keys, H heads, K width of a head.
"""

import math

import jax
import jax.numpy as jnp


def kernel() -> str:
    """Returns the name of the kernel that this process's devices run, for the record."""
    return "einsum" if jax.default_backend() == "cpu" else "jax.nn.dot_product_attention"


def attend(q_BxTxHxK: jax.Array, k_BxTxHxK: jax.Array, v_BxTxHxK: jax.Array) -> jax.Array:
    """Returns softmax(q k / sqrt(K)) v over the keys up to each query's own place.

    Args:
      q_BxTxHxK: queries.
      k_BxTxHxK: keys.
      v_BxTxHxK: values.

    Returns:
      `[B, T, H, K]`; the softmax is in float32.
    """
    return jax.lax.platform_dependent(q_BxTxHxK, k_BxTxHxK, v_BxTxHxK, cpu=_causal, default=_fused)


def attend_over(
    q_BxTxHxK: jax.Array, k_BxHxSxK: jax.Array, v_BxHxSxK: jax.Array, mask_Bx1xTxS: jax.Array
) -> jax.Array:
    """Returns the same over keys and values that are kept, of which the mask says which count.

    Heads come before slots, so that a head's keys lie together: for single queries the products
    read them at the rate of the memory, three to four times as fast on a CPU as slots first. The
    softmax's sum divides once, after the product.
    """
    scores = jnp.einsum(
        "bthk,bhsk->bhts",
        q_BxTxHxK / math.sqrt(q_BxTxHxK.shape[-1]),
        k_BxHxSxK,
        preferred_element_type=jnp.float32,
    )
    scores = jnp.where(mask_Bx1xTxS, scores, jnp.finfo(jnp.float32).min)
    most = jax.lax.stop_gradient(jnp.max(scores, axis=-1, keepdims=True))
    weights = jnp.exp(scores - most)
    values = jnp.einsum(
        "bhts,bhsk->bhtk",
        weights.astype(v_BxHxSxK.dtype),
        v_BxHxSxK,
        preferred_element_type=jnp.float32,
    )
    values = values / jnp.sum(weights, axis=-1, keepdims=True)
    return values.transpose(0, 2, 1, 3).astype(q_BxTxHxK.dtype)


def heads_first(x_BxTxHxK: jax.Array) -> jax.Array:
    """Returns keys or values as they are kept, `[B, H, T, K]`."""
    return x_BxTxHxK.transpose(0, 2, 1, 3)


def _fused(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
    return jax.nn.dot_product_attention(q, k, v, is_causal=True)


def _causal(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
    mask_TxT = jnp.tril(jnp.ones((q.shape[1], q.shape[1]), bool))
    return attend_over(q, heads_first(k), heads_first(v), mask_TxT[None, None])
