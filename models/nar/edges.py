"""Features of the edges, kept as the few numbers that they are linear in.

An edge's encoding is a sum of a number times a vector for each probe, and all that reads it is
linear, too. So a product with a matrix is taken of the vectors, of which there are C, and not of
the N x N edges: H / C times less work.

Legend: B rows, G groups of them, N nodes, C columns, H width, K width of what is asked for.
"""

from typing import NamedTuple

import jax

from .groups import spread, times


class Edges(NamedTuple):
    """Features `columns @ kernel + bias` of edges, float32 `[B, N, N, H]` if they were made."""

    columns_BxNxNxC: jax.Array
    kernel_GxCxH: jax.Array
    bias_GxH: jax.Array

    def times(self, w_HxK: jax.Array) -> jax.Array:
        """Returns the features' product with a matrix, `[B, N, N, K]`."""
        x_BxNxNxK = times(self.columns_BxNxNxC, self.kernel_GxCxH @ w_HxK)
        return x_BxNxNxK + spread(self.bias_GxH @ w_HxK, x_BxNxNxK)

    def times_each(self, w_GxHxK: jax.Array) -> jax.Array:
        """Returns their product with each group's matrix, `[B, N, N, K]`."""
        x_BxNxNxK = times(self.columns_BxNxNxC, self.kernel_GxCxH @ w_GxHxK)
        return x_BxNxNxK + spread(times(self.bias_GxH, w_GxHxK), x_BxNxNxK)
