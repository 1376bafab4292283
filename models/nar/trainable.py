"""The reasoner as the training loop sees it."""

import functools
import itertools
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa
from flax import nnx

from clrs_text_bench import engines, graph, schema
from clrs_text_bench.errors import BadInput

from ..rows import predictions
from ..training.buckets import size_for
from ..training.trainable import module_state
from . import answering, executing, graphs, measuring, network, postprocessing
from .config import NarConfig
from .examples import NOISE, Graphs
from .graphs import ALGORITHM, Row
from .layout import PERMUTATION, Layout
from .network import Latents, Reasoner
from .requests import Request, Requests
from .steps import DEFAULT, Setting

# Rows executed together: an accelerator's steps are bound by their kernels' starts, not by rows.
_BATCH, _ACCELERATED = 32, 256


class TrainableNar:
    """See `training.trainable.Trainable`. Parameters are a tree of plain dicts."""

    columns = (*schema.IDENTITY, "question", "graph_inputs", "graph_outputs", "graph_hints")
    block = 256  # of 75 shapes a fifth is filled up
    stage = None

    def __init__(self, config: NarConfig, *, seed: int, steps: Setting = DEFAULT) -> None:
        """Sets a reasoner up without parameters.

        Args:
          config: of the model.
          seed: of its initial parameters, positions and noise.
          steps: how many steps it makes to answer.
        """
        self.config = config
        self.layout = Layout(config.algorithms)
        self._seed = seed
        self._steps = steps
        self._graph, self._shapes = nnx.split(nnx.eval_shape(self._model))
        self.requests = Requests(self.layout, engines.name_of(config.algorithms), steps)
        self.reader = functools.partial(Graphs, config=config, layout=self.layout, seed=seed)
        self._execute = jax.jit(self.executed)
        self._hold = jax.jit(self.held, static_argnames=("shares", "groups"))

    def _model(self) -> Reasoner:
        return Reasoner(self.config, self.layout, nnx.Rngs(self._seed))

    def record(self) -> dict[str, Any]:
        """Returns what a checkpoint must agree with."""
        return {"kind": self.config.kind, "processor": self.config.processor}

    def files(self) -> dict[str, bytes]:
        """Returns none: a checkpoint is all that is needed."""
        return {}

    def shapes(self) -> dict:
        """Returns the shapes and types of the parameters."""
        return nnx.to_pure_dict(self._shapes)

    def init(self) -> dict:
        """Draws the initial parameters."""
        return nnx.to_pure_dict(nnx.state(self._model()))

    def scales(self) -> None:
        """Returns nothing: all parameters learn alike."""

    def watched(self, params: dict) -> dict[str, float]:
        """Returns nothing: the loss tells all."""
        return {}

    def encode(self, table: pa.Table) -> Graphs:
        """Reads rows; raises `BadInput` on rows without their graphs and traces."""
        return self.reader(table)

    def ready(self, table: pa.Table, read: Graphs) -> Graphs:
        """Returns what was read: nothing else is needed."""
        return read

    def loss(self, params: dict, batch: dict[str, jax.Array]) -> tuple[jax.Array, jax.Array]:
        """Returns the sum over rows of their algorithms' losses, and the number of rows."""
        batch = dict(batch)
        noise = batch.pop(NOISE)
        T = next(x.shape[1] for name, x in batch.items() if name.startswith("hint/")) - 1
        model = nnx.merge(self._graph, module_state(self._shapes, params))
        groups = None if self.config.mixed_batches else 1
        of_row = measuring.loss(model, batch, T, noise, groups)[batch[ALGORITHM]]
        return jnp.sum(of_row), jnp.float32(len(of_row))

    def answer(self, params: dict, requests: pa.Table) -> pa.Table:
        """Answers rows; see `protocols.Model.generate`."""
        if any(requests["use_hints"].to_pylist()):
            raise BadInput("a reasoner writes no traces; answer a data set made without --hints")
        began = time.perf_counter()
        rows = self.requests(requests)
        answers: list[_Answer] = [_Answer("", np.zeros(0))] * len(rows)
        for places, batch in self._batches([one.row for one in rows]):
            logits = jax.tree.map(np.asarray, self._execute(params, batch))
            for b, i in enumerate(places):
                answers[i] = self._answer(rows[i], {kind: x[b] for kind, x in logits.items()})
        each = (time.perf_counter() - began) / max(1, len(rows))
        count = len(rows)
        return predictions(
            requests,
            [one.words for one in answers],
            ["stop"] * count,
            [None] * count,
            [each] * count,
            [one.outputs for one in answers],
        )

    def latents(self, params: dict, rows: list[Row], shares: int = 1) -> list[Latents]:
        """Returns what the network holds of each row, `[K, n, H]` and `[K, n, n, H]`.

        Args:
          params: of the network.
          rows: see `Requests.rows`.
          shares: K, at how many equal shares of a row's steps; the last is after the last step.
        """
        found: list = [None] * len(rows)
        for places, batch in self._batches(rows):
            held = jax.tree.map(np.asarray, self._hold(params, batch, shares=shares, groups=1))
            for b, i in enumerate(places):
                n = rows[i].n
                edges = held.edges_BxNxNxH
                found[i] = Latents(
                    held.nodes_BxNxH[:, b, :n],
                    None if edges is None else edges[:, b, :n, :n],
                )
        return found

    def held(
        self,
        params: dict,
        batch: dict[str, jax.Array],
        *,
        shares: int,
        groups: int | None,
        room: int | None = None,
    ) -> Latents:
        """Returns a batch's latents, `[K, B, ...]` each.

        Args:
          params: of the network.
          batch: of requests.
          shares: see `latents`.
          groups: see `groups`.
          room: see `executing.executed`.
        """
        model = nnx.merge(self._graph, module_state(self._shapes, params))
        halts = self._steps == "learned"
        found = executing.executed(model, batch, groups=groups, halts=halts, room=room)
        if shares == 1:
            return jax.tree.map(lambda x: x[None], network.latents(found.features))
        return executing.passed(model, batch, found.steps_B, shares, groups, room)

    def _batches(self, rows: list[Row]) -> Iterator[tuple[list[int], dict[str, np.ndarray]]]:
        """Yields places of like rows and batches of them, filled up to the size of all."""
        most = _batch()
        for places in _alike(rows, most):
            found = [rows[i] for i in places]
            found += found[:1] * (most - len(found))  # one program for any number
            N = size_for(max(row.n for row in found))
            T = max(row.steps for row in found)
            yield places, graphs.stack(found, self.layout, N, T, 1)

    def _answer(self, one: Request, logits: dict[str, np.ndarray]) -> "_Answer":
        outputs = answering.chosen(self.layout, one.task, logits, one.row.n)
        words = answering.answer(self.layout, one.task, one.inputs, outputs, logits, one.row.n)
        return _Answer(words, graph.pack(one.task.name, one.length, outputs, "output"))

    def executed(self, params: dict, batch: dict[str, jax.Array]) -> dict[str, jax.Array]:
        """Decodes the outputs of a batch of requests of one algorithm.

        See `executing.executed`. Orders are sharpened as upstream does it to evaluate
        (`_predict` in `clrs._src.baselines`).
        """
        model = nnx.merge(self._graph, module_state(self._shapes, params))
        found = executing.executed(model, batch, groups=1, halts=self._steps == "learned")
        logits = executing.outputs(found, None)
        if PERMUTATION in logits:
            logits[PERMUTATION] = postprocessing.log_sinkhorn(
                logits[PERMUTATION], found.problem.mask_BxN, steps=postprocessing.SHARPENING_STEPS
            )
        return logits


def _batch() -> int:
    return _BATCH if jax.default_backend() == "cpu" else _ACCELERATED


def _alike(rows: list[Row], most: int) -> Iterator[list[int]]:
    """Yields places of like rows: of one algorithm, of one shape, and of about as many steps.

    No row is padded beyond its own shape: what comes out for it is the same to the last bit,
    whichever rows are beside it.
    """

    def like(i: int) -> tuple[int, int]:
        return rows[i].algorithm, size_for(rows[i].n)

    order = sorted(range(len(rows)), key=lambda i: (like(i), rows[i].steps))
    for _, same in itertools.groupby(order, key=like):
        places = list(same)
        for start in range(0, len(places), most):
            yield places[start : start + most]


class _Answer(NamedTuple):
    """What a row is answered: in words, and its output probes, packed."""

    words: str
    outputs: np.ndarray
