"""Encoders: the vectors that a graph's numbers are turned into, and the numbers in columns.

Every probe is encoded by a linear layer and added to the features of nodes, edges or the graph
(`encoders` in `clrs._src`; Velickovic et al. 2022, section 3.2). A pointer of a node is a feature
of the edge along it. One of an edge is, averaged over the edge's one end, a feature of the edge
from its other end to where it points.

Legend: B rows, G groups of them, N nodes, S slots, L classes, C columns, H width; `location` is
"node", "edge" or "graph".
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from clrs_text_bench.tasks import Stage

from . import initial
from .layout import Layout
from .tables import Linear

LOCATIONS = ("node", "edge", "graph")

# The kinds whose columns a location has, in their order.
_KINDS = {
    "node": ("node_scalar", "node_mask", "node_mask_one", "node_categorical"),
    "edge": ("edge_scalar", "edge_mask", "edge_categorical", "node_pointer", "edge_pointer"),
    "graph": ("graph_scalar", "graph_mask", "graph_categorical"),
}

Columns = dict[str, jax.Array]
"""`{location: [B, ..., C]}`."""


class Vectors(NamedTuple):
    """What columns are multiplied with, and what is added, by location.

    Attributes:
      kernel: `[G, C, H]` each.
      bias: `[G, H]` each.
    """

    kernel: dict[str, jax.Array]
    bias: dict[str, jax.Array]


class Encoders(nnx.Module):
    """The encoders of all probes of one stage."""

    def __init__(self, layout: Layout, stage: Stage, hidden_dim: int, rngs: nnx.Rngs) -> None:
        """Draws the encoders as upstream's option "xavier_on_scalars" does."""
        self.hidden_dim = hidden_dim
        layers = {}
        for name, kind in layout.present(stage).items():
            few = name.endswith("scalar") and stage == "hint"
            init = initial.truncated_normal(hidden_dim**-0.5) if few else None
            ways = 2 if name == "edge_pointer" else 1
            layers[name] = nnx.List(
                [Linear(kind, kind.width, hidden_dim, rngs, init) for _ in range(ways)]
            )
        self.layers = nnx.Dict(layers)

    def vectors(self, algorithm_G: jax.Array) -> Vectors:
        """Returns the vectors of each group's algorithm."""
        G, H = len(algorithm_G), self.hidden_dim
        kernels, biases = {}, {}
        for location in LOCATIONS:
            layers = [x for kind in _KINDS[location] for x in self.layers.get(kind, ())]
            kernels[location] = jnp.concatenate(
                [jnp.zeros((G, 0, H))]
                + [layer.kernel.of(algorithm_G).reshape(G, -1, H) for layer in layers],
                axis=1,
            )
            biases[location] = sum(
                (layer.bias.of(algorithm_G).sum(1) for layer in layers), jnp.zeros((G, H))
            )
        return Vectors(kernels, biases)


def columns(values: dict[str, jax.Array], mask_BxN: jax.Array) -> Columns:
    """Puts given values into columns.

    Args:
      values: arrays by kind, as `graphs.stack` makes them.
      mask_BxN: which nodes there are.
    """
    N = mask_BxN.shape[1]

    def soft(kind: str, x: jax.Array) -> jax.Array:
        return jax.nn.one_hot(x, N) if kind.endswith("pointer") else x

    return soft_columns({kind: soft(kind, x) for kind, x in values.items()}, mask_BxN)


def soft_columns(values: dict[str, jax.Array], mask_BxN: jax.Array) -> Columns:
    """Puts values into columns, pointers being distributions, `[B, N, S, N]` or `[B, N, N, S, N]`.

    Args:
      values: arrays by kind.
      mask_BxN: which nodes there are.
    """
    B, N = mask_BxN.shape
    axes = {"node": (B, N), "edge": (B, N, N), "graph": (B,)}
    return {
        location: jnp.concatenate(
            [jnp.zeros((*axes[location], 0))]
            + [
                column
                for kind in _KINDS[location]
                if kind in values
                for column in _columns(kind, values[kind], axes[location], mask_BxN)
            ],
            axis=-1,
        )
        for location in LOCATIONS
    }


def _columns(
    kind: str, x: jax.Array, axes: tuple[int, ...], mask_BxN: jax.Array
) -> list[jax.Array]:
    if kind == "node_pointer":
        return [jnp.moveaxis(x, 2, 3)]
    if kind == "edge_pointer":
        there = mask_BxN[:, :, None, None, None] & mask_BxN[:, None, :, None, None]
        x_BxNxNxSxN = jnp.where(there, x, 0.0)
        n = mask_BxN.sum(1)[:, None, None, None].astype(x.dtype)
        # Over the edge's start, then over its end; as many columns as slots each.
        return [jnp.moveaxis(x_BxNxNxSxN.sum(axis) / n, 2, 3) for axis in (1, 2)]
    return [x.reshape(*axes, -1)]
