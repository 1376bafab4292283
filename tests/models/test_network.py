import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from clrs_text_bench import tokenizers
from clrs_text_bench.models.transformer import network as net
from clrs_text_bench.models.transformer import positions as draws
from clrs_text_bench.models.transformer.numbers import ordered

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
def step(model, tokens, places, caches, slots, mask):
    x, caches = model(tokens, places, caches, slots, mask)
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
    caches = net.empty_caches(model.config, batch, slots)
    for t in range(length):
        mask = jnp.tile((jnp.arange(slots) <= t)[None, None, None, :], (batch, 1, 1, 1))
        at = jnp.full(batch, t, jnp.int32)
        one, caches = step(model, tokens[:, t : t + 1], places[:, t : t + 1], caches, at, mask)
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


def test_rotary_turns_keep_the_length_of_every_head():
    x = jnp.asarray(np.random.default_rng(0).normal(size=(2, 5, 3, 8)), jnp.float32)
    places = jnp.asarray([[0, 1, 7, 100, 8191], [3, 4, 5, 6, 4000]], jnp.int32)
    turned = net.rotate(x, net.rotation(places, 8, 10_000.0))
    norms = np.linalg.norm(x, axis=-1)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=-1), norms, rtol=1e-5)
    assert not np.allclose(turned, x)


def test_randomised_positions_drawn_from_as_many_as_there_are_tokens_are_plain():
    drawn = draws.draw(np.array([1, 2], np.uint64), 5, 7, 7)
    assert drawn.tolist() == list(range(7))
    tokens = tiny.tokens(1, 7)
    plain = logits(tiny.network(), tokens, positions(1, 7))
    model = tiny.network(positions={"kind": "randomised", "range": 64})
    np.testing.assert_array_equal(logits(model, tokens, jnp.asarray(drawn)[None]), plain)


def naive_norm(x, scale):
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-6) * scale


def naive_turn(head, place, base):
    half = len(head) // 2
    turns = np.exp(1j * place * base ** (-np.arange(half) / half))
    turned = turns * (head[:half] + 1j * head[half:])
    return np.concatenate([turned.real, turned.imag])


def naive_attention(x, params, config, places):
    """Head by head, token by token, over the tokens up to it."""
    length, width = x.shape
    size = width // config.num_heads
    q, k, v = np.split(x @ params["qkv"]["kernel"], 3, axis=1)
    read = np.zeros_like(x)
    for head in range(config.num_heads):
        own = slice(head * size, (head + 1) * size)
        turned_q, turned_k = q[:, own], k[:, own]
        if config.positions.kind != "none":
            turned_q, turned_k = (
                np.array(
                    [
                        naive_turn(h, n, config.positions.base)
                        for h, n in zip(y, places, strict=True)
                    ]
                )
                for y in (turned_q, turned_k)
            )
        for t in range(length):
            scores = turned_k[: t + 1] @ turned_q[t] / np.sqrt(size)
            weights = np.exp(scores - scores.max())
            read[t, own] = weights / weights.sum() @ v[: t + 1, own]
    return read @ params["out"]["kernel"]


def naive_logits(params, config, tokens, places):
    """The forward pass of one sequence by its definition, in float64."""
    table = params["embedding"]["embedding"]
    x = table[tokens] * np.sqrt(config.hidden_dim)
    for place in range(config.num_layers):
        block = params["blocks"][place]
        normed = naive_norm(x, block["attention_norm"]["scale"])
        x = x + naive_attention(normed, block["attention"], config, places)
        normed = naive_norm(x, block["feed_forward_norm"]["scale"])
        hidden = np.maximum(normed @ block["feed_forward"]["up"]["kernel"], 0) ** 2
        x = x + hidden @ block["feed_forward"]["down"]["kernel"]
    return naive_norm(x, params["norm"]["scale"]) @ table.T


@pytest.mark.parametrize("kind", KINDS)
def test_logits_are_those_of_the_definition(kind):
    settings_of = tiny.config(hidden_dim=16, positions={"kind": kind, "range": 64})
    model = net.Transformer(settings_of, tiny.VOCAB, nnx.Rngs(2))
    rng = np.random.default_rng(0)
    # Fresh norms scale by one, which would hide a scale left out.
    nnx.update(
        model,
        jax.tree.map(
            lambda x: x + jnp.asarray(0.1 * rng.normal(size=x.shape), jnp.float32),
            nnx.state(model),
        ),
    )
    params = jax.tree.map(lambda x: np.asarray(x, np.float64), nnx.to_pure_dict(nnx.state(model)))
    tokens = tiny.tokens(2, 9)
    places = np.array([np.arange(9), np.arange(9) * 5 + 2], np.int32)
    found = logits(model, tokens, jnp.asarray(places))
    for b in range(2):
        expected = naive_logits(params, settings_of, tokens[b], places[b])
        np.testing.assert_allclose(found[b], expected, atol=1e-4)


def test_numbers_start_in_order_and_other_tokens_as_they_were_drawn():
    values = tokenizers.get("compact").values()
    table = jax.random.normal(jax.random.key(0), (len(values), 32)) * 0.2
    changed = np.asarray(ordered(table, values, 3))
    np.testing.assert_array_equal(changed, ordered(table, values, 3))
    assert not np.array_equal(changed, ordered(table, values, 4))
    numbers = np.isfinite(values)
    assert 0 < numbers.sum() < len(values)
    np.testing.assert_array_equal(changed[~numbers], np.asarray(table)[~numbers])
    in_order = changed[np.argsort(np.where(numbers, values, np.inf))[: numbers.sum()]]

    def distance(apart):
        return np.linalg.norm(in_order[apart:] - in_order[:-apart], axis=1).mean()

    count = len(in_order)
    distances = [distance(apart) for apart in (count // 100, count // 10, count // 2)]
    assert distances[0] < 0.8 * distances[1] < 0.8 * distances[2]
