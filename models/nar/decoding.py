"""Decoders: what is read off the latents for each probe (`decoders` in `clrs._src`).

Legend: B rows, G groups of them (see `groups`), N nodes, S slots, L classes, H width, J width of a
node's features (3 H: encoded, before and after the step), E width of an edge's latents, I and O
widths of what a layer reads and makes.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from clrs_text_bench.tasks import Stage

from .edges import Edges
from .groups import spread, times
from .layout import Layout
from .tables import Linear

Logits = dict[str, jax.Array]
"""By stage and kind, `stage/kind`: scalars themselves, logits of all else, laid out as
`graphs.stack` does; pointers have an axis more, `[B, N, S, N]` and `[B, N, N, S, N]`."""

Layer = tuple[jax.Array, jax.Array]
"""A kernel `[G, S, I, O]` and a bias `[G, S, O]`."""

Matrix = tuple[jax.Array, jax.Array]
"""A layer of one slot, or of all as one: a kernel `[G, I, O]` and a bias `[G, O]`."""

Weights = dict[str, list[Layer]]
"""The layers of each group's algorithm, by stage and kind."""


class Features(NamedTuple):
    """What decoders read.

    Attributes:
      nodes_BxNxJ: of the nodes: encoded, and latents before and after the step.
      edges: encoded edges.
      latents_BxNxNxE: latents of the edges, if there are any.
      graph_BxH: encoded graph.
      mask_BxN: which nodes there are.
      penalty_B: the processor's, which no decoder reads; None if it has none.
    """

    nodes_BxNxJ: jax.Array
    edges: Edges
    latents_BxNxNxE: jax.Array | None
    graph_BxH: jax.Array
    mask_BxN: jax.Array
    penalty_B: jax.Array | None

    def greatest(self) -> jax.Array:
        """Returns the greatest of each feature over the nodes, `[B, J]`."""
        there = self.mask_BxN[:, :, None]
        return jnp.max(jnp.where(there, self.nodes_BxNxJ, -jnp.inf), axis=1)


class Decoders(nnx.Module):
    """The decoders of all probes of one stage."""

    def __init__(
        self, layout: Layout, stage: Stage, hidden_dim: int, e_dim: int, rngs: nnx.Rngs
    ) -> None:
        """Draws the decoders as Haiku does.

        Args:
          layout: of the network.
          stage: whose probes are decoded.
          hidden_dim: H.
          e_dim: E, 0 if the processor has no latents of edges.
          rngs: of the draws.
        """
        n_in = {"node": 3 * hidden_dim, "edge": hidden_dim + e_dim}
        n_in |= {"graph": hidden_dim, "hidden": hidden_dim}
        self.layers = nnx.Dict(
            {
                name: nnx.List(
                    Linear(kind, n_in[reads], hidden_dim if wide else kind.width, rngs)
                    for reads, wide in _layers(name)
                )
                for name, kind in layout.present(stage).items()
            }
        )

    def weights(self, algorithm_G: jax.Array) -> Weights:
        """Returns the layers of each group's algorithm."""
        return {
            name: [(x.kernel.of(algorithm_G), x.bias.of(algorithm_G)) for x in layers]
            for name, layers in self.layers.items()
        }


def _layers(kind: str) -> tuple[tuple[str, bool], ...]:
    """Returns what each layer of a kind of decoder reads, and whether its output has width H.

    The order is that of upstream's `construct_decoders`.
    """
    if kind in ("node_pointer", "node_permutation"):
        return (("node", True), ("node", True), ("edge", True), ("hidden", False))
    if kind == "edge_pointer":
        wide = (("node", True), ("node", True), ("edge", True), ("node", True))
        return (*wide, ("hidden", False))
    return {
        "node": (("node", False),),
        "edge": (("node", False), ("node", False), ("edge", False)),
        "graph": (("node", False), ("graph", False)),
    }[kind.partition("_")[0]]


def decode(weights: Weights, features: Features, used: dict[str, jax.Array]) -> Logits:
    """Decodes probes.

    Args:
      weights: of the decoders of those that are asked for.
      features: what they read.
      used: which slots are wanted, bool `[S]`. What is dear is not computed for others.
    """
    found: Logits = {}
    for location, kinds in _PLAIN.items():
        found |= _plain(location, _only(kinds, weights), features)
    for decoder, kinds in _DEAR.items():
        found |= _dear(decoder, _only(kinds, weights), features, used)
    return found


def _only(kinds: tuple[str, ...], weights: Weights) -> Weights:
    return {key: layers for key, layers in weights.items() if key.partition("/")[2] in kinds}


def _plain(location: str, weights: Weights, features: Features) -> Logits:
    """Decodes all kinds of a location that are linear in what they read, as one."""
    if not weights:
        return {}
    by_layer = zip(*weights.values(), strict=True)
    layers = [_joined([_flat(layer) for layer in of_each]) for of_each in by_layer]
    x = {"node": _of_nodes, "edge": _of_edges, "graph": _of_graph}[location](layers, features)
    found, start = {}, 0
    for kind, of_each in weights.items():
        S, L = of_each[0][1].shape[1:]
        values = x[..., start : start + S * L]
        whole = kind.endswith("_categorical")
        found[kind] = values.reshape(*x.shape[:-1], S, L) if whole else values
        start += S * L
    return found


