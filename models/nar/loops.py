"""Loops of as many turns as there is need for, through which gradients pass.

`jax.lax.scan` of a `cond` would do, but a turn that is skipped costs on the way back: zeros are
made for all that it would have read, and added; and what all turns read is kept once for each. Here
the way back goes through the turns that were made, one after another, each computed again.

Legend: S turns at most.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero

Tree = Any


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def each(
    turns: tuple[Callable[[Tree, Tree], jax.Array], ...],
    used: tuple[jax.Array, ...],
    own: tuple[Tree, ...],
    shared: Tree,
) -> tuple[jax.Array, ...]:
    """Returns of each kind of turn `turn(own[s], shared)`, for each s that is used.

    Args:
      turns: close over no array.
      used: which are to be made, bool `[S]`, of each kind.
      own: floats, `[S, ...]`, of each kind.
      shared: floats, which all turns of all kinds read.

    Returns:
      `[S, ...]` of each kind, 0 where s is not used.
    """
    return tuple(_made(*kind, shared) for kind in zip(turns, used, own, strict=True))


def _made(turn: Callable, used_S: jax.Array, own: Tree, shared: Tree) -> jax.Array:
    shape = jax.eval_shape(turn, _at(own, 0), shared)

    def one(s: jax.Array, made: jax.Array) -> jax.Array:
        return _put(made, s, turn(_at(own, s), shared))

    return _for_used(used_S, one, jnp.zeros((len(used_S), *shape.shape), shape.dtype))


def _each_forward(turns: tuple, used: tuple, own: tuple, shared: Tree) -> tuple:
    return each(turns, used, own, shared), (used, own, shared)


def _each_backward(turns: tuple, kept: tuple, d_made: tuple) -> tuple:
    used, own, shared = kept
    d_shared = jax.tree.map(jnp.zeros_like, shared)
    d_own = []
    for kind in zip(turns, used, own, d_made, strict=True):
        d_of_kind, d_shared = _back(*kind, shared, d_shared)
        d_own.append(d_of_kind)
    return None, tuple(d_own), d_shared


def _back(
    turn: Callable, used_S: jax.Array, own: Tree, d_made: jax.Array, shared: Tree, d_shared: Tree
) -> tuple[Tree, Tree]:
    """Returns the gradient of a kind's own, and that of what is shared with the kind's added."""

    def one(s: jax.Array, found: tuple) -> tuple:
        d_own, d_shared = found
        _, back = jax.vjp(turn, _at(own, s), shared)
        d_one, d_more = back(_at(d_made, s))
        return jax.tree.map(lambda d, x: _put(d, s, x), d_own, d_one), _added(d_shared, d_more)

    return _for_used(used_S, one, (jax.tree.map(jnp.zeros_like, own), d_shared))


each.defvjp(_each_forward, _each_backward)


def _for_used(used_S: jax.Array, one: Callable[[jax.Array, Tree], Tree], begun: Tree) -> Tree:
    """Does for each s that is used what is to be done."""
    if len(used_S) == 1:
        # XLA moves what is the same in all turns out of a loop, and makes it though there be none.
        return jax.lax.cond(used_S[0], lambda x: one(0, x), lambda x: x, begun)
    order_S = jnp.argsort(~used_S, stable=True)
    return jax.lax.fori_loop(0, jnp.sum(used_S), lambda j, x: one(order_S[j], x), begun)


Turn = Callable[[Tree, Tree, Tree, Tree], tuple[Tree, Tree, Tree]]
"""Of what is learnt, what is given, the state and what is counted: the next of the latter two, and
what is to be summed."""


@partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def repeated(
    turn: Turn,
    goes: Callable[[Tree], jax.Array],
    room: int | None,
    learnt: Tree,
    given: Tree,
    state: Tree,
    counted: Tree,
) -> tuple[Tree, Tree, Tree]:
    """Makes turns while there are more to make.

    Args:
      turn: closes over no array.
      goes: of what is counted, whether to make a turn.
      room: most turns, static; None for any number, through which no gradients pass.
      learnt: floats that gradients are taken of.
      given: what else turns read.
      state: floats that a turn hands on to the next, with gradients.
      counted: what it hands on without.

    Returns:
      The last state, what is counted after it, and the sum over turns.
    """
    return _forward(turn, goes, room, learnt, given, state, counted, keeps=False)[0]


def _forward(
    turn: Turn,
    goes: Callable,
    room: int | None,
    learnt: Tree,
    given: Tree,
    state: Tree,
    counted: Tree,
    *,
    keeps: bool,
) -> tuple:
    """Returns what `repeated` does, the number of turns, and, if kept, what each began with."""
    _, _, shapes = jax.eval_shape(turn, learnt, given, state, counted)
    nothing = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)

    def more(carry: tuple) -> jax.Array:
        i, (_, counted, _), _ = carry
        return goes(counted) if room is None else goes(counted) & (i < room)

    def body(carry: tuple) -> tuple:
        i, (state, counted, total), kept = carry
        kept = jax.tree.map(
            lambda all_, x: _put(all_, i, x), kept, (state, counted) if keeps else ()
        )
        state, counted, found = turn(learnt, given, state, counted)
        return i + 1, (state, counted, _added(total, found)), kept

    begun = (state, counted) if keeps else ()
    kept = jax.tree.map(lambda x: jnp.zeros((room, *jnp.shape(x)), jnp.result_type(x)), begun)
    turns, done, kept = jax.lax.while_loop(more, body, (0, (state, counted, nothing), kept))
    return done, turns, kept


def _repeated_forward(turn: Turn, goes: Callable, room: int | None, *read: Tree) -> tuple:
    if room is None:
        raise ValueError("gradients pass through a loop only if its most turns are given")
    # Gradients of what is not trained would be taken, and added up, in each turn.
    moving = jax.tree.map(lambda x: x.value if x.perturbed else None, read[0])
    fixed = jax.tree.map(lambda x: None if x.perturbed else x.value, read[0])
    learnt, given, *begun = jax.tree.map(lambda x: x.value, read)
    done, turns, kept = _forward(turn, goes, room, learnt, given, *begun, keeps=True)
    return done, (moving, fixed, given, turns, kept)


def _repeated_backward(turn: Turn, goes: Callable, room: int, saved: tuple, d_done: tuple) -> tuple:
    moving, fixed, given, turns, kept = saved
    d_state, _, d_total = jax.tree.map(_dense, d_done)

    def body(carry: tuple) -> tuple:
        i, d_state, d_moving = carry
        before, counted = _at(kept, i - 1)

        def floats(moving: Tree, state: Tree) -> tuple:
            state, _, found = turn(_either(moving, fixed), given, state, counted)
            return state, found

        _, back = jax.vjp(floats, moving, before)
        d_more, d_state = back((d_state, d_total))
        return i - 1, d_state, _added(d_moving, d_more)

    nothing = jax.tree.map(jnp.zeros_like, moving)
    _, d_state, d_moving = jax.lax.while_loop(
        lambda carry: carry[0] > 0, body, (turns, d_state, nothing)
    )
    return _either(d_moving, jax.tree.map(jnp.zeros_like, fixed)), None, d_state, None


repeated.defvjp(_repeated_forward, _repeated_backward, symbolic_zeros=True)


def _dense(d: Any) -> Any:
    return np.zeros(d.aval.shape, d.aval.dtype) if isinstance(d, SymbolicZero) else d


def _either(a: Tree, b: Tree) -> Tree:
    """Returns a tree of which each leaf is in one of two, None in the other."""
    return jax.tree.map(lambda x, y: y if x is None else x, a, b, is_leaf=lambda x: x is None)


def _at(tree: Tree, i: jax.Array | int) -> Tree:
    return jax.tree.map(lambda x: jax.lax.dynamic_index_in_dim(x, i, keepdims=False), tree)


def _put(all_: jax.Array, i: jax.Array, x: jax.Array) -> jax.Array:
    if len(all_) == 1:
        return x[None]
    return jax.lax.dynamic_update_index_in_dim(all_, x, i, 0)


def _added(total: Tree, more: Tree) -> Tree:
    return jax.tree.map(jnp.add, total, more)
