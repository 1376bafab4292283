"""RNAR: messages that an LSTM reads in the order of the nodes.

Legend: B rows, N nodes, H width.
"""

import jax
import jax.numpy as jnp
from flax import nnx

from .. import initial
from ..config import NarConfig
from .gated import Gated


class RNAR(Gated):
    """The recurrent reasoner of Xu and Velickovic 2024 (arXiv 2409.07154).

    A node reads the messages that it is sent, its own among them, one after another in the order of
    their senders' indices, and goes by the LSTM's last output. So nodes are told apart by their
    place, which in lists means something, and permuting them changes what they hold.

    Ours to choose was that all but the aggregator is Triplet-GMPNN's, so that the two compare. In
    the first author's earlier public code (`PGNL0` of kaijiaxu/asyncGNN) the aggregator is this
    one, of width H, but there are no triplets, and no update gate by default.
    """

    def __init__(self, config: NarConfig, rngs: nnx.Rngs) -> None:
        """Draws the parameters."""
        super().__init__(config, rngs)
        self.lstm = LSTM(config.hidden_dim, rngs)

    def aggregate(self, messages_BxNxNxH: jax.Array, mask_BxN: jax.Array) -> jax.Array:
        """Returns the LSTM's output after the last node that there is, `[B, N, H]`."""
        return self.lstm(jnp.swapaxes(messages_BxNxNxH, 0, 1), mask_BxN.T)


class LSTM(nnx.Module):
    """One layer, as `hk.LSTM` draws and computes it: gates input, cell, forget (+ 1), output.

    Flax's would multiply each input by its kernel within the recurrence.
    """

    def __init__(self, width: int, rngs: nnx.Rngs) -> None:
        """Draws the parameters."""
        init = initial.linear(2 * width)
        self.of_input = nnx.Linear(width, 4 * width, kernel_init=init, rngs=rngs)
        self.of_output = nnx.Linear(width, 4 * width, kernel_init=init, use_bias=False, rngs=rngs)

    def __call__(self, x_NxBxNxH: jax.Array, mask_NxB: jax.Array) -> jax.Array:
        """Reads along the first axis, passing over what is masked; returns the last output.

        Args:
          x_NxBxNxH: sequences, one for each row and receiver.
          mask_NxB: which of their elements there are.
        """
        kernel_Hx4H = self.of_output.kernel[...]

        def read(state: tuple, x: tuple) -> tuple[tuple, None]:
            given_BxNx4H, there_B = x
            cell, output = state
            i, g, f, o = jnp.split(given_BxNx4H + output @ kernel_Hx4H, 4, axis=-1)
            new = jax.nn.sigmoid(f + 1) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
            there = there_B[:, None, None]
            output = jnp.where(there, jax.nn.sigmoid(o) * jnp.tanh(new), output)
            return (jnp.where(there, new, cell), output), None

        nothing = jnp.zeros(x_NxBxNxH.shape[1:])
        (_, output), _ = jax.lax.scan(
            read, (nothing, nothing), (self.of_input(x_NxBxNxH), mask_NxB)
        )
        return output
