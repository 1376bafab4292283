"""Message passing whose update is gated, with the aggregator left open.

Legend: B rows, N nodes, H width.
"""

from abc import abstractmethod

import jax
from flax import nnx

from ..config import NarConfig
from .linear import linear
from .message_passing import MessagePassing, beside
from .protocol import Graph, Processed


class Gated(MessagePassing):
    """A node takes a share of its new latents, and keeps the rest of the old.

    Source: `PGN` in `clrs._src.processors` with `gated` (Ibarz et al. 2022, arXiv 2209.11142).
    """

    def __init__(self, config: NarConfig, rngs: nnx.Rngs) -> None:
        """Draws the parameters."""
        super().__init__(config, rngs)
        H = config.hidden_dim
        self.gate_1, self.gate_2 = linear(2 * H, H, rngs), linear(H, H, rngs)
        self.gate_3 = linear(H, H, rngs, bias=-3.0)

    @abstractmethod
    def aggregate(self, messages_BxNxNxH: jax.Array, mask_BxN: jax.Array) -> jax.Array:
        """Reduces messages over their senders, the second axis, to `[B, N, H]`."""

    def __call__(self, graph: Graph) -> Processed:
        """Makes one step."""
        z_BxNx2H = beside(graph.nodes_BxNxH, graph.hidden_BxNxH)
        received_BxNxH = self.aggregate(self.messages(graph, z_BxNx2H), graph.mask_BxN)
        new_BxNxH = self.update(z_BxNx2H, received_BxNxH)
        gate = self.gate_3(jax.nn.relu(self.gate_1(z_BxNx2H) + self.gate_2(received_BxNxH)))
        share = jax.nn.sigmoid(gate)
        nodes = new_BxNxH * share + graph.hidden_BxNxH * (1 - share)
        return Processed(nodes, self.triplets(graph, z_BxNx2H))
