"""How weights are drawn, as Haiku draws them.

XLA takes 0.2 s to compile a draw of a truncated normal, for each shape anew, and a reasoner of all
thirty algorithms has 86 shapes. So all are cut from blocks of one shape.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

_BLOCK = 1 << 14


def truncated_normal(deviation: float) -> Callable[..., jax.Array]:
    """Returns an initialiser: a normal of this deviation, cut off at twice it."""

    def draw(key: jax.Array, shape: tuple[int, ...], dtype: jnp.dtype = jnp.float32) -> jax.Array:
        size = math.prod(shape)
        blocks = [_block(key, i) for i in range(-(-size // _BLOCK))]
        # Outside of programs NumPy puts them together: JAX would compile that for each shape, too.
        of = jnp if isinstance(key, jax.core.Tracer) else np
        return jnp.asarray(of.concatenate(blocks)[:size].reshape(shape) * deviation, dtype)

    return draw


def linear(fan_in: int) -> Callable[..., jax.Array]:
    """Returns Haiku's initialiser of linear layers, which upstream's are drawn by."""
    return truncated_normal(fan_in**-0.5)


@jax.jit
def _block(key: jax.Array, place: jax.Array) -> jax.Array:
    return jax.random.truncated_normal(jax.random.fold_in(key, place), -2.0, 2.0, (_BLOCK,))
