"""Batched decoding: which prompts are answered together, and when a row makes room for another.

What is answered to a prompt depends on nothing but the prompt: its bucket follows from its own
length, and every program runs on the same number of rows, however many are real. Prompts of one
task and length are decoded together, so that their answers end at about the same time; those that
do not are moved together before the cache grows, so that few rows wait for one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np
from flax import nnx

from ..training.buckets import size_for
from . import positions
from .config import TransformerConfig
from .sampling import Sampling
from .sequences import answer_room
from .stepping import Asked, State, Stepper

_BATCH = 64
_SMALLEST = 16
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
      seconds: its share of the time of the batches that it was in.
    """

    tokens: np.ndarray
    finish_reason: str
    seconds: float


@dataclass
class _Batch:
    """Rows decoded together.

    Attributes:
      members: which prompt each row is, `[B]`; -1 for none, or for one whose answer is taken out.
      asked: what they are.
      state: where they stand.
    """

    members: np.ndarray
    asked: Asked
    state: State

    def rows(self) -> np.ndarray:
        """Returns the rows that are prompts."""
        return np.flatnonzero(self.members >= 0)


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
        self.sizes = _answer_sizes(config.max_answer)
        self._config = config
        self._sampling = sampling
        stepper = Stepper(graph, end_id, config.max_answer, sampling)
        self.begin = _Compiled(stepper.begin)
        self.go_on = _Compiled(stepper.go_on)
        self.join = stepper.join

    def decode(self, params: nnx.State, prompts: list[Prompt]) -> list[Completion]:
        """Answers prompts, in their order; one that fills the context gets an empty answer."""
        found = [Completion(np.zeros(0, np.int32), "length", 0.0)] * len(prompts)
        lengths = [len(p.tokens) for p in prompts]
        fitting = [i for i, n in enumerate(lengths) if n > 0 and answer_room(self._config, n)]
        # The first token names the task.
        fitting.sort(key=lambda i: (lengths[i], prompts[i].tokens[0]))
        for P in dict.fromkeys(_bucket(lengths[i]) for i in fitting):
            members = [i for i in fitting if _bucket(lengths[i]) == P]
            bucket = _Bucket(self, params)
            for start in range(0, len(members), self.batch):
                chunk = members[start : start + self.batch]
                bucket.add(chunk, self.asked([prompts[i] for i in chunk], P))
            for i, completion in bucket.finish().items():
                found[i] = completion
        return found

    def asked(self, prompts: list[Prompt], P: int) -> Asked:
        """Returns up to B prompts in a bucket; rows without one have no room for an answer."""
        B, G, S = self.batch, self._sampling.draws, P + self._config.max_answer
        asked = Asked(
            tokens_BxP=np.zeros((B, P), np.int32),
            starts_B=np.full(B, P - 1, np.int32),
            room_B=np.zeros(B, np.int32),
            positions_RxS=np.zeros((B * G, S), np.int32),
            keys_Bx2=np.zeros((B, 2), np.uint32),
        )
        for b, prompt in enumerate(prompts):
            n = len(prompt.tokens)
            start, room = P - n, answer_room(self._config, n)
            asked.tokens_BxP[b, start:] = prompt.tokens
            asked.starts_B[b] = start
            asked.room_B[b] = room
            for g in range(G):
                places = self._positions(prompt, n + room, g)
                asked.positions_RxS[b * G + g, start : P + room] = places
            if prompt.sampling is not None:
                asked.keys_Bx2[b] = prompt.sampling
        return asked

    def _positions(self, prompt: Prompt, count: int, draw: int) -> np.ndarray:
        if self._config.positions.kind != "randomised":
            return np.arange(count)
        visit = _FURTHER_DRAWS + draw if draw else 0
        return positions.draw(prompt.key, visit, count, self._config.positions.range)


