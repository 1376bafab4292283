"""Features of the edges, kept as the few numbers that they are linear in.

An edge's encoding is a sum of a number times a vector for each probe, and all that reads it is
linear, too. So a product with a matrix is taken of the vectors, of which there are C, and not of
the N x N edges: H / C times less work.

Legend: B rows, N nodes, C columns, H width, K width of what is asked for, S slots.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Edges(NamedTuple):
    """Features `columns @ kernel + bias` of edges, float32 `[B, N, N, H]` if they were made."""

    columns_BxNxNxC: jax.Array
    kernel_BxCxH: jax.Array
    bias_BxH: jax.Array

    def times(self, w_HxK: jax.Array) -> jax.Array:
        """Returns the features' product with a matrix, `[B, N, N, K]`."""
        kernel = jnp.einsum("bch,hk->bck", self.kernel_BxCxH, w_HxK)
        bias = jnp.einsum("bh,hk->bk", self.bias_BxH, w_HxK)
        return jnp.einsum("bijc,bck->bijk", self.columns_BxNxNxC, kernel) + bias[:, None, None, :]

    def times_each(self, w_BxSxHxK: jax.Array) -> jax.Array:
        """Returns their product with matrices of each row, `[B, S, N, N, K]`."""
        kernel = jnp.einsum("bch,bshk->bsck", self.kernel_BxCxH, w_BxSxHxK)
        bias = jnp.einsum("bh,bshk->bsk", self.bias_BxH, w_BxSxHxK)
        product = jnp.einsum("bijc,bsck->bsijk", self.columns_BxNxNxC, kernel)
        return product + bias[:, :, None, None, :]
