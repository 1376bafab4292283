"""Embeddings of tokens, whose gradient each platform takes the way it is fast.

Legend: V vocabulary, D width, N tokens.
"""

from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx

# Up to here the product costs less than a model's own, whose layers are as wide together.
_MOST_AS_PRODUCT = 8192


class Embedding(nnx.Embed):
    """A table of embeddings, as Flax's but for how its gradient is computed."""

    def __call__(self, tokens: jax.Array) -> jax.Array:
        """Returns the embeddings of token ids, `[..., D]`."""
        return look_up(self.embedding[...], tokens, self.dtype)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def look_up(table_VxD: jax.Array, tokens: jax.Array, dtype: jnp.dtype) -> jax.Array:
    """Returns rows of a table, `[..., D]`, in another type.

    The gradient is a sum over the places of each token. A CPU adds them up one by one. Where
    thousands of threads add to the few rows that are common, padding's above all, they wait for
    each other: on an H100 that was half of a training step. There it is a product with one-hot
    rows, and in float32.
    """
    return jnp.take(table_VxD.astype(dtype), tokens, axis=0)


def _forward(table_VxD: jax.Array, tokens: jax.Array, dtype: jnp.dtype) -> tuple:
    return look_up(table_VxD, tokens, dtype), (table_VxD, tokens)


def _backward(dtype: jnp.dtype, kept: tuple, gradient: jax.Array) -> tuple[jax.Array, None]:
    table_VxD, tokens = kept
    gradient_NxD = gradient.reshape(-1, gradient.shape[-1])
    by_product = _product if len(table_VxD) <= _MOST_AS_PRODUCT else _sum
    gradient_VxD = jax.lax.platform_dependent(
        gradient_NxD,
        tokens.reshape(-1),
        cpu=partial(_sum, V=len(table_VxD)),
        default=partial(by_product, V=len(table_VxD)),
    )
    return gradient_VxD.astype(table_VxD.dtype), None


def _sum(gradient_NxD: jax.Array, tokens_N: jax.Array, V: int) -> jax.Array:
    zeros = jnp.zeros((V, gradient_NxD.shape[1]), jnp.float32)
    return zeros.at[tokens_N].add(gradient_NxD.astype(jnp.float32))


def _product(gradient_NxD: jax.Array, tokens_N: jax.Array, V: int) -> jax.Array:
    chosen_NxV = jax.nn.one_hot(tokens_N, V, dtype=gradient_NxD.dtype)
    return jnp.einsum("nv,nd->vd", chosen_NxV, gradient_NxD, preferred_element_type=jnp.float32)


look_up.defvjp(_forward, _backward)
