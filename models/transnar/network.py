"""A Transformer whose layers end with a reading of a reasoner's latents.

Source: Bounsi et al. 2024 (arXiv 2406.09308), section 3.

Legend: K moments at which latents are read, B rows, T tokens, D width, N nodes, L width of a
latent.
"""

from typing import Any

import jax
from flax import nnx

from ..nar.network import Latents as Held
from ..transformer.network import Cache, Transformer
from .config import TransNarConfig
from .reading import Latents, Memories, Reader

Memory = dict[str, Memories]
"""By layer that reads."""


@nnx.remat
def _again(reader: Reader, x_BxTxD: jax.Array, memories: Memories) -> jax.Array:
    """Reads, and once more in the backward pass instead of keeping what was computed."""
    return reader(x_BxTxD, memories)


class TransNar(nnx.Module):
    """Token ids and latents in, next-token logits out; all but the reasoner itself."""

    def __init__(
        self, config: TransNarConfig, vocab_size: int, latent_dim: int, rngs: nnx.Rngs
    ) -> None:
        """Draws the parameters.

        Args:
          config: of the model.
          vocab_size: V.
          latent_dim: L, the reasoner's hidden_dim.
          rngs: of the draws.
        """
        self.config = config
        self.transformer = Transformer(config.transformer, vocab_size, rngs)
        self.readers = nnx.Dict(
            {
                str(place): Reader(config.transformer, config.reading, latent_dim, rngs)
                for place in config.places
            }
        )

    def remember(self, held: Held, mask_BxN: jax.Array) -> Memory:
        """Makes every reading layer's keys and values of latents `[K, B, ...]`."""
        found = {}
        for k, place in enumerate(self.config.places):
            moment = min(k, self.config.shares - 1)
            of_moment = jax.tree.map(lambda x, moment=moment: x[moment], held)
            latents = Latents(*of_moment, mask_BxN)
            found[str(place)] = self.readers[str(place)].remember(latents)
        return found

    def __call__(
        self,
        tokens_BxT: jax.Array,
        positions_BxT: jax.Array,
        caches: list[Cache] | None = None,
        slots_B: jax.Array | None = None,
        mask_Bx1xTxS: jax.Array | None = None,
        *,
        memory: Memory,
    ) -> tuple[jax.Array, list[Cache]]:
        """Returns the last layer's activations `[B, T, D]`, and caches; see `Transformer`."""
        remat = self.config.transformer.remat and caches is None

        def after(place: int, x_BxTxD: jax.Array) -> jax.Array:
            if str(place) not in memory:
                return x_BxTxD
            reader = self.readers[str(place)]
            run: Any = _again if remat else Reader.__call__
            return run(reader, x_BxTxD, memory[str(place)])

        return self.transformer(
            tokens_BxT, positions_BxT, caches, slots_B, mask_Bx1xTxS, after=after
        )

    def logits(self, x: jax.Array) -> jax.Array:
        """Returns float32 logits `[..., V]` of activations `[..., D]`."""
        return self.transformer.logits(x)
