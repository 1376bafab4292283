"""Tokens of decimal numbers that start out in order.

With one token per number, a thousand random embeddings have to learn that 0.5 lies between 0.4 and
0.6, and a small model spends its first hours on that. Here they start on a smooth curve: a random
mixture of cosines of the number, whose amplitudes fall with their frequency, so that near numbers
start near each other. They are trained like all others.
"""

import jax
import jax.numpy as jnp
import numpy as np

_FREQUENCIES = 16
_CURVE, _OWN = 0.9, 0.4


def ordered(embedding_VxD: jax.Array, values_V: np.ndarray, seed: int) -> jax.Array:
    """Returns an embedding table whose rows of numbers start in order.

    Args:
      embedding_VxD: a freshly drawn table.
      values_V: the number of each token in [0, 1), NaN for all others (see
        `tokenizers.Tokenizer.values`); rows of those are left as they are.
      seed: of the mixture.
    """
    (tokens,) = np.nonzero(np.isfinite(values_V))
    if not len(tokens):
        return embedding_VxD
    scale = jnp.sqrt(jnp.mean(embedding_VxD**2))
    frequency = np.arange(1, _FREQUENCIES + 1)
    waves = np.cos(np.pi * np.outer(values_V[tokens], frequency)) / frequency
    mixture = np.random.default_rng(seed).normal(size=(_FREQUENCIES, embedding_VxD.shape[1]))
    curve = waves @ mixture
    curve *= _CURVE / np.sqrt(np.mean(curve**2))
    own = _OWN * embedding_VxD[tokens]
    rows = scale * curve.astype(np.float32) + own
    return embedding_VxD.at[tokens].set(rows.astype(embedding_VxD.dtype))