class _Bucket:
    """The prompts of one bucket on their way: at each size of the cache, rows that wait for more.

    Rows wait until a batch of them is full, or nothing else is left to do.
    """

    def __init__(self, decoder: Decoder, params: nnx.State) -> None:
        self._decoder = decoder
        self._params = params
        self._waiting: list[_Batch | None] = [None] * len(decoder.sizes)
        self._seconds: dict[int, float] = {}
        self._ended: dict[int, Completion] = {}

    def add(self, members: list[int], asked: Asked) -> None:
        """Begins a batch of prompts."""
        state, took = self._decoder.begin(self._params, asked, self._decoder.sizes[0])
        rows = np.full(self._decoder.batch, -1)
        rows[: len(members)] = members
        self._take_out(_Batch(rows, asked, state), 0, took)

    def finish(self) -> dict[int, Completion]:
        """Goes on until all answers have ended; returns them."""
        for level, batch in enumerate(self._waiting):
            if batch is not None:
                self._go_on(level)
        return self._ended

    def _take_out(self, batch: _Batch, level: int, took: float) -> None:
        """Keeps the answers of a batch that have ended; the others wait."""
        rows, state = batch.rows(), batch.state
        # Fetched once: an element of an array on a device costs as much as all of it.
        answers_BxM, counts_B, done_B, stopped_B = map(
            np.asarray, (state.answers_BxM, state.counts_B, state.done_B, state.stopped_B)
        )
        for row in rows:
            member = int(batch.members[row])
            self._seconds[member] = self._seconds.get(member, 0.0) + took / len(rows)
            if done_B[row]:
                tokens = answers_BxM[row, : counts_B[row]]
                reason = "stop" if stopped_B[row] else "length"
                self._ended[member] = Completion(tokens, reason, self._seconds[member])
                batch.members[row] = -1
        if len(batch.rows()):
            self._wait(batch, level)

    def _wait(self, batch: _Batch, level: int) -> None:
        before = self._waiting[level]
        if before and len(before.rows()) + len(batch.rows()) > self._decoder.batch:
            self._go_on(level)
            before = None
        self._waiting[level] = self._joined(before, batch) if before else batch

    def _joined(self, one: _Batch, other: _Batch) -> _Batch:
        B = self._decoder.batch
        rows = np.concatenate([one.rows(), B + other.rows()])
        members = np.full(B, -1)
        members[: len(rows)] = np.concatenate([one.members, other.members])[rows]
        chosen = np.zeros(B, np.int32)
        chosen[: len(rows)] = rows
        asked, state = self._decoder.join(
            (one.asked, one.state), (other.asked, other.state), chosen, members >= 0
        )
        return _Batch(members, asked, state)

    def _go_on(self, level: int) -> None:
        batch, self._waiting[level] = self._waiting[level], None
        size = self._decoder.sizes[level + 1]
        state, took = self._decoder.go_on(self._params, batch.asked, size, batch.state)
        self._take_out(_Batch(batch.members, batch.asked, state), level + 1, took)


class _Compiled:
    """A function compiled for each prompt bucket and number of answer slots.

    Compiled apart from running, so that no answer's time holds that of compilation.
    """

    def __init__(self, function: Callable) -> None:
        self._function = function
        self._programs: dict[tuple[int, int], jax.stages.Compiled] = {}

    def __call__(
        self, params: nnx.State, asked: Asked, N: int, *state: State
    ) -> tuple[State, float]:
        """Returns what the function does, and the seconds it took."""
        key = asked.tokens_BxP.shape[1], N
        if key not in self._programs:
            self._programs[key] = self._function.lower(params, asked, N, *state).compile()
        began = time.perf_counter()
        found = jax.block_until_ready(self._programs[key](params, asked, *state))
        return found, time.perf_counter() - began


def _answer_sizes(most: int) -> list[int]:
    """Returns the numbers of answer slots that a cache has one after another."""
    sizes = [_FIRST_ANSWER]
    while sizes[-1] < most:
        sizes.append(sizes[-1] * _GROWTH)
    return [*sizes[:-1], most]


def _bucket(length: int) -> int:
    """Returns the slots that a prompt of so many tokens gets."""
    return max(_SMALLEST, size_for(length))
