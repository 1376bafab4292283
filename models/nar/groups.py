"""Products of rows with weights that are their algorithm's own.

A batch is cut into equal groups of neighbouring rows, each of one algorithm, and a group's weights
are gathered once. One group makes a product of the whole batch with one matrix, as fast as if there
were one algorithm only; groups of one row let algorithms mix freely, at the price of a matrix for
each row.

Legend: B rows, G groups, I features read, O features made.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp


def times(x: jax.Array, w_GxIxO: jax.Array) -> jax.Array:
    """Returns the products of `[B, ..., I]` with each group's matrix, `[B, ..., O]`."""
    G, _, n_out = w_GxIxO.shape
    if G == 1:
        return flat(lambda x: x @ w_GxIxO[0], x)
    grouped = x.reshape(G, len(x) // G, *x.shape[1:])
    return jnp.einsum("gr...i,gio->gr...o", grouped, w_GxIxO).reshape(*x.shape[:-1], n_out)


def flat(layers: Callable[[jax.Array], jax.Array], x: jax.Array) -> jax.Array:
    """Returns what layers make of `[..., I]`, which read it as one matrix.

    On CPUs gradients of a product of more axes take XLA about half as long again.
    """
    lead = x.shape[:-1]
    made = layers(x.reshape(math.prod(lead), x.shape[-1]))
    return made.reshape(*lead, made.shape[-1])


def spread(x_GxO: jax.Array, like: jax.Array) -> jax.Array:
    """Returns each row's group's features, to be added to `[B, ..., O]`."""
    G = len(x_GxO)
    of_row = x_GxO if G == 1 else jnp.repeat(x_GxO, len(like) // G, axis=0)
    return of_row.reshape(len(of_row), *(1,) * (like.ndim - 2), -1)
