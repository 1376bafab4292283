"""Embeddings and their gradient, held against Flax's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from clrs_text_bench.models.transformer import embedding

V, D = 19, 8


@pytest.fixture
def tokens():
    """Some tokens often, the last one never."""
    return np.random.default_rng(0).integers(0, V - 1, (3, 40)) // 2 * 2


def _both(dtype):
    kwargs = {"dtype": dtype, "param_dtype": jnp.float32}
    theirs = nnx.Embed(V, D, rngs=nnx.Rngs(0), **kwargs)
    return embedding.Embedding(V, D, rngs=nnx.Rngs(0), **kwargs), theirs


def _gradient(model, tokens):
    weights = jnp.asarray(np.random.default_rng(1).normal(size=(*tokens.shape, D)), jnp.float32)
    return nnx.grad(lambda m: jnp.sum(m(tokens) * weights))(model)["embedding"][...]


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_embeddings_are_those_of_flax(tokens, dtype):
    ours, theirs = _both(dtype)
    assert ours(tokens).dtype == dtype
    np.testing.assert_array_equal(ours(tokens), theirs(tokens))
    np.testing.assert_array_equal(ours.attend(ours(tokens)), theirs.attend(theirs(tokens)))


def test_the_gradient_is_that_of_flax(tokens):
    ours, theirs = _both(jnp.float32)
    found = _gradient(ours, tokens)
    np.testing.assert_allclose(found, _gradient(theirs, tokens), rtol=1e-6)
    assert not found[V - 1].any()


@pytest.mark.parametrize(("dtype", "rtol"), [(jnp.float32, 1e-6), (jnp.bfloat16, 1e-6)])
def test_sum_and_product_agree(tokens, dtype, rtol):
    rows = jnp.asarray(np.random.default_rng(2).normal(size=(tokens.size, D)), dtype)
    flat = tokens.reshape(-1)
    expected = np.zeros((V, D))
    np.add.at(expected, flat, np.asarray(rows, np.float64))
    for way in (embedding._sum, embedding._product):
        np.testing.assert_allclose(way(rows, flat, V), expected, rtol=rtol, atol=1e-5)


def test_a_gradient_in_bfloat16_is_summed_in_float32():
    """A token that is met 4,096 times: in bfloat16 its sum would stop at 256."""
    model, _ = _both(jnp.bfloat16)
    met = jnp.zeros(4096, jnp.int32)
    found = nnx.grad(lambda m: jnp.sum(m(met).astype(jnp.float32)))(model)["embedding"][...]
    np.testing.assert_array_equal(found[0], 4096)


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
@pytest.mark.parametrize(("size", "scatters"), [(V, False), (20_000, True)])
def test_accelerators_scatter_only_into_large_tables(platform, size, scatters):
    def gradient(table, tokens):
        return jax.grad(lambda t: jnp.sum(embedding.look_up(t, tokens, jnp.float32)))(table)

    shapes = [jax.ShapeDtypeStruct((size, D), "float32"), jax.ShapeDtypeStruct((40,), "int32")]
    exported = jax.export.export(jax.jit(gradient), platforms=[platform])(*shapes)
    assert ("stablehlo.scatter" in exported.mlir_module()) == scatters
