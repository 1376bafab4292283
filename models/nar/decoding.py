"""Decoders: what is read off the latents for each probe (`decoders` in `clrs._src`).

Legend: B rows, G groups of them (see `groups`), N nodes, S slots, L classes, H width, E width of an
edge's latents, I and O widths of what a layer reads and makes.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from clrs_text_bench.tasks import Stage

from . import heads
from .heads import Features, Matrix, Pairs
from .layout import Layout
from .loops import each
from .tables import Linear

Logits = dict[str, jax.Array]
"""By stage and kind, `stage/kind`: scalars themselves, logits of all else, laid out as
`graphs.stack` does; pointers have an axis more, `[B, N, S, N]` and `[B, N, N, S, N]`."""

Layer = tuple[jax.Array, jax.Array]
"""A kernel `[G, S, I, O]` and a bias `[G, S, O]`."""

Weights = dict[str, list[Layer]]
"""The layers of each group's algorithm, by stage and kind."""


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


class _Head(NamedTuple):
    """What decodes some kinds.

    Attributes:
      kinds: of probes.
      reads: their layers and features.
      by_slot: whether it decodes one slot after another, and not all as one.
    """

    kinds: tuple[str, ...]
    reads: Callable
    by_slot: bool = False


_CHEAP = (
    _Head(("node_scalar", "node_mask", "node_mask_one", "node_categorical"), heads.of_nodes),
    _Head(("graph_scalar", "graph_mask", "graph_categorical"), heads.of_graph),
)

# What reads all pairs of nodes, at width H if it points, or all triples.
_DEAR = (
    _Head(("edge_scalar", "edge_mask", "edge_categorical"), heads.of_edges),
    _Head(("node_pointer", "node_permutation"), heads.to_nodes, by_slot=True),
    _Head(("edge_pointer",), heads.from_edges, by_slot=True),
)


def reads_edges(used: dict[str, jax.Array]) -> jax.Array:
    """Returns whether anything that is wanted is decoded off the edges' latents, a bool."""
    kinds = [kind for head in _DEAR for kind in head.kinds]
    wanted = [x for key, x in used.items() if key.partition("/")[2] in kinds]
    return jnp.any(jnp.concatenate([jnp.zeros(1, bool), *wanted]))


class Decoding:
    """The decoders of some kinds, those that read alike joined.

    They are joined once, and not in every step: call `join` outside of a loop over steps.
    """

    def __init__(self, weights: Weights) -> None:
        """Takes the sizes of weights.

        Args:
          weights: of the decoders of those kinds that are asked for.
        """
        self._sizes = {kind: layers[0][1].shape[1:] for kind, layers in weights.items()}
        self._cheap = [head for head in _CHEAP if self._of(head)]
        self._dear = [head for head in _DEAR if self._of(head)]

    def _of(self, head: _Head) -> list[str]:
        return [key for key in self._sizes if key.partition("/")[2] in head.kinds]

    def join(self, weights: Weights) -> list[list[Matrix]]:
        """Returns the layers of each head; where it goes by slots, those before all other axes."""
        joined = []
        for head in self._cheap + self._dear:
            by_layer = list(zip(*(weights[key] for key in self._of(head)), strict=True))
            if head.by_slot:
                joined.append([_stacked(layers) for layers in by_layer])
            else:
                joined.append([_side_by_side(layers) for layers in by_layer])
        return joined

    def decode(
        self, joined: list[list[Matrix]], features: Features, used: dict[str, jax.Array]
    ) -> Logits:
        """Decodes probes.

        Args:
          joined: see `join`.
          features: what is read.
          used: which slots are wanted, bool `[S]`. What is dear is not computed for others.
        """
        cheap = len(self._cheap)
        found: Logits = {}
        for head, layers in zip(self._cheap, joined[:cheap], strict=True):
            found |= self._cut(head, head.reads(layers, features))
        return found | self._where_used(joined[cheap:], features, used)

    def _where_used(
        self, joined: list[list[Matrix]], features: Features, used: dict[str, jax.Array]
    ) -> Logits:
        wanted, layers = [], []
        for head, of_head in zip(self._dear, joined, strict=True):
            wanted_S = jnp.concatenate([used[key] for key in self._of(head)])
            wanted.append(wanted_S if head.by_slot else jnp.any(wanted_S)[None])
            layers.append(of_head if head.by_slot else jax.tree.map(lambda x: x[None], of_head))
        read = Pairs(features.nodes_BxNxJ, features.edges, features.latents_BxNxNxE)
        reads = tuple(head.reads for head in self._dear)
        found: Logits = {}
        for head, x in zip(
            self._dear, each(reads, tuple(wanted), tuple(layers), read), strict=True
        ):
            found |= self._slots(head, x) if head.by_slot else self._cut(head, x[0])
        return found

    def _slots(self, head: _Head, x: jax.Array) -> Logits:
        """Cuts slots, the first axis, into kinds; they come before the last axis."""
        keys = self._of(head)
        ends = np.cumsum([self._sizes[key][0] for key in keys])
        cut = jnp.split(jnp.moveaxis(x, 0, -2), ends[:-1], axis=-2)
        return dict(zip(keys, cut, strict=True))

    def _cut(self, head: _Head, x: jax.Array) -> Logits:
        """Cuts what was decoded as one into kinds."""
        found, start = {}, 0
        for key in self._of(head):
            S, L = self._sizes[key]
            values = x[..., start : start + S * L]
            whole = key.endswith("_categorical")
            found[key] = values.reshape(*x.shape[:-1], S, L) if whole else values
            start += S * L
        return found


def _stacked(layers: Sequence[Layer]) -> Matrix:
    """Returns layers of all slots, `[S, G, ...]`."""
    kernels, biases = zip(*layers, strict=True)
    return (
        jnp.moveaxis(jnp.concatenate(kernels, axis=1), 1, 0),
        jnp.moveaxis(jnp.concatenate(biases, axis=1), 1, 0),
    )


def _side_by_side(layers: Sequence[Layer]) -> Matrix:
    """Returns layers of all slots, which read the same, as one."""
    kernels, biases = [], []
    for kernel_GxSxIxO, bias_GxSxO in layers:
        kernel_GxIxSxO = jnp.swapaxes(kernel_GxSxIxO, 1, 2)
        kernels.append(kernel_GxIxSxO.reshape(*kernel_GxIxSxO.shape[:2], -1))
        biases.append(bias_GxSxO.reshape(len(bias_GxSxO), -1))
    return jnp.concatenate(kernels, axis=-1), jnp.concatenate(biases, axis=-1)
