"""G-ForgetNet: a step that forgets the one before, but for what a gate lets in.

Legend: B rows, N nodes, H width.
"""

import jax
import jax.numpy as jnp
from flax import nnx

from ..config import NarConfig
from .linear import linear
from .message_passing import MessagePassing, beside, greatest
from .protocol import Graph, Processed


class GForgetNet(MessagePassing):
    """The processor of Bohde et al. 2024 (arXiv 2403.04929, section 3).

    A step of an algorithm follows from the state that the hints tell of, so latents of earlier
    steps can but mislead, once hints are predicted well. Triplet-GMPNN's messages and triplets
    read, in place of the latents h of the step before, `g * h`; so do the decoders. With the gate g
    closed this is ForgetNet: nothing depends on h. As the update gate of Triplet-GMPNN would let h
    through, there is none. The penalty is the mean of g over a row's nodes and features.

    The repository that the paper names holds no code. Ours to choose were: that g is of each node
    and feature, the logistic function of a layer over a hidden one which reads the node's encoding
    and h, and starts half open; that `g * h` stands beside the encoding as h does in Triplet-GMPNN,
    not added to it; and that the penalty has one weight throughout (`model.penalty_weight`), since
    a loss does not know its step of training. Relative to the other losses it grows as they fall.
    """

    penalises = True

    def __init__(self, config: NarConfig, rngs: nnx.Rngs) -> None:
        """Draws the parameters."""
        super().__init__(config, rngs)
        H = config.hidden_dim
        self.let_in_0, self.let_in_1 = linear(2 * H, H, rngs), linear(H, H, rngs)

    def __call__(self, graph: Graph) -> Processed:
        """Makes one step."""
        gate_BxNxH = self._gate(graph)
        hidden_BxNxH = gate_BxNxH * graph.hidden_BxNxH
        z_BxNx2H = beside(graph.nodes_BxNxH, hidden_BxNxH)
        received_BxNxH = greatest(self.messages(graph, z_BxNx2H), graph.mask_BxN)
        return Processed(
            self.update(z_BxNx2H, received_BxNxH),
            self.triplets(graph, z_BxNx2H),
            hidden_BxNxH,
            jnp.mean(gate_BxNxH, axis=(1, 2), where=graph.mask_BxN[:, :, None]),
        )

    def _gate(self, graph: Graph) -> jax.Array:
        """Returns how much of each latent is let in, `[B, N, H]`."""
        z_BxNx2H = beside(graph.nodes_BxNxH, graph.hidden_BxNxH)
        return jax.nn.sigmoid(self.let_in_1(jax.nn.relu(self.let_in_0(z_BxNx2H))))
