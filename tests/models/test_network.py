import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from clrs_text_bench.models.transformer import network as net

from . import tiny_transformer as tiny
from .tiny_transformer import strict  # noqa: F401

KINDS = ["plain", "randomised", "none"]


def positions(batch, length):
    return jnp.tile(jnp.arange(length, dtype=jnp.int32)[None, :], (batch, 1))


@nnx.jit
def logits(model, tokens, places):
    x, _ = model(tokens, places)
    return model.logits(x)


@nnx.jit
def step(model, tokens, places, caches, slot, mask):
    x, caches = model(tokens, places, caches, slot, mask)
    return model.logits(x), caches


@pytest.mark.parametrize("kind", KINDS)
def test_no_prediction_depends_on_later_tokens(kind):
    """By gradients: activations at place t move with the tokens up to t, and with no other."""
    graph, params = nnx.split(tiny.network(positions={"kind": kind, "range": 64}))
    length = 6
    tokens = np.arange(2, 2 + length, dtype=np.int32)  # all different: a row of the table is one

    def activations(params):
        x, _ = nnx.merge(graph, params)(jnp.asarray(tokens[None]), positions(1, length))
        return x[0].sum(axis=-1)

    reach = jax.jit(jax.jacobian(activations))(params)["embedding"]["embedding"][
        ...
    ]  # [places, V, D]
    moved = np.abs(np.asarray(reach)[:, tokens]).sum(axis=-1) > 0
    np.testing.assert_array_equal(moved, np.tril(np.ones((length, length), bool)))


@pytest.fixture
def lenient_types():
    """Flax's norms promote bfloat16 by themselves."""
    with jax.numpy_dtype_promotion("standard"):
        yield


@pytest.mark.usefixtures("lenient_types")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
def test_token_by_token_with_a_cache_equals_the_whole_at_once(kind, dtype):
    model = tiny.network(positions={"kind": kind, "range": 64}, dtype=dtype)
    batch, length, slots = 3, 7, 10
    tokens, places = tiny.tokens(batch, length), positions(batch, length)
    whole = logits(model, tokens, places)
    caches = model.empty_caches(batch, slots)
    for t in range(length):
        mask = jnp.tile((jnp.arange(slots) <= t)[None, None, None, :], (batch, 1, 1, 1))
        one, caches = step(model, tokens[:, t : t + 1], places[:, t : t + 1], caches, t, mask)
        tolerance = 1e-5 if dtype == "float32" else 0.15
        np.testing.assert_allclose(one[:, 0], whole[:, t], atol=tolerance)


@pytest.mark.usefixtures("lenient_types")
def test_logits_and_parameters_are_float32_whatever_is_computed_in():
    model = tiny.network(dtype="bfloat16")
    x, _ = model(jnp.asarray(tiny.tokens(1, 4)), positions(1, 4))
    assert x.dtype == jnp.bfloat16
    assert model.logits(x).dtype == jnp.float32
    assert {p.dtype for p in jax.tree.leaves(nnx.state(model))} == {jnp.dtype("float32")}


@settings(max_examples=50, deadline=None)
@given(
    first=st.integers(0, 500),
    second=st.integers(0, 500),
    shift=st.integers(0, 500),
    seed=st.integers(0, 9),
)
def test_rotary_products_depend_on_the_distance_only(first, second, shift, seed):
    rng = np.random.default_rng(seed)
    q, k = (jnp.asarray(rng.normal(size=(1, 1, 1, 8)), jnp.float32) for _ in range(2))

    def product(of_q, of_k):
        turned = [
            net.rotate(x, net.rotation(jnp.full((1, 1), place, jnp.int32), 8, 10_000.0))
            for x, place in ((q, of_q), (k, of_k))
        ]
        return float((turned[0] * turned[1]).sum())

    near = product(first, second)
    assert product(first + shift, second + shift) == pytest.approx(near, abs=2e-3)


def test_rotary_turns_pairs_of_halves_by_falling_frequencies():
    """Against the definition, pair by pair: (x[i], x[i + K/2]) turns by position * base^(-2i/K)."""
    x = np.random.default_rng(0).normal(size=8)
    turned = net.rotate(
        jnp.asarray(x[None, None, None, :], jnp.float32),
        net.rotation(jnp.full((1, 1), 5, jnp.int32), 8, 100.0),
    )
    expected = np.empty(8)
    for i in range(4):
        angle = 5 * 100.0 ** (-2 * i / 8)
        turn = np.exp(1j * angle) * (x[i] + 1j * x[i + 4])
        expected[i], expected[i + 4] = turn.real, turn.imag
    np.testing.assert_allclose(np.asarray(turned)[0, 0, 0], expected, atol=1e-5)


def test_without_positions_places_make_no_difference_and_with_them_they_do():
    tokens = tiny.tokens(1, 6)
    spread = positions(1, 6) * 3
    for kind, same in (("none", True), ("plain", False), ("randomised", False)):
        model = tiny.network(positions={"kind": kind, "range": 64})
        near, far = logits(model, tokens, positions(1, 6)), logits(model, tokens, spread)
        assert np.allclose(near, far, atol=1e-6) == same, kind


def test_the_same_seed_gives_the_same_parameters():
    first, second = tiny.network(), tiny.network()
    third = net.Transformer(tiny.config(), tiny.VOCAB, nnx.Rngs(1))
    one, two, other = (jax.tree.leaves(nnx.state(m)) for m in (first, second, third))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
