"""Low-rank adapters of a reasoner's processor.

Source: Hu et al. 2021, LoRA (arXiv 2106.09685), section 4: what is learnt beside a frozen matrix of
`n` times `m` is a product of one of `n` times `r` and one of `r` times `m`. The first is drawn and
the second starts at 0, so that the reasoner starts as it was trained. Ours is not scaled by
`alpha / r`: the learning rate has a scale of its own.
"""

import math
import zlib

import jax
import jax.numpy as jnp

_PART = "processor"
_DOWN, _UP = "down", "up"

Adapters = dict[str, dict[str, jax.Array]]
"""By the path of the matrix, such as "m_1/kernel"."""


def _matrices(reasoner: dict) -> dict[str, tuple[int, int]]:
    """Returns the shapes of the processor's matrices, by path."""
    found = jax.tree_util.tree_leaves_with_path(reasoner[_PART])
    return {_name(path): x.shape for path, x in found if len(x.shape) == 2}


def _name(path: tuple) -> str:
    return "/".join(key.key for key in path)


def shapes(reasoner: dict, rank: int) -> dict:
    """Returns the shapes of adapters, given the reasoner's parameters or their shapes."""
    return {
        name: {
            _DOWN: jax.ShapeDtypeStruct((rows, rank), jnp.float32),
            _UP: jax.ShapeDtypeStruct((rank, columns), jnp.float32),
        }
        for name, (rows, columns) in _matrices(reasoner).items()
    }


def init(reasoner: dict, rank: int, seed: int) -> Adapters:
    """Draws adapters that change nothing yet.

    Args:
      reasoner: its parameters or their shapes.
      rank: r.
      seed: of the draws.
    """
    key = jax.random.key(seed)
    found = {}
    for name, of_matrix in shapes(reasoner, rank).items():
        rows = of_matrix[_DOWN].shape[0]
        # By name, so that a matrix more changes no other's draw.
        drawn = jax.random.normal(jax.random.fold_in(key, zlib.crc32(name.encode())), (rows, rank))
        up = jnp.zeros(of_matrix[_UP].shape)
        found[name] = {_DOWN: drawn / math.sqrt(rows), _UP: up}
    return found


def adapted(reasoner: dict, adapters: Adapters) -> dict:
    """Returns a reasoner's parameters with what its adapters add."""

    def added(path: tuple, x: jax.Array) -> jax.Array:
        adapter = adapters.get(_name(path))
        return x if adapter is None else x + adapter[_DOWN] @ adapter[_UP]

    processor = jax.tree_util.tree_map_with_path(added, reasoner[_PART])
    return {**reasoner, _PART: processor}
