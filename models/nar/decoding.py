"""Decoders: what is read off the latents for each probe (`decoders` in `clrs._src`).

Legend: B rows, N nodes, S slots, L classes, H width, J width of a node's features (3 H: encoded,
before and after the step), E width of an edge's latents, O width of a layer's output.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from clrs_text_bench.tasks import Stage

from .edges import Edges
from .layout import Layout
from .tables import Linear

Logits = dict[str, jax.Array]
"""By kind: scalars themselves, logits of all else, laid out as `graphs.stack` does; pointers have
an axis more, `[B, N, S, N]` and `[B, N, N, S, N]`."""

Layer = tuple[jax.Array, jax.Array]
"""A kernel `[B, S, in, O]` and a bias `[B, S, O]`."""

Weights = dict[str, list[Layer]]
"""The layers of each kind, of each row's algorithm."""


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

    def weights(self, algorithm_B: jax.Array) -> Weights:
        """Returns the layers of each row's algorithm."""
        return {
            name: [(x.kernel.of(algorithm_B), x.bias.of(algorithm_B)) for x in layers]
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
    """Decodes all probes of a stage.

    Args:
      weights: of the decoders.
      features: what they read.
      used: of each kind, which slots any row has a probe in, bool `[S]`. What is dear is not
        computed for others.
    """

    return {
        kind: (
            _slot_by_slot(_DEAR[kind], layers, features, used[kind])
            if kind in _DEAR
            else _plain(kind, layers, features)
        )
        for kind, layers in weights.items()
    }


def _slot_by_slot(
    decoder: Callable[[list[Layer], Features], jax.Array],
    layers: list[Layer],
    features: Features,
    used_S: jax.Array,
) -> jax.Array:
    """Decodes one slot after another, by one piece of program, those that are used."""

    def one(x: tuple) -> jax.Array:
        used, layers = x
        layers = [(kernel[:, None], bias[:, None]) for kernel, bias in layers]
        shape = jax.eval_shape(decoder, layers, features)
        nothing = jnp.zeros(shape.shape, shape.dtype)
        return jax.lax.cond(used, lambda: decoder(layers, features), lambda: nothing)

    by_slot = jax.tree.map(lambda x: jnp.moveaxis(x, 1, 0), layers)
    found = jax.lax.map(one, (used_S, by_slot))
    return jnp.moveaxis(found[..., 0, :], 0, -2)


def _plain(kind: str, layers: list[Layer], features: Features) -> jax.Array:
    location, _, of = kind.partition("_")
    x = {"node": _of_nodes, "edge": _of_edges, "graph": _of_graph}[location](layers, features)
    return x if of == "categorical" else x[..., 0]


def _at_nodes(layer: Layer, features: Features) -> jax.Array:
    """Returns a layer's output at the nodes, `[B, N, S, O]`."""
    kernel, bias = layer
    return jnp.einsum("bnj,bsjo->bnso", features.nodes_BxNxJ, kernel) + bias[:, None]


def _at_edges(layer: Layer, features: Features) -> jax.Array:
    """Returns a layer's output at the edges, `[B, S, N, N, O]`, without its bias."""
    kernel, _ = layer
    H = features.edges.kernel_BxCxH.shape[-1]
    x = features.edges.times_each(kernel[:, :, :H])
    if features.latents_BxNxNxE is None:
        return x
    return x + jnp.einsum("bije,bseo->bsijo", features.latents_BxNxNxE, kernel[:, :, H:])


def _of_nodes(layers: list[Layer], features: Features) -> jax.Array:
    return _at_nodes(layers[0], features)


def _of_edges(layers: list[Layer], features: Features) -> jax.Array:
    """Returns `[B, N, N, S, O]`."""
    start, end, edge = layers
    x_BxNxSxO = _at_nodes(start, features) + edge[1][:, None]
    y_BxNxSxO = _at_nodes(end, features)
    at_edges = jnp.moveaxis(_at_edges(edge, features), 1, 3)
    return x_BxNxSxO[:, :, None] + y_BxNxSxO[:, None] + at_edges


def _of_graph(layers: list[Layer], features: Features) -> jax.Array:
    """Returns `[B, S, O]`."""
    (kernel, bias), (g_kernel, g_bias) = layers
    of_nodes = jnp.einsum("bj,bsjo->bso", features.greatest(), kernel)
    return of_nodes + jnp.einsum("bh,bsho->bso", features.graph_BxH, g_kernel) + bias + g_bias


def _node_pointer(layers: list[Layer], features: Features) -> jax.Array:
    """Returns `[B, N, S, N]`: a layer of the greater of two readings of either end."""
    own, other, edge, (kernel, bias) = layers
    own_BxSxNxH = jnp.moveaxis(_at_nodes(own, features), 2, 1)
    other_BxSxNxH = jnp.moveaxis(_at_nodes(other, features), 2, 1) + edge[1][:, :, None]
    # Of edge (j, i) for the pointer from i to j.
    along = jnp.swapaxes(_at_edges(edge, features) + other_BxSxNxH[:, :, :, None], 2, 3)
    greater = jnp.maximum(own_BxSxNxH[:, :, :, None], along)
    x_BxSxNxN = jnp.einsum("bsijh,bsh->bsij", greater, kernel[..., 0]) + bias[:, :, :, None]
    return jnp.moveaxis(x_BxSxNxN, 1, 2)


def _edge_pointer(layers: list[Layer], features: Features) -> jax.Array:
    """Returns `[B, N, N, S, N]`: a layer of the greater of readings of edge and third node."""
    start, end, edge, third, (kernel, bias) = layers
    x_BxNxNxSxH = _of_edges([start, end, edge], features)
    third_BxNxSxH = _at_nodes(third, features)

    def to(third_BxSxH: jax.Array) -> jax.Array:
        greater = jnp.maximum(x_BxNxNxSxH, third_BxSxH[:, None, None])
        return jnp.einsum("bijsh,bsh->bijs", greater, kernel[..., 0])

    # One third node after another: N x N x N x H numbers are never held at once.
    x = jax.lax.map(jax.checkpoint(to), jnp.moveaxis(third_BxNxSxH, 1, 0))
    return jnp.moveaxis(x, 0, 4) + bias[:, None, None]


_DEAR = {
    "node_pointer": _node_pointer,
    "node_permutation": _node_pointer,
    "edge_pointer": _edge_pointer,
}
