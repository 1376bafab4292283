"""The compiled part of decoding: reading prompts, writing answers, and moving rows.

Rows that are decoded together form a pool. Each has its own place in its answer, so that a row
whose answer has ended can be given to another prompt at once. Attending over empty slots costs as
much as over full ones: pools come in a few sizes, and a row moves to the next when its slots are
full. What a row computes depends on nothing but the row.

Legend: B rows of a pool, C prompts read together, G draws of positions of each prompt, S slots of
a pool's cache, P slots of the prompt bucket, L the model's context, M most tokens of an answer, V
vocabulary. Arrays with B or C rows that have a draw each have G times as many.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from .config import TransformerConfig
from .network import Cache, empty_caches
from .sampling import Sampling

Remember = Callable[[nnx.Module, Any], Any]


class Asked(NamedTuple):
    """What is to be answered, of C prompts.

    Attributes:
      tokens_CxP: int32, prompts flush left.
      lengths_C: int32, of the prompts.
      room_C: int32, most tokens of each answer.
      positions_CGxL: int32, of prompt and answer.
      keys_Cx2: uint32, for drawn tokens.
      rows_C: int32, the row of the pool that each is given; B for none.
      read: what the model reads besides text, `[C, ...]` each; None if nothing.
    """

    tokens_CxP: jax.Array
    lengths_C: jax.Array
    room_C: jax.Array
    positions_CGxL: jax.Array
    keys_Cx2: jax.Array
    rows_C: jax.Array
    read: Any = None


class Rows(NamedTuple):
    """Where the answers of a pool's rows stand.

    Attributes:
      token_B: what comes next.
      lengths_B: tokens in the cache, of prompt and answer.
      counts_B: tokens of the answer among them.
      room_B: most tokens of the answer.
      answers_BxM: the answer.
      done_B: whether it has ended, or there is none.
      stopped_B: whether it ended by the end token.
      keys_Bx2: for drawn tokens.
    """

    token_B: jax.Array
    lengths_B: jax.Array
    counts_B: jax.Array
    room_B: jax.Array
    answers_BxM: jax.Array
    done_B: jax.Array
    stopped_B: jax.Array
    keys_Bx2: jax.Array


class Pool(NamedTuple):
    """Rows, and what each of their draws has.

    Attributes:
      rows: see `Rows`.
      positions_BGxL: of prompts and answers.
      caches: keys and values of tokens.
      memory: what the model made of what it reads besides text, `[BG, ...]`; None if nothing.
    """

    rows: Rows
    positions_BGxL: jax.Array
    caches: list[Cache]
    memory: Any = None

    def active_B(self) -> jax.Array:
        """Returns which rows have a token to write, and a slot for it."""
        slots = self.caches[0].k_BxHxSxK.shape[2]
        return ~self.rows.done_B & (self.rows.lengths_B < slots)


class Stepper:
    """Runs a Transformer token by token.

    Args:
      graph: structure of the `Transformer`.
      config: of the model.
      end_id: token that ends an answer.
      sampling: how tokens are chosen.
      remember: returns what the model makes, once for each prompt, of what it reads besides text
        (of the model and `Asked.read`); the model is called with it as `memory`.
    """

    def __init__(
        self,
        graph: nnx.GraphDef,
        config: TransformerConfig,
        end_id: int,
        sampling: Sampling,
        remember: Remember | None = None,
    ) -> None:
        self._graph = graph
        self._remember = remember
        self._config = config
        self._end = end_id
        self._sampling = sampling
        # A pool is given away and comes back changed: its caches are written in place.
        self.read: Callable[..., Pool] = jax.jit(self._read, donate_argnums=1)
        self.write: Callable[..., Pool] = jax.jit(self._write, donate_argnums=1)
        self.move: Callable[..., Pool] = jax.jit(self._placed, donate_argnums=0)

    def empty(self, B: int, S: int, params: nnx.State, read: Any = None) -> Pool:
        """Returns a pool without prompts.

        Args:
          B: rows.
          S: slots.
          params: of the model.
          read: like that of all prompts, `[C, ...]` each.
        """
        G = self._sampling.draws
        rows = self._begun(
            *(jnp.zeros(B, jnp.int32) for _ in range(3)), jnp.zeros((B, 2), jnp.uint32)
        )
        positions_BGxL = jnp.zeros((B * G, self._config.context), jnp.int32)
        memory = jax.tree.map(
            lambda x: jnp.zeros((B * G, *x.shape[1:]), x.dtype),
            jax.eval_shape(lambda p, x: self._memory(nnx.merge(self._graph, p), x), params, read),
        )
        return Pool(rows, positions_BGxL, empty_caches(self._config, B * G, S), memory)

    def _memory(self, model: nnx.Module, read: Any) -> Any:
        """Returns what each draw of each prompt reads besides text."""
        if self._remember is None:
            return None
        found = self._remember(model, read)
        return jax.tree.map(lambda x: jnp.repeat(x, self._sampling.draws, axis=0), found)

    def _call(self, model: nnx.Module, memory: Any, *arguments: Any) -> tuple:
        if self._remember is None:
            return model(*arguments)
        return model(*arguments, memory=memory)

    def _begun(
        self, token_B: jax.Array, lengths_B: jax.Array, room_B: jax.Array, keys_Bx2: jax.Array
    ) -> Rows:
        """Returns rows whose answers begin; they are done where there is no room."""
        B = len(token_B)
        return Rows(
            token_B=token_B,
            lengths_B=lengths_B,
            counts_B=jnp.zeros(B, jnp.int32),
            room_B=room_B,
            answers_BxM=jnp.zeros((B, self._config.max_answer), jnp.int32),
            done_B=room_B == 0,
            stopped_B=jnp.zeros(B, bool),
            keys_Bx2=keys_Bx2,
        )

    def _read(self, params: nnx.State, pool: Pool, asked: Asked) -> Pool:
        """Reads prompts into rows of a pool, and chooses the first token of each answer."""
        model = nnx.merge(self._graph, params)
        (C, P), G = asked.tokens_CxP.shape, self._sampling.draws
        # What stands to the right of a prompt's last token makes no difference to it.
        memory = self._memory(model, asked.read)
        tokens_CGxP = jnp.repeat(asked.tokens_CxP, G, axis=0)
        x_CGxPxD, caches = self._call(model, memory, tokens_CGxP, asked.positions_CGxL[:, :P])
        last_CGxD = x_CGxPxD[jnp.arange(C * G), jnp.repeat(asked.lengths_C - 1, G)]
        token_C = self._next(model, last_CGxD, asked.keys_Cx2, jnp.zeros(C, jnp.int32))
        rows = self._begun(token_C, asked.lengths_C, asked.room_C, asked.keys_Cx2)
        read = Pool(rows, asked.positions_CGxL, caches, memory)
        return self._placed(pool, read, asked.rows_C)

    def _placed(self, pool: Pool, others: Pool, rows_C: jax.Array) -> Pool:
        """Returns a pool with rows of another, with no more slots, in the places that are named.

        Args:
          pool: of B rows.
          others: of C rows.
          rows_C: int32, where each of these goes; B for nowhere.
        """
        G = self._sampling.draws
        rows_CG = (rows_C[:, None] * G + jnp.arange(G)[None, :]).reshape(-1)
        slots = others.caches[0].k_BxHxSxK.shape[2]
        return Pool(
            jax.tree.map(lambda x, y: x.at[rows_C].set(y, mode="drop"), pool.rows, others.rows),
            pool.positions_BGxL.at[rows_CG].set(others.positions_BGxL, mode="drop"),
            jax.tree.map(
                lambda x, y: x.at[rows_CG, :, :slots].set(y, mode="drop"),
                pool.caches,
                others.caches,
            ),
            jax.tree.map(
                lambda x, y: x.at[rows_CG].set(y, mode="drop"), pool.memory, others.memory
            ),
        )

    def _write(self, params: nnx.State, pool: Pool, least: jax.Array) -> Pool:
        """Writes tokens until no more than `least` rows have one to write and a slot for it."""
        model = nnx.merge(self._graph, params)
        slots_S = jnp.arange(pool.caches[0].k_BxHxSxK.shape[2])
        B, G = len(pool.rows.token_B), self._sampling.draws

        def going(pool: Pool) -> jax.Array:
            return jnp.sum(pool.active_B()) > least

        def step(pool: Pool) -> Pool:
            rows, active_B = pool.rows, pool.active_B()
            ends_B = active_B & (rows.token_B == self._end)
            writes_B = active_B & ~ends_B
            # A row that writes nothing puts its key where nobody reads it.
            lengths_BG = jnp.repeat(rows.lengths_B, G)
            mask_BGxS = slots_S[None, :] <= lengths_BG[:, None]
            x_BGx1xD, caches = self._call(
                model,
                pool.memory,
                jnp.repeat(rows.token_B, G)[:, None],
                pool.positions_BGxL[jnp.arange(B * G), lengths_BG][:, None],
                pool.caches,
                lengths_BG,
                mask_BGxS[:, None, None, :],
            )
            counts_B = rows.counts_B + writes_B
            found_B = self._next(model, x_BGx1xD[:, 0], rows.keys_Bx2, counts_B)
            places_B = jnp.where(writes_B, rows.counts_B, self._config.max_answer)
            new = rows._replace(
                token_B=jnp.where(writes_B, found_B, rows.token_B),
                lengths_B=rows.lengths_B + writes_B,
                counts_B=counts_B,
                answers_BxM=rows.answers_BxM.at[jnp.arange(B), places_B].set(
                    rows.token_B, mode="drop"
                ),
                done_B=rows.done_B | ends_B | (counts_B >= rows.room_B),
                stopped_B=rows.stopped_B | ends_B,
            )
            return pool._replace(rows=new, caches=caches)

        return jax.lax.while_loop(going, step, pool)

    def _next(
        self, model: nnx.Module, x_BGxD: jax.Array, keys_Bx2: jax.Array, t_B: jax.Array
    ) -> jax.Array:
        """Chooses each answer's token t."""
        scores = model.logits(x_BGxD)
        V = scores.shape[-1]
        if self._sampling.draws > 1:
            logs_BxGxV = jax.nn.log_softmax(scores, axis=-1).reshape(-1, self._sampling.draws, V)
            scores = jnp.mean(logs_BxGxV, axis=1)
        if self._sampling.temperature > 0:
            # The largest of Gumbel-perturbed logits is a draw from their softmax.
            noise = jax.vmap(lambda key, t: jax.random.gumbel(jax.random.fold_in(key, t), (V,)))
            scores = scores / self._sampling.temperature + noise(keys_Bx2, t_B)
        return jnp.argmax(scores, axis=-1).astype(jnp.int32)
