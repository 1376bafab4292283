"""Batched greedy decoding with a key/value cache, in one compiled program per prompt bucket.

What is answered to a prompt depends on nothing but the prompt: its bucket follows from its own
length, and every program runs on the same number of rows, however many are real.

Legend: B rows, P slots of the prompt bucket, N slots for the answer, S = P + N.
"""

import time
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from . import positions
from .config import TransformerConfig
from .sequences import answer_room

_BATCH = 64
_SMALLEST = 16


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is to be answered.

    Attributes:
      tokens: int32 ids of the question.
      key: the sample's stream of randomised positions; None if positions are not drawn.
    """

    tokens: np.ndarray
    key: np.ndarray | None = None


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


class Decoder:
    """Answers prompts greedily with a Transformer of one shape."""

    def __init__(
        self, graph: nnx.GraphDef, config: TransformerConfig, end_id: int, batch: int = _BATCH
    ) -> None:
        """Sets up decoding; nothing is compiled yet.

        Args:
          graph: structure of the `Transformer`.
          config: of the model.
          end_id: token that ends an answer.
          batch: rows decoded together, B.
        """
        self.batch = batch
        self._graph = graph
        self._config = config
        self._end = end_id
        self._programs: dict[int, jax.stages.Compiled] = {}

    def decode(self, params: nnx.State, prompts: list[Prompt]) -> list[Completion]:
        """Answers prompts, in their order; one that fills the context gets an empty answer."""
        found = [Completion(np.zeros(0, np.int32), "length", 0.0)] * len(prompts)
        lengths = [len(p.tokens) for p in prompts]
        fitting = [i for i, n in enumerate(lengths) if n > 0 and answer_room(self._config, n)]
        fitting.sort(key=lambda i: lengths[i])
        for P in dict.fromkeys(_bucket(lengths[i]) for i in fitting):
            members = [i for i in fitting if _bucket(lengths[i]) == P]
            for start in range(0, len(members), self.batch):
                chunk = members[start : start + self.batch]
                answers = self._decode(params, [prompts[i] for i in chunk], P)
                for i, answer in zip(chunk, answers, strict=True):
                    found[i] = answer
        return found

    def _decode(self, params: nnx.State, prompts: list[Prompt], P: int) -> list[Completion]:
        arrays = self._arrays(prompts, P)
        program = self._program(params, arrays, P)
        began = time.perf_counter()
        answers_BxN, counts_B, stopped_B = map(np.asarray, program(params, arrays))
        seconds = (time.perf_counter() - began) / len(prompts)
        return [
            Completion(answer[:count], "stop" if stopped else "length", seconds)
            for answer, count, stopped in list(zip(answers_BxN, counts_B, stopped_B, strict=True))[
                : len(prompts)
            ]
        ]

    def _arrays(self, prompts: list[Prompt], P: int) -> dict[str, np.ndarray]:
        """Returns prompts flush right in the bucket; missing rows have no room for an answer."""
        B, S = self.batch, P + self._config.max_answer
        arrays = {
            "tokens": np.zeros((B, P), np.int32),
            "starts": np.full(B, P - 1, np.int32),
            "positions": np.zeros((B, S), np.int32),
            "room": np.zeros(B, np.int32),
        }
        for b, prompt in enumerate(prompts):
            n = len(prompt.tokens)
            start, room = P - n, answer_room(self._config, n)
            arrays["tokens"][b, start:] = prompt.tokens
            arrays["starts"][b] = start
            arrays["room"][b] = room
            arrays["positions"][b, start : P + room] = self._positions(prompt, n + room)
        return arrays

    def _positions(self, prompt: Prompt, count: int) -> np.ndarray:
        if self._config.positions.kind != "randomised":
            return np.arange(count)
        return positions.draw(prompt.key, 0, count, self._config.positions.range)

    def _program(self, params: nnx.State, arrays: dict, P: int) -> jax.stages.Compiled:
        # Compiled apart from running, so that no answer's time holds that of compilation.
        if P not in self._programs:
            self._programs[P] = jax.jit(self._run).lower(params, arrays).compile()
        return self._programs[P]

    def _run(self, params: nnx.State, arrays: dict) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Returns answers `[B, N]`, their lengths `[B]`, and whether they came to an end `[B]`."""
        model = nnx.merge(self._graph, params)
        tokens_BxP, starts_B, room_B = arrays["tokens"], arrays["starts"], arrays["room"]
        positions_BxS = arrays["positions"]
        B, P = tokens_BxP.shape
        S = positions_BxS.shape[1]
        N = S - P
        slots_S = jnp.arange(S)
        real_BxS = slots_S[None, :] >= starts_B[:, None]

        causal_PxS = slots_S[None, :] <= jnp.arange(P)[:, None]
        mask = real_BxS[:, None, None, :] & causal_PxS[None, None, :, :]
        x_BxPxD, caches = model(tokens_BxP, positions_BxS[:, :P], model.empty_caches(B, S), 0, mask)

        def next_token(x_BxTxD: jax.Array) -> jax.Array:
            return jnp.argmax(model.logits(x_BxTxD[:, -1]), axis=-1).astype(jnp.int32)

        def going(state: tuple) -> jax.Array:
            return jnp.any(~state[3])

        def step(state: tuple) -> tuple:
            t, token_B, answers_BxN, done_B, counts_B, stopped_B, caches = state
            ends_B = ~done_B & (token_B == self._end)
            writes_B = ~done_B & ~ends_B
            written_B = jnp.where(writes_B, token_B, 0)
            answers_BxN = jax.lax.dynamic_update_slice_in_dim(
                answers_BxN, written_B[:, None], t, axis=1
            )
            counts_B = counts_B + writes_B
            done_B = done_B | ends_B | (counts_B >= room_B)
            slot = P + t
            mask = (real_BxS & (slots_S[None, :] <= slot))[:, None, None, :]
            position_Bx1 = jax.lax.dynamic_slice_in_dim(positions_BxS, slot, 1, axis=1)
            x_Bx1xD, caches = model(token_B[:, None], position_Bx1, caches, slot, mask)
            return (
                t + 1,
                next_token(x_Bx1xD),
                answers_BxN,
                done_B,
                counts_B,
                stopped_B | ends_B,
                caches,
            )

        state = (
            jnp.int32(0),
            next_token(x_BxPxD),
            jnp.zeros((B, N), jnp.int32),
            room_B == 0,
            jnp.zeros(B, jnp.int32),
            jnp.zeros(B, bool),
            caches,
        )
        _, _, answers_BxN, _, counts_B, stopped_B, _ = jax.lax.while_loop(going, step, state)
        return answers_BxN, counts_B, stopped_B


def _bucket(length: int) -> int:
    """Returns the slots that a prompt of so many tokens gets: a power of two."""
    return max(_SMALLEST, 1 << (length - 1).bit_length())
