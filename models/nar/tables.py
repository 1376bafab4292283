"""Weights that each algorithm has its own of: one table for all, gathered by a batch's rows."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from . import initial
from .layout import Kind


class Table(nnx.Module):
    """An array for each probe of a kind."""

    def __init__(self, kind: Kind, init: Callable, shape: tuple[int, ...], rngs: nnx.Rngs) -> None:
        """Draws the arrays.

        Args:
          kind: the probes.
          init: of an array.
          shape: of an array.
          rngs: of the draws.
        """
        # Tuples, since they are no parameters.
        self.index = tuple(map(tuple, kind.index.tolist()))
        self.present = tuple(map(tuple, kind.present.tolist()))
        self.rows = nnx.Param(init(rngs.params(), (len(kind.probes), *shape), jnp.float32))

    def of(self, algorithm_G: jax.Array) -> jax.Array:
        """Returns the arrays of some algorithms, `[G, S, *shape]`, 0 for an empty slot."""
        found = self.rows[...][jnp.asarray(np.array(self.index))[algorithm_G]]
        there = jnp.asarray(np.array(self.present))[algorithm_G]
        return jnp.where(there.reshape(there.shape + (1,) * (found.ndim - 2)), found, 0.0)


class Linear(nnx.Module):
    """A linear layer for each probe of a kind."""

    def __init__(self, kind: Kind, n_in: int, n_out: int, rngs: nnx.Rngs, init=None) -> None:
        """Draws the layers; `init` is upstream's if left out."""
        self.kernel = Table(kind, init or initial.linear(n_in), (n_in, n_out), rngs)
        self.bias = Table(kind, nnx.initializers.zeros, (n_out,), rngs)
