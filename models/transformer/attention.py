"""Attention over heads, by whichever kernel the platform runs fastest.

Legend: B batch, T queries, S keys, H heads, K width of a head.
"""

import math

import jax
import jax.numpy as jnp


def kernel() -> str:
    """Returns the name of the kernel that this process's devices run, for the record."""
    return "einsum" if jax.default_backend() == "cpu" else "jax.nn.dot_product_attention"


def attend(
    q_BxTxHxK: jax.Array,
    k_BxSxHxK: jax.Array,
    v_BxSxHxK: jax.Array,
    mask_Bx1xTxS: jax.Array | None = None,
) -> jax.Array:
    """Returns softmax(q k / sqrt(K)) v, `[B, T, H, K]`, the softmax in float32.

    Args:
      q_BxTxHxK: queries.
      k_BxSxHxK: keys.
      v_BxSxHxK: values.
      mask_Bx1xTxS: which keys each query attends over; without it, those up to its own place.
    """
    return jax.lax.platform_dependent(
        q_BxTxHxK, k_BxSxHxK, v_BxSxHxK, mask_Bx1xTxS, cpu=_on_cpu, default=_fused
    )


def _fused(q: jax.Array, k: jax.Array, v: jax.Array, mask: jax.Array | None) -> jax.Array:
    if mask is None:
        return jax.nn.dot_product_attention(q, k, v, is_causal=True)
    return jax.nn.dot_product_attention(q, k, v, mask=mask)


def _on_cpu(q: jax.Array, k: jax.Array, v: jax.Array, mask: jax.Array | None) -> jax.Array:
    """Heads first, and one division by the softmax's sum after the product: half the passes."""
    T, S = q.shape[1], k.shape[1]
    if mask is None:
        mask = jnp.tril(jnp.ones((T, S), bool))[None, None]
    scores = jnp.einsum(
        "bthk,bshk->bhts", q / math.sqrt(q.shape[-1]), k, preferred_element_type=jnp.float32
    )
    scores = jnp.where(mask, scores, jnp.finfo(jnp.float32).min)
    most = jax.lax.stop_gradient(jnp.max(scores, axis=-1, keepdims=True))
    weights = jnp.exp(scores - most)
    values = jnp.einsum(
        "bhts,bshk->bhtk", weights.astype(v.dtype), v, preferred_element_type=jnp.float32
    )
    values = values / jnp.sum(weights, axis=-1, keepdims=True)
    return values.transpose(0, 2, 1, 3).astype(q.dtype)
