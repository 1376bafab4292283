"""Attention, on CPUs and over what is kept, against JAX's own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from clrs_text_bench.models.transformer import attention

B, T, S, H, K = 3, 5, 9, 2, 4


def arrays(seed=0, dtype=jnp.float32, keys=S):
    rng = np.random.default_rng(seed)
    shapes = [(B, T, H, K), (B, keys, H, K), (B, keys, H, K)]
    return [jnp.asarray(3 * rng.normal(size=shape), dtype) for shape in shapes]


def mask():
    """Every query has a key, some but one, and large scores beyond it."""
    drawn = np.random.default_rng(1).random((B, 1, T, S)) < 0.4
    drawn[..., 2] = True
    drawn[0, 0, 0] = np.arange(S) == 2
    return jnp.asarray(drawn)


def kept(q, k, v):
    """Attention over all of some keys and values, as a cache keeps them."""
    heads = attention.heads_first
    return attention.attend_over(q, heads(k), heads(v), mask())


CASES = {
    "over its own past": (
        attention.attend,
        lambda q, k, v: jax.nn.dot_product_attention(q, k, v, is_causal=True),
        T,
    ),
    "over what is kept": (
        kept,
        lambda q, k, v: jax.nn.dot_product_attention(q, k, v, mask=mask()),
        S,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_are_jaxs_own(case):
    ours, theirs, keys = CASES[case]
    inputs = arrays(keys=keys)

    def total(function, q, k, v):
        return jnp.sum(jnp.sin(function(q, k, v)))

    np.testing.assert_allclose(ours(*inputs), theirs(*inputs), rtol=1e-5, atol=1e-6)
    found = jax.grad(total, argnums=(1, 2, 3))(ours, *inputs)
    expected = jax.grad(total, argnums=(1, 2, 3))(theirs, *inputs)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_the_record_names_the_kernel_that_runs():
    text = jax.jit(attention.attend).lower(*arrays(keys=T)).as_text()
    own = jax.jit(attention._causal).lower(*arrays(keys=T)).as_text()
    assert text.count("stablehlo.divide") == own.count("stablehlo.divide")
    assert attention.kernel() == "einsum"


def test_scores_of_any_size_are_no_overflow():
    q, k, v = arrays(keys=T)
    found = attention._causal(1e3 * q, 1e3 * k, v)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, attention._fused(1e3 * q, 1e3 * k, v), atol=1e-4)


def test_bfloat16_is_summed_in_float32():
    inputs = arrays(dtype=jnp.bfloat16, keys=T)
    found = attention._causal(*inputs)
    assert found.dtype == jnp.bfloat16
    exact = attention._causal(*(x.astype(jnp.float32) for x in inputs))
    np.testing.assert_allclose(found.astype(jnp.float32), exact, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
def test_accelerators_take_jaxs_own(platform):
    shapes = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in arrays(keys=T)]
    exported = jax.export.export(jax.jit(attention.attend), platforms=[platform])(*shapes)
    own = jax.export.export(jax.jit(attention._fused), platforms=[platform])(*shapes)
    assert _operations(exported) == _operations(own)


def _operations(exported):
    """Returns how often each kind of arithmetic stands in a program."""
    words = exported.mlir_module().replace("(", " ").split()
    kinds = ("dot_general", "exponential", "divide", "multiply", "select", "reduce", "convert")
    return {kind: words.count(f"stablehlo.{kind}") for kind in kinds}
