"""What a processor reads and makes.

Legend: B rows, N nodes, H width.
"""

from typing import NamedTuple, Protocol

import jax

from ..edges import Edges


class Graph(NamedTuple):
    """What a processor reads in a step.

    Attributes:
      nodes_BxNxH: encoded inputs and hints of the nodes.
      edges: of the edges.
      graph_BxH: of the graph.
      hidden_BxNxH: the nodes' latents after the step before.
      mask_BxN: which nodes there are; the others come last.
      edges_read: whether anything reads the edges' latents after this step, a bool; if not they may
        be left 0.
    """

    nodes_BxNxH: jax.Array
    edges: Edges
    graph_BxH: jax.Array
    hidden_BxNxH: jax.Array
    mask_BxN: jax.Array
    edges_read: jax.Array


class Processed(NamedTuple):
    """What a processor makes of it.

    Attributes:
      nodes_BxNxH: the nodes' latents.
      edges_BxNxNxH: the edges', if it has any.
      hidden_BxNxH: what it read of the latents after the step before, which is what decoders read
        of them, too; None if that is all.
      penalty_B: each row's, which the loss grows by; None if it penalises nothing.
    """

    nodes_BxNxH: jax.Array
    edges_BxNxNxH: jax.Array | None
    hidden_BxNxH: jax.Array | None = None
    penalty_B: jax.Array | None = None


class Processor(Protocol):
    """A module that is made of a `NarConfig` and `nnx.Rngs`.

    Attributes:
      e_dim: how wide its latents of edges are, 0 if it has none.
      penalises: whether it makes penalties.
    """

    e_dim: int
    penalises: bool

    def __call__(self, graph: Graph) -> Processed:
        """Makes one step."""
        ...
