"""Batched decoding with a key/value cache that grows with the answers.

What is answered to a prompt depends on nothing but the prompt: its bucket follows from its own
length, every program runs on the same number of rows, however many are real, and the cache grows
at lengths of the answer that are fixed. Prompts of one task and length are decoded together, so
that their answers end at about the same time.

Legend: B prompts decoded together, G draws of positions of each, R = B * G rows, P slots of the
prompt bucket, N slots for the answer, S = P + N, V vocabulary.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from . import positions
from .config import TransformerConfig
from .network import Cache
from .sampling import Sampling
from .sequences import answer_room

_BATCH = 64
_SMALLEST = 16
# Attending over empty slots costs as much as over full ones: caches begin small.
_FIRST_ANSWER, _GROWTH = 16, 4
# Draws of positions beyond the first have streams that no visit in training has.
_FURTHER_DRAWS = 1 << 63


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is to be answered.

    Attributes:
      tokens: int32 ids of the question.
      key: the sample's stream of randomised positions; None if positions are not drawn.
      sampling: the sample's key for drawn tokens; None if the most likely are taken.
    """

    tokens: np.ndarray
    key: np.ndarray | None = None
    sampling: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer.

    Attributes:
      tokens: ids of the answer, without the end of answer.
      finish_reason: "stop" (ended its answer) or "length" (ran out of room).
      seconds: time of its batch, shared equally among the rows.
    """

    tokens: np.ndarray
    finish_reason: str
    seconds: float


class _State(NamedTuple):
    """Where the answers of a batch stand.

    `t` tokens were decided on before `token_B`, the next one; those before are in the cache.
    """

    t: jax.Array
    token_B: jax.Array
    answers_BxN: jax.Array
    counts_B: jax.Array
    done_B: jax.Array
    stopped_B: jax.Array
    caches: list[Cache]


class Decoder:
    """Answers prompts with a Transformer of one shape."""

    def __init__(
        self,
        graph: nnx.GraphDef,
        config: TransformerConfig,
        end_id: int,
        batch: int = _BATCH,
        sampling: Sampling = Sampling(),  # noqa: B008 (frozen)
    ) -> None:
        """Sets up decoding; nothing is compiled yet.

        Args:
          graph: structure of the `Transformer`.
          config: of the model.
          end_id: token that ends an answer.
          batch: prompts decoded together, B.
          sampling: how tokens are chosen.
        """
        self.batch = batch
        self._graph = graph
        self._config = config
        self._end = end_id
        self._sampling = sampling
        self._begin = _Programs(self._started)
        self._go_on = _Programs(self._continued)

    def decode(self, params: nnx.State, prompts: list[Prompt]) -> list[Completion]:
        """Answers prompts, in their order; one that fills the context gets an empty answer."""
        found = [Completion(np.zeros(0, np.int32), "length", 0.0)] * len(prompts)
        lengths = [len(p.tokens) for p in prompts]
        fitting = [i for i, n in enumerate(lengths) if n > 0 and answer_room(self._config, n)]
        # The first token names the task.
        fitting.sort(key=lambda i: (lengths[i], prompts[i].tokens[0]))
        for P in dict.fromkeys(_bucket(lengths[i]) for i in fitting):
            members = [i for i in fitting if _bucket(lengths[i]) == P]
            for start in range(0, len(members), self.batch):
                chunk = members[start : start + self.batch]
                answers = self._decode(params, [prompts[i] for i in chunk], P)
                for i, answer in zip(chunk, answers, strict=True):
                    found[i] = answer
        return found

    def _decode(self, params: nnx.State, prompts: list[Prompt], P: int) -> list[Completion]:
        arrays, seconds = self._arrays(prompts, P), 0.0
        state: _State | None = None
        for N in _answer_sizes(self._config.max_answer):
            if state is None:
                state, took = self._begin(params, arrays, N)
            else:
                state, took = self._go_on(params, arrays, N, state)
            seconds += took
            if np.asarray(state.done_B).all():
                break
        answers_BxN, counts_B, stopped_B = map(
            np.asarray, (state.answers_BxN, state.counts_B, state.stopped_B)
        )
        return [
            Completion(
                answers_BxN[b, : counts_B[b]],
                "stop" if stopped_B[b] else "length",
                seconds / len(prompts),
            )
            for b in range(len(prompts))
        ]

    def _arrays(self, prompts: list[Prompt], P: int) -> dict[str, np.ndarray]:
        """Returns prompts flush right in the bucket; missing rows have no room for an answer."""
        B, G, S = self.batch, self._sampling.draws, P + self._config.max_answer
        arrays = {
            "tokens": np.zeros((B, P), np.int32),
            "starts": np.full(B, P - 1, np.int32),
            "positions": np.zeros((B, G, S), np.int32),
            "room": np.zeros(B, np.int32),
            "keys": np.zeros((B, 2), np.uint32),
        }
        for b, prompt in enumerate(prompts):
            n = len(prompt.tokens)
            start, room = P - n, answer_room(self._config, n)
            arrays["tokens"][b, start:] = prompt.tokens
            arrays["starts"][b] = start
            arrays["room"][b] = room
            for g in range(G):
                arrays["positions"][b, g, start : P + room] = self._positions(prompt, n + room, g)
            if prompt.sampling is not None:
                arrays["keys"][b] = prompt.sampling
        arrays["positions"] = arrays["positions"].reshape(B * G, S)
        return arrays

    def _positions(self, prompt: Prompt, count: int, draw: int) -> np.ndarray:
        if self._config.positions.kind != "randomised":
            return np.arange(count)
        visit = _FURTHER_DRAWS + draw if draw else 0
        return positions.draw(prompt.key, visit, count, self._config.positions.range)

    def _started(self, params: nnx.State, arrays: dict, N: int) -> _State:
        """Reads the prompts and writes up to N tokens of each answer."""
        model = nnx.merge(self._graph, params)
        real_RxS, positions_RxS = self._slots(arrays, N)
        (B, P), room_B = arrays["tokens"].shape, arrays["room"]
        R, S = real_RxS.shape
        causal_PxS = jnp.arange(S)[None, :] <= jnp.arange(P)[:, None]
        mask = real_RxS[:, None, None, :] & causal_PxS[None, None, :, :]
        tokens_RxP = jnp.repeat(arrays["tokens"], R // B, axis=0)
        x_RxPxD, caches = model(tokens_RxP, positions_RxS[:, :P], model.empty_caches(R, S), 0, mask)
        state = _State(
            t=jnp.int32(0),
            token_B=self._next(model, x_RxPxD[:, -1], arrays["keys"], jnp.int32(0)),
            answers_BxN=jnp.zeros((B, self._config.max_answer), jnp.int32),
            counts_B=jnp.zeros(B, jnp.int32),
            done_B=room_B == 0,
            stopped_B=jnp.zeros(B, bool),
            caches=caches,
        )
        return self._written(model, arrays, N, state)

    def _continued(self, params: nnx.State, arrays: dict, N: int, state: _State) -> _State:
        """Writes on up to N tokens of each answer, in a cache grown to as many slots."""
        model = nnx.merge(self._graph, params)
        more = arrays["tokens"].shape[1] + N - state.caches[0].k_BxSxHxK.shape[1]
        grown = jax.tree.map(
            lambda x: jnp.pad(x, ((0, 0), (0, more), (0, 0), (0, 0))), state.caches
        )
        return self._written(model, arrays, N, state._replace(caches=grown))

    def _slots(self, arrays: dict, N: int) -> tuple[jax.Array, jax.Array]:
        """Returns which slots are real, and their positions, `[R, S]` each."""
        S = arrays["tokens"].shape[1] + N
        real_BxS = jnp.arange(S)[None, :] >= arrays["starts"][:, None]
        return jnp.repeat(real_BxS, self._sampling.draws, axis=0), arrays["positions"][:, :S]

    def _written(self, model: nnx.Module, arrays: dict, N: int, state: _State) -> _State:
        """Writes tokens until all answers have ended or have N tokens."""
        P, room_B = arrays["tokens"].shape[1], arrays["room"]
        real_RxS, positions_RxS = self._slots(arrays, N)
        slots_S = jnp.arange(P + N)

        def going(state: _State) -> jax.Array:
            return (state.t < N) & jnp.any(~state.done_B)

        def step(state: _State) -> _State:
            t, token_B = state.t, state.token_B
            ends_B = ~state.done_B & (token_B == self._end)
            writes_B = ~state.done_B & ~ends_B
            written_Bx1 = jnp.where(writes_B, token_B, 0)[:, None]
            answers = jax.lax.dynamic_update_slice_in_dim(state.answers_BxN, written_Bx1, t, axis=1)
            counts_B = state.counts_B + writes_B
            slot = P + t
            mask = (real_RxS & (slots_S[None, :] <= slot))[:, None, None, :]
            position_Rx1 = jax.lax.dynamic_slice_in_dim(positions_RxS, slot, 1, axis=1)
            token_Rx1 = jnp.repeat(token_B, self._sampling.draws)[:, None]
            x_Rx1xD, caches = model(token_Rx1, position_Rx1, state.caches, slot, mask)
            return _State(
                t=t + 1,
                token_B=self._next(model, x_Rx1xD[:, -1], arrays["keys"], t + 1),
                answers_BxN=answers,
                counts_B=counts_B,
                done_B=state.done_B | ends_B | (counts_B >= room_B),
                stopped_B=state.stopped_B | ends_B,
                caches=caches,
            )

        return jax.lax.while_loop(going, step, state)

    def _next(
        self, model: nnx.Module, x_RxD: jax.Array, keys_Bx2: jax.Array, t: jax.Array
    ) -> jax.Array:
        """Chooses token t of each answer."""
        scores_BxV = model.logits(x_RxD)
        if self._sampling.draws > 1:
            logs_RxV = jax.nn.log_softmax(scores_BxV, axis=-1)
            scores_BxV = jnp.mean(
                logs_RxV.reshape(-1, self._sampling.draws, logs_RxV.shape[-1]), axis=1
            )
        if self._sampling.temperature > 0:
            # The largest of Gumbel-perturbed logits is a draw from their softmax.
            V = scores_BxV.shape[-1]
            noise_BxV = jax.vmap(lambda key: jax.random.gumbel(jax.random.fold_in(key, t), (V,)))(
                keys_Bx2
            )
            scores_BxV = scores_BxV / self._sampling.temperature + noise_BxV
        return jnp.argmax(scores_BxV, axis=-1).astype(jnp.int32)


class _Programs:
    """A function compiled for each pair of prompt bucket and answer slots.

    Compiled apart from running, so that no answer's time holds that of compilation.
    """

    def __init__(self, function: Callable[..., _State]) -> None:
        self._function = jax.jit(function, static_argnums=2)
        self._compiled: dict[tuple[int, int], jax.stages.Compiled] = {}

    def __call__(
        self, params: nnx.State, arrays: dict, N: int, *state: _State
    ) -> tuple[_State, float]:
        """Returns what the function does, and the seconds it took."""
        key = arrays["tokens"].shape[1], N
        if key not in self._compiled:
            lowered = self._function.lower(params, arrays, N, *state)
            self._compiled[key] = lowered.compile()
        began = time.perf_counter()
        found = jax.block_until_ready(self._compiled[key](params, arrays, *state))
        return found, time.perf_counter() - began


def _answer_sizes(most: int) -> list[int]:
    """Returns the numbers of answer slots that a cache has one after another."""
    sizes = [_FIRST_ANSWER]
    while sizes[-1] < most:
        sizes.append(sizes[-1] * _GROWTH)
    return [*sizes[:-1], most]


def _bucket(length: int) -> int:
    """Returns the slots that a prompt of so many tokens gets: a power of two."""
    return max(_SMALLEST, 1 << (length - 1).bit_length())
