"""A Transformer small enough to compile in a second, for tests."""

import jax
import numpy as np
import pytest
from flax import nnx

from clrs_text_bench.models.transformer.config import TransformerConfig
from clrs_text_bench.models.transformer.network import Transformer

VOCAB = 50


def config(**changes):
    """Returns the config of a model of two layers and two heads of width 4."""
    values = {
        "hidden_dim": 8,
        "num_layers": 2,
        "num_heads": 2,
        "expansion": 2,
        "context": 64,
        "max_answer": 16,
    }
    return TransformerConfig(**{**values, **changes})


def network(**changes):
    """Returns a model with random parameters."""
    return Transformer(config(**changes), VOCAB, nnx.Rngs(0))


def tokens(batch, length, seed=0):
    """Returns random token ids, int32 `[batch, length]`."""
    return np.random.default_rng(seed).integers(2, VOCAB, (batch, length)).astype(np.int32)


@pytest.fixture(autouse=True)
def strict():
    """No array is broadcast to more axes, or cast to another type, without being asked."""
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
        yield
