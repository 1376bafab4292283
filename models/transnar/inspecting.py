"""A TransNAR from within: what each layer lets in of the latents, and what tokens attend to.

Legend: B rows, T tokens, A tokens of answers, D width, H heads, M latents, R layers that read.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from .network import Memory, TransNar
from .reading import Memories, Reader

_Look = Callable[[Reader, Memories, jax.Array, jax.Array], Any]


def shares(model: TransNar, batch: dict[str, jax.Array], memory: Memory) -> jax.Array:
    """Returns what part of each layer's output comes from latents, float32 `[B, R]`.

    The norm of what the gate lets in over the norm of the activations that leave the layer, the
    mean over the places where a token of the answer is predicted.

    Args:
      model: reads.
      batch: of `Sequences`, for the loss on answers.
      memory: what it reads.
    """

    def share(
        reader: Reader, memories: Memories, x_BxTxD: jax.Array, let_in_BxTxD: jax.Array
    ) -> jax.Array:
        let_in_BxA, out_BxA = (
            jnp.linalg.norm(_predicting(x, batch).astype(jnp.float32), axis=-1)
            for x in (let_in_BxTxD, x_BxTxD + let_in_BxTxD)
        )
        weights_BxA = batch["weights"]
        return jnp.sum(weights_BxA * let_in_BxA / out_BxA, -1) / jnp.sum(weights_BxA, -1)

    return jnp.stack(_looked(model, batch, memory, share), axis=1)


def attention(model: TransNar, batch: dict[str, jax.Array], memory: Memory) -> dict[str, jax.Array]:
    """Returns what tokens attend to while an answer's are predicted, `[B, R, A, M]` by kind.

    The mean over heads.

    Args:
      model: reads.
      batch: see `shares`.
      memory: what it reads.
    """

    def weights(
        reader: Reader, memories: Memories, x_BxTxD: jax.Array, _: jax.Array
    ) -> dict[str, jax.Array]:
        normed = reader.norm(_predicting(x_BxTxD, batch))
        return {
            kind: jnp.mean(of.weights(normed, memories[kind]), axis=1)
            for kind, of in reader.of.items()
        }

    found = _looked(model, batch, memory, weights)
    return {kind: jnp.stack([one[kind] for one in found], axis=1) for kind in found[0]}


def _looked(model: TransNar, batch: dict[str, jax.Array], memory: Memory, look: _Look) -> list[Any]:
    """Returns what a look at each reading layer tells.

    It is shown the reader and what it reads, the activations `[B, T, D]` before, and what it adds.
    """
    found = []

    def after(place: int, x_BxTxD: jax.Array) -> jax.Array:
        if str(place) not in memory:
            return x_BxTxD
        reader, memories = model.readers[str(place)], memory[str(place)]
        let_in_BxTxD = reader.let_in(x_BxTxD, memories)
        found.append(look(reader, memories, x_BxTxD, let_in_BxTxD))
        return x_BxTxD + let_in_BxTxD

    model.transformer(batch["tokens"], batch["positions"], after=after)
    return found


def _predicting(x_BxTxD: jax.Array, batch: dict[str, jax.Array]) -> jax.Array:
    """Returns activations where tokens of answers are predicted, `[B, A, D]`."""
    return jnp.take_along_axis(x_BxTxD, batch["places"][:, :, None], axis=1)
