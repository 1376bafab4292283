"""Batched decoding: which prompts are answered together, and which row a prompt is given.

What is answered to a prompt depends on nothing but the prompt: its bucket and its pools follow from
its own lengths, and every program runs on the same number of rows, however many are real. When some
rows of a pool have ended their answers, prompts that wait are read into them (continuous batching),
so that no row waits for the longest answer.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from flax import nnx

from ..training.buckets import size_for
from . import positions
from .config import TransformerConfig
from .sampling import Sampling
from .sequences import answer_room
from .stepping import Asked, Pool, Remember, Stepper

# Prompts answered together: what a CPU's caches hold, and more where a row costs next to nothing.
_BATCH, _ACCELERATED = 64, 256
# Slots of the smallest pool, and what the next has more.
_SMALLEST, _GROWTH = 64, 2
# Slots that a row has at least for its answer before it moves.
_ANSWER = 16
# A CPU's pools have at least a row for so many that are asked for.
_FEWEST = 16
# New prompts are read when a row in so many is free, and no more tokens at a time than this.
_REFILL, _TOKENS = 4, 2048
# Draws of positions beyond the first have streams that no visit in training has.
_FURTHER_DRAWS = 1 << 63


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is to be answered.

    Attributes:
      tokens: int32 ids of the question.
      key: the sample's stream of randomised positions; None if positions are not drawn.
      sampling: the sample's key for drawn tokens; None if the most likely are taken.
      read: what the model reads besides, arrays of the same shapes for all prompts of a call; None
        if nothing.
    """

    tokens: np.ndarray
    key: np.ndarray | None = None
    sampling: np.ndarray | None = None
    read: Any = None


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer.

    Attributes:
      tokens: ids of the answer, without the end of answer.
      finish_reason: "stop" (ended its answer) or "length" (ran out of room).
      seconds: its share of the time of the programs that ran on its row.
    """

    tokens: np.ndarray
    finish_reason: str
    seconds: float


class Decoder:
    """Answers prompts with a Transformer of one shape."""

    def __init__(
        self,
        graph: nnx.GraphDef,
        config: TransformerConfig,
        end_id: int,
        batch: int | None = None,
        sampling: Sampling = Sampling(),  # noqa: B008 (frozen)
        remember: Remember | None = None,
    ) -> None:
        """Sets up decoding; nothing is compiled yet.

        Args:
          graph: structure of the `Transformer`.
          config: of the model.
          end_id: token that ends an answer.
          batch: most prompts decoded together; what suits the devices if left out.
          sampling: how tokens are chosen.
          remember: see `stepping.Stepper`.
        """
        self.batch = batch = batch or _batch()
        self.sizes = _pool_sizes(config.context)
        self.rows = [_rows(batch, S) for S in self.sizes]
        self.refill = [max(1, B // _REFILL) for B in self.rows]
        self.stepper = Stepper(graph, config, end_id, sampling, remember)
        self.read = _Compiled(self.stepper.read)
        self.write = _Compiled(self.stepper.write)
        self.move = _Compiled(self.stepper.move)
        self._config = config
        self._sampling = sampling

    def decode(self, params: nnx.State, prompts: list[Prompt]) -> list[Completion]:
        """Answers prompts, in their order; one that fills the context gets an empty answer."""
        found = [Completion(np.zeros(0, np.int32), "length", 0.0)] * len(prompts)
        lengths = [len(p.tokens) for p in prompts]
        fitting = [i for i, n in enumerate(lengths) if n > 0 and answer_room(self._config, n)]
        # The first token names the task, and with it about how long the answer is.
        fitting.sort(key=lambda i: (self.bucket(lengths[i]), prompts[i].tokens[0]))
        if not fitting:
            return found
        pools = _Pools(self, jax.device_put(params), prompts[fitting[0]].read)
        for i, completion in pools.answer({i: prompts[i] for i in fitting}).items():
            found[i] = completion
        return found

    def bucket(self, length: int) -> int:
        """Returns P, the slots that a prompt of so many tokens is read in."""
        return min(size_for(length), self._config.context)

    def level(self, length: int) -> int:
        """Returns which pool a prompt of so many tokens goes to."""
        needs = self.bucket(length) + _ANSWER
        return next((i for i, S in enumerate(self.sizes) if needs <= S), len(self.sizes) - 1)

    def together(self, P: int) -> int:
        """Returns C, how many prompts of a bucket are read together."""
        return max(1, min(self.refill[self.level(P)], _TOKENS // P))

    def asked(self, prompts: list[Prompt], place: int, rows: np.ndarray) -> Asked:
        """Returns up to C prompts of one bucket, to be read into as many rows of a pool."""
        P = self.bucket(len(prompts[0].tokens))
        C, G = self.together(P), self._sampling.draws
        asked = Asked(
            tokens_CxP=np.zeros((C, P), np.int32),
            lengths_C=np.ones(C, np.int32),
            room_C=np.zeros(C, np.int32),
            positions_CGxL=np.zeros((C * G, self._config.context), np.int32),
            keys_Cx2=np.zeros((C, 2), np.uint32),
            rows_C=np.full(C, self.rows[place], np.int32),
        )
        asked.rows_C[: len(prompts)] = rows
        for c, prompt in enumerate(prompts):
            n = len(prompt.tokens)
            room = answer_room(self._config, n)
            asked.tokens_CxP[c, :n] = prompt.tokens
            asked.lengths_C[c] = n
            asked.room_C[c] = room
            for g in range(G):
                places = self._positions(prompt, n + room, g)
                asked.positions_CGxL[c * G + g, : n + room] = places
            if prompt.sampling is not None:
                asked.keys_Cx2[c] = prompt.sampling
        padded = [*prompts, *prompts[:1] * (C - len(prompts))]
        return asked._replace(read=jax.tree.map(lambda *x: np.stack(x), *(p.read for p in padded)))

    def _positions(self, prompt: Prompt, count: int, draw: int) -> np.ndarray:
        if self._config.positions.kind != "randomised":
            return np.arange(count)
        visit = _FURTHER_DRAWS + draw if draw else 0
        return positions.draw(prompt.key, visit, count, self._config.positions.range)


@dataclass
class _Level:
    """A pool, and which prompt each of its rows is, `[B]`; -1 for none."""

    pool: Pool
    members_B: np.ndarray

    def free(self) -> np.ndarray:
        """Returns the rows without a prompt."""
        return np.flatnonzero(self.members_B < 0)

    def taken(self) -> np.ndarray:
        """Returns the rows with one."""
        return np.flatnonzero(self.members_B >= 0)


class _Pools:
    """The prompts of one call on their way through the pools, from the smallest on."""

    def __init__(self, decoder: Decoder, params: nnx.State, read: Any) -> None:
        self._decoder = decoder
        self._params = params
        self._read = jax.tree.map(lambda x: np.zeros((1, *x.shape), x.dtype), read)
        self._levels: dict[int, _Level] = {}
        self._seconds: dict[int, float] = {}
        self._ended: dict[int, Completion] = {}

    def answer(self, prompts: dict[int, Prompt]) -> dict[int, Completion]:
        """Answers prompts that stand in the order of their buckets; returns all answers."""
        decoder = self._decoder
        for place in range(len(decoder.sizes)):
            waiting = [i for i, p in prompts.items() if decoder.level(len(p.tokens)) == place]
            while waiting or (place in self._levels and len(self._levels[place].taken())):
                waiting = self._refilled(place, waiting, prompts)
                self._write(place, decoder.rows[place] - decoder.refill[place] if waiting else 0)
            self._levels.pop(place, None)
        return self._ended

    def _refilled(self, place: int, waiting: list[int], prompts: dict[int, Prompt]) -> list[int]:
        """Reads prompts into the free rows; returns those that still wait."""
        decoder, level = self._decoder, self._level(place)
        while waiting and len(free := level.free()):
            P = decoder.bucket(len(prompts[waiting[0]].tokens))
            most = min(len(free), decoder.together(P))
            alike = [decoder.bucket(len(prompts[i].tokens)) == P for i in waiting[:most]]
            chosen = waiting[: sum(alike)]
            rows = free[: len(chosen)]
            asked = decoder.asked([prompts[i] for i in chosen], place, rows)
            key = P, decoder.sizes[place]
            level.pool, took = decoder.read(key, self._params, level.pool, asked)
            level.members_B[rows] = chosen
            self._share(took, level.members_B[rows])
            waiting = waiting[len(chosen) :]
        return waiting

    def _write(self, place: int, least: int) -> None:
        """Writes until no more than `least` rows of a pool go on; takes out the others."""
        level, slots = self._levels[place], self._decoder.sizes[place]
        level.pool, took = self._decoder.write(slots, self._params, level.pool, np.int32(least))
        taken, rows = level.taken(), jax.device_get(level.pool.rows)
        self._share(took, level.members_B[taken])
        for row in taken[rows.done_B[taken]]:
            member = int(level.members_B[row])
            tokens = rows.answers_BxM[row, : rows.counts_B[row]].copy()
            reason = "stop" if rows.stopped_B[row] else "length"
            self._ended[member] = Completion(tokens, reason, self._seconds[member])
            level.members_B[row] = -1
        taken = level.taken()
        full = taken[rows.lengths_B[taken] == slots]
        if len(full):
            self._move(place, full)

    def _move(self, place: int, full: np.ndarray) -> None:
        """Moves rows to the next pool, where others make room for them if need be."""
        decoder, level, larger = self._decoder, self._levels[place], self._level(place + 1)
        B = decoder.rows[place + 1]
        while len(full):
            if not len(larger.free()):
                self._write(place + 1, B - decoder.refill[place + 1])
            free = larger.free()
            moved, full = full[: len(free)], full[len(free) :]
            rows_C = np.full(decoder.rows[place], B, np.int32)
            rows_C[moved] = free[: len(moved)]
            larger.members_B[rows_C[moved]] = level.members_B[moved]
            level.members_B[moved] = -1
            key = decoder.sizes[place + 1]
            larger.pool, took = decoder.move(key, larger.pool, level.pool, rows_C)
            self._share(took, larger.members_B[rows_C[moved]])

    def _level(self, place: int) -> _Level:
        if place not in self._levels:
            B, S = self._decoder.rows[place], self._decoder.sizes[place]
            pool = self._decoder.stepper.empty(B, S, self._params, self._read)
            self._levels[place] = _Level(pool, np.full(B, -1))
        return self._levels[place]

    def _share(self, took: float, members: np.ndarray) -> None:
        for member in members.tolist():
            self._seconds[member] = self._seconds.get(member, 0.0) + took / len(members)


class _Compiled:
    """A function compiled once for each key.

    Compiled apart from running, so that no answer's time holds that of compilation.
    """

    def __init__(self, function: Callable[..., Pool]) -> None:
        self._function = function
        self._programs: dict[Any, jax.stages.Compiled] = {}

    def __call__(self, key: Any, *arguments: Any) -> tuple[Pool, float]:
        """Returns what the function does, and the seconds it took."""
        if key not in self._programs:
            self._programs[key] = self._function.lower(*arguments).compile()
        began = time.perf_counter()
        found = jax.block_until_ready(self._programs[key](*arguments))
        return found, time.perf_counter() - began


def _pool_sizes(context: int) -> list[int]:
    """Returns the slots of the pools; the last has room for the whole context."""
    sizes = [min(_SMALLEST, context)]
    while sizes[-1] < context:
        sizes.append(min(sizes[-1] * _GROWTH, context))
    return sizes


def _batch() -> int:
    return _BATCH if jax.default_backend() == "cpu" else _ACCELERATED


def _rows(batch: int, S: int) -> int:
    """Returns B, the rows of a pool of so many slots.

    A CPU's steps are bound by what they compute: larger pools have fewer rows, of as many slots in
    all, so that fewer are empty when few answers go on. An accelerator's are bound by the weights
    that they read: there a row more costs next to nothing.
    """
    if jax.default_backend() != "cpu":
        return batch
    return min(batch, max(batch * _SMALLEST // S, batch // _FEWEST, 1))
