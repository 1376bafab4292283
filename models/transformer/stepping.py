"""The compiled part of decoding: reading prompts, writing answers, and moving rows together.

The cache grows at numbers of answer slots that are fixed, so that what a row computes depends on
nothing but the row; attending over empty slots costs as much as over full ones.

Legend: B prompts decoded together, G draws of positions of each, R = B * G rows, P slots of the
prompt bucket, N slots for the answer, S = P + N, M most tokens of an answer, V vocabulary.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from .network import Cache
from .sampling import Sampling


class Asked(NamedTuple):
    """What is to be answered.

    Attributes:
      tokens_BxP: int32, prompts flush right.
      starts_B: int32, where in the bucket each prompt starts.
      room_B: int32, most tokens of each answer; 0 in a row that stands for none.
      positions_RxS: int32, of all slots for the longest answer, P + M.
      keys_Bx2: uint32, for drawn tokens.
    """

    tokens_BxP: jax.Array
    starts_B: jax.Array
    room_B: jax.Array
    positions_RxS: jax.Array
    keys_Bx2: jax.Array


class State(NamedTuple):
    """Where answers stand: `t` tokens are in the cache, and `token_B` is what comes next."""

    t: jax.Array
    token_B: jax.Array
    answers_BxM: jax.Array
    counts_B: jax.Array
    done_B: jax.Array
    stopped_B: jax.Array
    caches: list[Cache]


class Stepper:
    """Runs a Transformer token by token.

    Args:
      graph: structure of the `Transformer`.
      end_id: token that ends an answer.
      most: most tokens of an answer, M.
      sampling: how tokens are chosen.
    """

    def __init__(self, graph: nnx.GraphDef, end_id: int, most: int, sampling: Sampling) -> None:
        self._graph = graph
        self._end = end_id
        self._most = most
        self._sampling = sampling
        self.begin: Callable[..., State] = jax.jit(self._begin, static_argnums=2)
        self.go_on: Callable[..., State] = jax.jit(self._go_on, static_argnums=2)
        self.join: Callable[..., Any] = jax.jit(self._join)

    def _begin(self, params: nnx.State, asked: Asked, N: int) -> State:
        """Reads the prompts and writes up to N tokens of each answer."""
        model = nnx.merge(self._graph, params)
        (B, P), G = asked.tokens_BxP.shape, self._sampling.draws
        S, R = P + N, B * G
        causal_PxS = jnp.arange(S)[None, :] <= jnp.arange(P)[:, None]
        mask = self._real(asked, S)[:, None, None, :] & causal_PxS[None, None, :, :]
        x_RxPxD, caches = model(
            jnp.repeat(asked.tokens_BxP, G, axis=0),
            asked.positions_RxS[:, :P],
            model.empty_caches(R, S),
            0,
            mask,
        )
        state = State(
            t=jnp.int32(0),
            token_B=self._next(model, x_RxPxD[:, -1], asked.keys_Bx2, jnp.int32(0)),
            answers_BxM=jnp.zeros((B, self._most), jnp.int32),
            counts_B=jnp.zeros(B, jnp.int32),
            done_B=asked.room_B == 0,
            stopped_B=jnp.zeros(B, bool),
            caches=caches,
        )
        return self._write(model, asked, N, state)

    def _go_on(self, params: nnx.State, asked: Asked, N: int, state: State) -> State:
        """Writes on up to N tokens of each answer, in a cache grown to as many slots."""
        model = nnx.merge(self._graph, params)
        more = asked.tokens_BxP.shape[1] + N - state.caches[0].k_BxSxHxK.shape[1]
        grown = jax.tree.map(
            lambda x: jnp.pad(x, ((0, 0), (0, more), (0, 0), (0, 0))), state.caches
        )
        return self._write(model, asked, N, state._replace(caches=grown))

    def _real(self, asked: Asked, S: int) -> jax.Array:
        """Returns which of the first slots hold prompt or answer, `[R, S]`."""
        real_BxS = jnp.arange(S)[None, :] >= asked.starts_B[:, None]
        return jnp.repeat(real_BxS, self._sampling.draws, axis=0)

    def _write(self, model: nnx.Module, asked: Asked, N: int, state: State) -> State:
        """Writes tokens until all answers have ended or have N tokens."""
        P = asked.tokens_BxP.shape[1]
        real_RxS, slots_S = self._real(asked, P + N), jnp.arange(P + N)

        def going(state: State) -> jax.Array:
            return (state.t < N) & jnp.any(~state.done_B)

        def step(state: State) -> State:
            t, token_B = state.t, state.token_B
            ends_B = ~state.done_B & (token_B == self._end)
            writes_B = ~state.done_B & ~ends_B
            written_Bx1 = jnp.where(writes_B, token_B, 0)[:, None]
            counts_B = state.counts_B + writes_B
            slot = P + t
            mask = (real_RxS & (slots_S[None, :] <= slot))[:, None, None, :]
            position_Rx1 = jax.lax.dynamic_slice_in_dim(asked.positions_RxS, slot, 1, axis=1)
            token_Rx1 = jnp.repeat(token_B, self._sampling.draws)[:, None]
            x_Rx1xD, caches = model(token_Rx1, position_Rx1, state.caches, slot, mask)
            return State(
                t=t + 1,
                token_B=self._next(model, x_Rx1xD[:, -1], asked.keys_Bx2, t + 1),
                answers_BxM=jax.lax.dynamic_update_slice_in_dim(
                    state.answers_BxM, written_Bx1, t, axis=1
                ),
                counts_B=counts_B,
                done_B=state.done_B | ends_B | (counts_B >= asked.room_B),
                stopped_B=state.stopped_B | ends_B,
                caches=caches,
            )

        return jax.lax.while_loop(going, step, state)

    def _next(
        self, model: nnx.Module, x_RxD: jax.Array, keys_Bx2: jax.Array, t: jax.Array
    ) -> jax.Array:
        """Chooses token t of each answer."""
        scores = model.logits(x_RxD)
        V = scores.shape[-1]
        if self._sampling.draws > 1:
            logs_BxGxV = jax.nn.log_softmax(scores, axis=-1).reshape(-1, self._sampling.draws, V)
            scores = jnp.mean(logs_BxGxV, axis=1)
        if self._sampling.temperature > 0:
            # The largest of Gumbel-perturbed logits is a draw from their softmax.
            noise = jax.vmap(lambda key: jax.random.gumbel(jax.random.fold_in(key, t), (V,)))
            scores = scores / self._sampling.temperature + noise(keys_Bx2)
        return jnp.argmax(scores, axis=-1).astype(jnp.int32)

    def _join(
        self,
        one: tuple[Asked, State],
        other: tuple[Asked, State],
        rows_B: jax.Array,
        real_B: jax.Array,
    ) -> tuple[Asked, State]:
        """Returns B of the 2 B rows of two batches that have come to the same token.

        Rows that are not real are done: nothing waits for them.
        """
        B, G = rows_B.shape[0], self._sampling.draws
        rows_R = (rows_B[:, None] * G + jnp.arange(G)[None, :]).reshape(-1)

        def chosen(x: jax.Array, y: jax.Array) -> jax.Array:
            if x.ndim == 0:
                return x
            return jnp.concatenate([x, y])[rows_B if x.shape[0] == B else rows_R]

        asked, state = jax.tree.map(chosen, one, other)
        return asked, state._replace(done_B=state.done_B | ~real_B)