def _flat(layer: Layer) -> Matrix:
    """Returns all slots' layers as one."""
    kernel_GxSxIxO, bias_GxSxO = layer
    kernel_GxIxSxO = jnp.swapaxes(kernel_GxSxIxO, 1, 2)
    G, n_in = kernel_GxIxSxO.shape[:2]
    return kernel_GxIxSxO.reshape(G, n_in, -1), bias_GxSxO.reshape(G, -1)


def _joined(layers: list[Matrix]) -> Matrix:
    """Returns layers that read the same as one."""
    kernels, biases = zip(*layers, strict=True)
    return jnp.concatenate(kernels, axis=-1), jnp.concatenate(biases, axis=-1)


def _at_nodes(layer: Matrix, features: Features) -> jax.Array:
    """Returns a layer's output at the nodes, `[B, N, O]`."""
    kernel, bias = layer
    x_BxNxO = times(features.nodes_BxNxJ, kernel)
    return x_BxNxO + spread(bias, x_BxNxO)


def _at_edges(layer: Matrix, features: Features) -> jax.Array:
    """Returns a layer's output at the edges, `[B, N, N, O]`."""
    kernel, bias = layer
    H = features.edges.kernel_GxCxH.shape[-1]
    x_BxNxNxO = features.edges.times_each(kernel[:, :H])
    if features.latents_BxNxNxE is not None:
        x_BxNxNxO += times(features.latents_BxNxNxE, kernel[:, H:])
    return x_BxNxNxO + spread(bias, x_BxNxNxO)


def _of_nodes(layers: list[Matrix], features: Features) -> jax.Array:
    return _at_nodes(layers[0], features)


def _of_edges(layers: list[Matrix], features: Features) -> jax.Array:
    """Returns `[B, N, N, O]`."""
    start, end, edge = layers
    start_BxNxO, end_BxNxO = _at_nodes(start, features), _at_nodes(end, features)
    return start_BxNxO[:, :, None] + end_BxNxO[:, None] + _at_edges(edge, features)


def _of_graph(layers: list[Matrix], features: Features) -> jax.Array:
    """Returns `[B, O]`."""
    (kernel, bias), (g_kernel, g_bias) = layers
    x_BxO = times(features.greatest(), kernel) + times(features.graph_BxH, g_kernel)
    return x_BxO + spread(bias + g_bias, x_BxO)


def _dear(
    decoder: Callable[[list[Matrix], Features], jax.Array],
    weights: Weights,
    features: Features,
    used: dict[str, jax.Array],
) -> Logits:
    """Decodes one slot after another, by one piece of program, those that are used."""
    if not weights:
        return {}
    layers = [
        tuple(jnp.moveaxis(jnp.concatenate(x, axis=1), 1, 0) for x in zip(*of_each, strict=True))
        for of_each in zip(*weights.values(), strict=True)
    ]

    def one(x: tuple) -> jax.Array:
        used, layers = x
        shape = jax.eval_shape(decoder, layers, features)
        nothing = jnp.zeros(shape.shape, shape.dtype)
        # What is as large as all edges at width H is not kept for the backward pass.
        go = jax.checkpoint(decoder)
        return jax.lax.cond(used, lambda: go(layers, features), lambda: nothing)

    used_S = jnp.concatenate([used[kind] for kind in weights])
    slots = jnp.moveaxis(jax.lax.map(one, (used_S, layers)), 0, -2)
    ends = np.cumsum([len(used[kind]) for kind in weights])
    return dict(zip(weights, jnp.split(slots, ends[:-1], axis=-2), strict=True))


def _to_nodes(layers: list[Matrix], features: Features) -> jax.Array:
    """Returns `[B, N, N]`: a layer of the greater of two readings of either end."""
    own, other, edge, (kernel, bias) = layers
    own_BxNxH, other_BxNxH = _at_nodes(own, features), _at_nodes(other, features)
    # Of edge (j, i) for the pointer from i to j.
    along_BxNxNxH = _at_edges(edge, features) + other_BxNxH[:, :, None]
    greater_BxNxNxH = jnp.maximum(own_BxNxH[:, None], along_BxNxNxH)
    x_BxNxNx1 = times(greater_BxNxNxH, kernel)
    return jnp.swapaxes((x_BxNxNx1 + spread(bias, x_BxNxNx1))[..., 0], 1, 2)


def _from_edges(layers: list[Matrix], features: Features) -> jax.Array:
    """Returns `[B, N, N, N]`: a layer of the greater of readings of edge and third node."""
    start, end, edge, third, (kernel, bias) = layers
    x_BxNxNxH = _of_edges([start, end, edge], features)

    def to(third_BxH: jax.Array) -> jax.Array:
        greater_BxNxNxH = jnp.maximum(x_BxNxNxH, third_BxH[:, None, None])
        return times(greater_BxNxNxH, kernel)[..., 0]

    # One third node after another: N x N x N x H numbers are never held at once.
    third_NxBxH = jnp.moveaxis(_at_nodes(third, features), 1, 0)
    x_BxNxNxN = jnp.moveaxis(jax.lax.map(jax.checkpoint(to), third_NxBxH), 0, 3)
    return x_BxNxNxN + spread(bias, x_BxNxNxN)


_PLAIN = {
    "node": ("node_scalar", "node_mask", "node_mask_one", "node_categorical"),
    "edge": ("edge_scalar", "edge_mask", "edge_categorical"),
    "graph": ("graph_scalar", "graph_mask", "graph_categorical"),
}

# What reads all pairs of nodes at width H, or all triples.
_DEAR = {_to_nodes: ("node_pointer", "node_permutation"), _from_edges: ("edge_pointer",)}
