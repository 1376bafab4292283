"""Loops of as many turns as are needed, against the same written out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from clrs_text_bench.models.nar.loops import each, repeated

SLOTS, WIDTH = 4, 3


def drawn(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def close(found, expected):
    jax.tree.map(
        lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6), found, expected
    )


def product(own, shared):
    return jnp.tanh(own["w"] @ shared["x"]) + shared["y"]


def largest(own, shared):
    return jnp.max(own * shared["x"])


OWN = ({"w": drawn(SLOTS, WIDTH, WIDTH)}, drawn(SLOTS, WIDTH), drawn(1, WIDTH))
SHARED = {"x": drawn(WIDTH), "y": drawn(1)}
TURNS = (product, largest, largest)


def by_loops(own, shared, used):
    return each(TURNS, used, own, shared)


def at(tree, s):
    return jax.tree.map(lambda x: x[s], tree)


def written_out(own, shared, used):
    return tuple(
        jnp.stack([jnp.where(u, turn(at(of_kind, s), shared), 0.0) for s, u in enumerate(used_S)])
        for turn, of_kind, used_S in zip(TURNS, own, used, strict=True)
    )


@pytest.mark.parametrize(
    "used",
    [
        ([True, False, True, True], [False] * 4, [True]),
        ([False] * 4, [True, True, False, False], [False]),
        ([True] * 4, [True] * 4, [True]),
    ],
    ids=str,
)
def test_each_makes_the_turns_that_are_used_and_gradients_are_theirs(used):
    used = tuple(map(np.array, used))
    weights = [drawn(*x.shape) for x in written_out(OWN, SHARED, used)]

    def total(made_by):
        def sums(own, shared):
            made = made_by(own, shared, used)
            return sum(jnp.sum(w * x) for w, x in zip(weights, made, strict=True))

        return jax.jit(jax.value_and_grad(sums, argnums=(0, 1)))(OWN, SHARED)

    close(by_loops(OWN, SHARED, used), written_out(OWN, SHARED, used))
    close(total(by_loops), total(written_out))


@pytest.mark.parametrize("slots", [1, 3])
def test_turns_that_are_not_used_are_not_made(slots):
    made = []

    def noted(own, shared):
        jax.debug.callback(lambda x: made.append(float(x)), own)
        return own * shared

    own = jnp.arange(1.0, slots + 1)
    used = jnp.arange(slots) == 1
    step = jax.jit(jax.grad(lambda own: jnp.sum(each((noted,), (used,), (own,), 2.0)[0])))
    np.testing.assert_array_equal(step(own), 2.0 * used)
    jax.effects_barrier()
    assert set(made) == {float(x) for x, there in zip(own, used, strict=True) if there}


LEARNT, GIVEN, STATE = {"w": drawn(WIDTH, WIDTH)}, {"x": drawn(WIDTH), "most": 5}, drawn(WIDTH)


def turn(learnt, given, state, i):
    state = jnp.sin(learnt["w"] @ state + given["x"])
    return state, i + 1, {"sum": state * i, "turns": 1}


def in_python(learnt, state, count):
    total = jnp.zeros(WIDTH)
    for i in range(count):
        state, _, found = turn(learnt, GIVEN, state, i)
        total += found["sum"]
    return state, total


@pytest.mark.parametrize(("count", "room"), [(0, 4), (3, 4), (4, 4), (5, 4)])
def test_turns_are_repeated_while_there_is_room_with_the_gradients_of_those_made(count, room):
    def total(learnt, state):
        state, _, found = repeated(
            turn, lambda i: i < count, room, learnt, GIVEN, state, jnp.int32(0)
        )
        return jnp.sum(state**2) + jnp.sum(found["sum"]), found["turns"]

    def expected(learnt, state):
        state, summed = in_python(learnt, state, min(count, room))
        return jnp.sum(state**2) + jnp.sum(summed), min(count, room)

    def graded(of):
        return jax.jit(jax.value_and_grad(of, argnums=(0, 1), has_aux=True))(LEARNT, STATE)

    close(graded(total), graded(expected))


def test_gradients_are_taken_of_what_is_trained_alone():
    learnt = LEARNT | {"b": drawn(WIDTH)}

    def sums(learnt, made_by):
        state, found = made_by(learnt)
        return jnp.sum(state**2) + jnp.sum(found)

    def biased(learnt, given, state, i):
        return turn(learnt, given, state + learnt["b"], i)

    def looped(learnt):
        learnt = learnt | {"w": jax.lax.stop_gradient(learnt["w"])}
        state, _, found = repeated(biased, lambda i: i < 3, 4, learnt, GIVEN, STATE, jnp.int32(0))
        return state, found["sum"]

    def in_python(learnt):
        state, total = STATE, jnp.zeros(WIDTH)
        for i in range(3):
            state, _, found = biased(learnt, GIVEN, state, i)
            total += found["sum"]
        return state, total

    found = jax.jit(jax.grad(sums), static_argnums=1)(learnt, looped)
    expected = jax.grad(sums)(learnt, in_python)
    close(found["b"], expected["b"])
    assert np.any(expected["w"])
    np.testing.assert_array_equal(found["w"], 0)
    backward = jax.make_jaxpr(jax.grad(lambda x: sums(x, looped)))(learnt)
    *_, back = [e for e in backward.eqns if e.primitive.name == "while"]
    # What is handed on from turn to turn: their number, the state's gradient, and that of b.
    assert [x.aval.shape for x in back.outvars] == [(), (WIDTH,), (WIDTH,)]


def test_without_room_any_number_of_turns_is_made_but_no_gradient_taken():
    def ended(learnt):
        return repeated(turn, lambda i: i < 9, None, learnt, GIVEN, STATE, jnp.int32(0))[:2]

    state, i = jax.jit(ended)(LEARNT)
    assert i == 9
    close(state, in_python(LEARNT, STATE, 9)[0])
    with pytest.raises(ValueError, match="only if its most turns are given"):
        jax.grad(lambda learnt: jnp.sum(ended(learnt)[0]))(LEARNT)
