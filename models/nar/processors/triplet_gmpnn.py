"""Triplet-GMPNN: gated messages, of which a node takes the greatest, and triplets."""

import jax

from .gated import Gated
from .message_passing import greatest


class TripletGMPNN(Gated):
    """The processor of Ibarz et al. 2022 (arXiv 2209.11142), upstream's `triplet_gmpnn`."""

    def aggregate(self, messages_BxNxNxH: jax.Array, mask_BxN: jax.Array) -> jax.Array:
        """Returns the greatest message that each node is sent, `[B, N, H]`."""
        return greatest(messages_BxNxNxH, mask_BxN)
