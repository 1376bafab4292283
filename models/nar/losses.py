"""Losses of hints and outputs, as upstream weighs them (`clrs._src.losses`).

A probe's loss is the mean over all that it has a value for in all rows of its algorithm, and all
its steps; masked values do not count. The loss of an algorithm is the sum over its probes.

Legend: B rows, N nodes, S slots, A algorithms.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from .decoding import Logits

_MASKED = -1.0


class Sums(NamedTuple):
    """Summed losses, and how many values they are of, `[..., B, S]` each."""

    loss: jax.Array
    count: jax.Array


def sums(logits: Logits, truth: dict[str, jax.Array], mask_BxN: jax.Array) -> dict[str, Sums]:
    """Returns the losses of each stage and kind.

    Args:
      logits: see `postprocessing.normalised`.
      truth: as in `graphs.stack`.
      mask_BxN: which nodes there are.
    """
    return {key: _sums(key.partition("/")[2], x, truth[key], mask_BxN) for key, x in logits.items()}


def _sums(kind: str, x: jax.Array, truth: jax.Array, mask_BxN: jax.Array) -> Sums:
    location, _, of = kind.partition("_")
    if of == "scalar":
        losses, counts = jnp.square(x - truth), jnp.ones_like(truth)
    elif of == "mask":
        losses = cross_entropy(x, truth)
        counts = (truth != _MASKED).astype(jnp.float32)
    elif of in ("mask_one", "categorical"):
        chosen = (truth == 1.0).astype(jnp.float32)
        axis = 1 if of == "mask_one" else -1
        losses, counts = -jnp.sum(chosen * x, axis), jnp.sum(chosen, axis)
    else:
        losses = -jnp.take_along_axis(x, truth[..., None], axis=-1)[..., 0]
        counts = jnp.ones_like(losses)
    there = _there(location, of, mask_BxN)
    axes = tuple(range(1, losses.ndim - 1))
    counts = counts * there
    return Sums(jnp.sum(jnp.where(counts > 0, losses, 0.0), axes), jnp.sum(counts, axes))


def cross_entropy(x: jax.Array, truth: jax.Array) -> jax.Array:
    """Returns the cross-entropies of logits of yes or no, of their shape."""
    return jnp.maximum(x, 0.0) - x * truth + jnp.log1p(jnp.exp(-jnp.abs(x)))


def _there(location: str, of: str, mask_BxN: jax.Array) -> jax.Array:
    """Returns 1.0 where there is a value, to be broadcast against `[B, ..., S]`."""
    if location == "graph" or of == "mask_one":
        return jnp.ones((len(mask_BxN), 1))
    if location == "node":
        return mask_BxN[:, :, None].astype(jnp.float32)
    return (mask_BxN[:, :, None] & mask_BxN[:, None, :])[..., None].astype(jnp.float32)


def where(counts_B: jax.Array, found: Sums) -> Sums:
    """Returns the losses of rows that count, and nothing of others."""
    return Sums(*(jnp.where(counts_B[:, None], x, 0.0) for x in found))


def each(losses_B: jax.Array, counts_B: jax.Array) -> Sums:
    """Returns losses of which each row has one, or none where it does not count."""
    return Sums(jnp.where(counts_B, losses_B, 0.0)[:, None], counts_B.astype(jnp.float32)[:, None])


def by_algorithm(found: dict[str, Sums], algorithm_B: jax.Array, present: dict) -> jax.Array:
    """Returns each algorithm's loss, `[A]`; 0 of one that no row is of.

    Args:
      found: of each kind, `[B, S]`.
      algorithm_B: of each row.
      present: which slots are taken, bool `[A, S]` of each kind.
    """
    total = 0.0
    for kind, (loss, count) in found.items():
        A = len(present[kind])
        of_row = jax.nn.one_hot(algorithm_B, A)
        taken = jnp.asarray(present[kind]).astype(jnp.float32)
        means = (of_row.T @ loss) / jnp.maximum(of_row.T @ count, 1e-12)
        total += jnp.sum(means * taken, axis=1)
    return total
