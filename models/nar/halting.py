"""When to stop: after each step, whether the trace has come to its end.

A head that reads the whole graph after a step, of each algorithm its own, as in the termination
network of Velickovic et al. 2020 (arXiv 1910.10593, section 3).

Legend: B rows, G groups of them, J width of a node's features, H width.
"""

import jax
import jax.numpy as jnp
from flax import nnx

from . import initial
from .groups import spread, times
from .heads import Features
from .losses import Sums, cross_entropy, each


class Halting(nnx.Module):
    """The heads of A algorithms."""

    def __init__(self, algorithms: int, hidden_dim: int, rngs: nnx.Rngs) -> None:
        """Draws the heads."""
        n_in = 4 * hidden_dim
        self.kernel = nnx.Param(
            initial.linear(n_in)(rngs.params(), (algorithms, n_in), jnp.float32)
        )
        self.bias = nnx.Param(jnp.zeros(algorithms))

    def __call__(self, algorithm_G: jax.Array, features: Features) -> jax.Array:
        """Returns logits of the step's being the last, `[B]`."""
        read = jnp.concatenate([features.greatest(), features.graph_BxH], axis=-1)
        kernel_GxJx1 = self.kernel[...][algorithm_G][:, :, None]
        x_Bx1 = times(read, kernel_GxJx1)
        return (x_Bx1 + spread(self.bias[...][algorithm_G][:, None], x_Bx1))[:, 0]


def sums(logits_B: jax.Array, last_B: jax.Array, counts_B: jax.Array) -> Sums:
    """Returns the cross-entropies, one for each row.

    Args:
      logits_B: of the step's being the last.
      last_B: whether it is.
      counts_B: whether the row still makes steps.
    """
    return each(cross_entropy(logits_B, last_B), counts_B)
