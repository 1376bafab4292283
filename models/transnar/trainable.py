"""The TransNAR as the training loop sees it."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa
from flax import nnx

from clrs_text_bench import schema

from ..nar.graphs import NODES, Row
from ..nar.network import Latents
from ..rows import sample_ids
from ..training.buckets import size_for
from ..training.stage import Stage
from ..training.trainable import module_state
from ..transformer.decoding import Completion, Decoder
from ..transformer.sampling import Sampling
from ..transformer.sequences import Sequences
from ..transformer.trainable import TrainableTransformer, at_places, cross_entropies
from . import adapters
from .config import TransNarConfig
from .examples import (
    GRAPH,
    HELD,
    OF_EDGES,
    OF_NODES,
    ROOM,
    Graphed,
    Read,
    Reader,
    is_of_graphs,
    of_part,
    stacked,
    under,
)
from .network import Memory, TransNar
from .reasoner import FILE, Reasoner, as_file
from .store import Store

GATE = "gate/"

# Beside the two parts, the reasoner's parameters, and what is learnt beside them.
NAR = "nar"
_ADAPTERS = "adapters"


class TrainableTransNar:
    """See `training.trainable.Trainable`. Parameters are a tree of plain dicts.

    Beside those of `network.TransNar` stand the reasoner's, under "nar", and its adapters, if any,
    under "adapters".
    """

    columns = (*schema.IDENTITY, "use_hints", "question", "answer", "graph_inputs")
    block = 64

    def __init__(
        self,
        config: TransNarConfig,
        reasoner: Reasoner,
        *,
        seed: int,
        loss: str,
        sampling: Sampling = Sampling(),  # noqa: B008 (frozen)
    ) -> None:
        """Sets a TransNAR up without parameters.

        Args:
          config: of the model.
          reasoner: that it reads.
          seed: of its initial parameters and randomised positions.
          loss: "answer" or "sequence".
          sampling: how it chooses the tokens of its answers.
        """
        self.config = config
        self.text = TrainableTransformer(
            config.transformer, seed=seed, loss=loss, sampling=sampling
        )
        self.reasoner = reasoner
        self._seed, self._sampling = seed, sampling
        self._graph, self._shapes = nnx.split(nnx.eval_shape(self._model))
        self._decoders: dict[int, Decoder] = {}
        self._store = None
        if config.nar.computed == "once" and reasoner.folder is not None:
            self._store = Store(reasoner, config.nar.steps, config.shares)

    def _model(self) -> TransNar:
        latent_dim = self.reasoner.described.model.hidden_dim
        return TransNar(self.config, self.text.vocab_size, latent_dim, nnx.Rngs(self._seed))

    def record(self) -> dict[str, Any]:
        """Returns what a checkpoint must agree with: the tokeniser, and the reasoner."""
        described = self.reasoner.described
        return self.text.record() | {
            "kind": self.config.kind,
            "processor": described.model.processor,
            "nar": described.hash,
        }

    def files(self) -> dict[str, bytes]:
        """Returns the files, by name, that a run needs besides its checkpoints to answer."""
        return self.text.files() | {FILE: as_file(self.reasoner.described)}

    def shapes(self) -> dict:
        """Returns the shapes and types of the parameters."""
        of_nar = self.reasoner.trainable.shapes()
        found = nnx.to_pure_dict(self._shapes) | {NAR: of_nar}
        if self._adapts:
            found[_ADAPTERS] = adapters.shapes(of_nar, self.config.nar.rank)
        return found

    def init(self) -> dict:
        """Returns the initial parameters: the reasoner's, the Transformer's, and drawn readers."""
        params = jax.jit(lambda: nnx.to_pure_dict(nnx.state(self._model())))()
        params |= {"transformer": self.text.init(), NAR: self.reasoner.params}
        if self._adapts:
            params[_ADAPTERS] = adapters.init(params[NAR], self.config.nar.rank, self._seed)
        return params

    @property
    def _adapts(self) -> bool:
        return self.config.nar.tuned == _ADAPTERS

    def scales(self) -> dict:
        """Returns each parameter's share of the learning rate, 0 if it is not trained."""
        source, of_gate = self.config.nar, self.config.reading.gate_learning_rate_scale

        def scale(path: tuple, _: Any) -> float:
            part, inner, last = path[0].key, path[1].key, path[-1].key
            if part == NAR:
                return source.learning_rate_scale if source.trains(inner) else 0.0
            if part == _ADAPTERS:
                return source.learning_rate_scale
            return of_gate if last == "gate" else 1.0

        return jax.tree_util.tree_map_with_path(scale, self.shapes())

    def watched(self, params: dict) -> dict[str, float]:
        """Returns how far each gate is open, -1 to 1, by `gate/LAYER`."""
        readers = params["readers"]
        return {
            f"{GATE}{place}": float(np.tanh(np.asarray(readers[str(place)]["gate"])))
            for place in self.config.places
        }

    def encode(self, table: pa.Table) -> Graphed:
        """Encodes rows.

        Raises:
          BadInput: on rows longer than the model's context, without a graph, or of an algorithm
            that the reasoner lacks.
        """
        return self.ready(table, self.reader(table))

    def encode_with(self, params: dict, table: pa.Table) -> Graphed:
        """Encodes rows for passes with these parameters; see `encode`."""
        return self._completed(params[NAR], table, self.reader(table))

    @property
    def reader(self) -> Reader:
        """See `training.trainable.Trainable`."""
        return Reader(self.text.reader, self.reasoner.trainable.requests)

    def ready(self, table: pa.Table, read: Read) -> Graphed:
        """Returns rows that were read with the reasoner's latents."""
        return self._completed(self.reasoner.params, table, read)

    def _completed(self, params: dict, table: pa.Table, read: Read) -> Graphed:
        held = None
        if self.config.nar.computed != "step":
            held = self._held(params, table, read.rows)
        tuned = self.config.nar.tuned != "frozen"
        return Graphed(read.sequences, read.rows, self.reasoner.trainable, held, tuned=tuned)

    def answers(self, params: dict, table: pa.Table) -> Graphed:
        """Encodes rows to look at how their answers are predicted, with these parameters' latents.

        Raises:
          BadInput: as `encode` does.
        """
        rows = self.reasoner.trainable.requests.rows(table)
        sequences = Sequences(table, self.config.transformer, seed=self._seed, loss="answer")
        held = self._latents(self.executing(params), rows)
        return Graphed(sequences, rows, self.reasoner.trainable, held, tuned=False)

    def _held(self, params: dict, table: pa.Table, rows: list[Row]) -> list[Latents]:
        if self._store is None:
            return self._latents(params, rows)
        return self._store.latents(
            sample_ids(table), rows, lambda missing: self._latents(params, missing)
        )

    def _latents(self, params: dict, rows: list[Row]) -> list[Latents]:
        return self.reasoner.trainable.latents(params, rows, self.config.shares)

    @property
    def stage(self) -> Stage | None:
        """The reasoner, if each step executes it; its programs do not depend on texts."""
        if self.config.nar.computed != "step":
            return None

        def make(params: dict, batch: dict[str, jax.Array]) -> dict[str, jax.Array]:
            return under(HELD, self._executed(self.executing(params), batch))

        return Stage(is_of_graphs, make)

    def loss(self, params: dict, batch: dict[str, jax.Array]) -> tuple[jax.Array, jax.Array]:
        """Returns the sum of the targets' cross-entropies, in nats, and the number of targets."""
        return cross_entropies(self.target_logits(params, batch), batch)

    def target_logits(self, params: dict, batch: dict[str, jax.Array]) -> jax.Array:
        """Returns the logits that a batch's targets are predicted by, `[B, A, V]`."""
        model, x_BxTxD = self._run(params, batch)
        return model.logits(at_places(x_BxTxD, batch))

    def logits(self, params: dict, batch: dict[str, jax.Array]) -> jax.Array:
        """Returns the logits of what follows each token of a batch, `[B, T, V]`."""
        model, x_BxTxD = self._run(params, batch)
        return model.logits(x_BxTxD)

    def _run(self, params: dict, batch: dict[str, jax.Array]) -> tuple[TransNar, jax.Array]:
        model, memory = self.prepared(params, batch)
        return model, model(batch["tokens"], batch["positions"], memory=memory)[0]

    def prepared(self, params: dict, batch: dict[str, jax.Array]) -> tuple[TransNar, Memory]:
        """Returns the model of these parameters, and what its layers read of a batch's graphs."""
        of_nar, params = self._parted(params)
        held = self._read(of_nar, batch)
        if self.config.nar.latents == "shuffled":
            held = jax.tree.map(lambda x: jnp.roll(x, 1, axis=0), held)
        model = nnx.merge(self._graph, module_state(self._shapes, params))
        return model, self._remember(model, held)

    def _parted(self, params: dict) -> tuple[dict, dict]:
        """Returns the reasoner's parameters as they act, and all others."""
        others = dict(params)
        of_nar = others.pop(NAR)
        trains = self.config.nar.trains
        of_nar = {
            part: x if trains(part) else jax.lax.stop_gradient(x) for part, x in of_nar.items()
        }
        if self._adapts:
            of_nar = adapters.adapted(of_nar, others.pop(_ADAPTERS))
        return of_nar, others

    def executing(self, params: dict) -> dict:
        """Returns the reasoner's parameters as they act in this model."""
        return self._parted(params)[0]

    def _read(self, params: dict, batch: dict[str, jax.Array]) -> dict[str, jax.Array]:
        """Returns latents and NODES: the batch's own, or those that the reasoner makes."""
        held = of_part(HELD, batch) or self._executed(params, batch)
        return held | {NODES: batch[NODES]}

    def _executed(self, params: dict, batch: dict[str, jax.Array]) -> dict[str, jax.Array]:
        """Returns the latents that the reasoner makes of a batch's graphs."""
        found = self.reasoner.trainable.held(
            params,
            of_part(GRAPH, batch),
            shares=self.config.shares,
            groups=None,
            room=batch[ROOM].shape[1] if ROOM in batch else None,
        )
        nodes, edges = (jnp.swapaxes(x, 0, 1) for x in found)
        return {OF_NODES: nodes, OF_EDGES: edges}

    def _remember(self, model: TransNar, held: dict[str, jax.Array]) -> Memory:
        """Returns what layers read, of latents `[B, K, ...]`."""
        nodes, edges = (jnp.swapaxes(held[kind], 0, 1) for kind in (OF_NODES, OF_EDGES))
        if self.config.nar.latents == "zeros":
            nodes, edges = jnp.zeros_like(nodes), jnp.zeros_like(edges)
        mask_BxN = jnp.arange(nodes.shape[2])[None] < held[NODES][:, None]
        return model.remember(Latents(nodes, edges), mask_BxN)

    def answer(self, params: dict, requests: pa.Table) -> pa.Table:
        """Answers rows; see `protocols.Model.generate`."""
        return self.text.completed(requests, self.completions(params, requests))

    def completions(self, params: dict, requests: pa.Table) -> list[Completion]:
        """Answers rows in tokens."""
        of_nar, params = self._parted(params)
        rows = self.reasoner.trainable.requests.rows(requests)
        held = self._latents(of_nar, rows)
        state, prompts = module_state(self._shapes, params), self.text.prompts(requests)
        found: list[Completion | None] = [None] * len(rows)
        for N, places in _by_size(rows).items():
            read = stacked([held[i] for i in places], N)
            read[NODES] = np.array([rows[i].n for i in places], np.int32)
            if self.config.nar.latents == "shuffled":
                read = {name: np.roll(x, 1, axis=0) for name, x in read.items()}
            asked = [
                dataclasses.replace(prompts[i], read={name: x[b] for name, x in read.items()})
                for b, i in enumerate(places)
            ]
            for i, one in zip(places, self._decoder(N).decode(state, asked), strict=True):
                found[i] = one
        return found

    def _decoder(self, N: int) -> Decoder:
        """Returns what decodes rows whose graphs are padded to N nodes."""
        if N not in self._decoders:
            self._decoders[N] = Decoder(
                self._graph,
                self.config.transformer,
                self.text.tokenizer.end_id,
                sampling=self._sampling,
                remember=self._remember,
            )
        return self._decoders[N]


def _by_size(rows: list[Row]) -> dict[int, list[int]]:
    """Returns the places of rows by the number of nodes that their graphs are padded to."""
    found: dict[int, list[int]] = {}
    for i, row in enumerate(rows):
        found.setdefault(size_for(row.n), []).append(i)
    return found
