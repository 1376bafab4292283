"""A trained TransNAR, which answers and can be looked into."""

from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pyarrow as pa

from clrs_text_bench.datasets import Dataset
from clrs_text_bench.protocols import Attention, ModelInfo

from ..nar.graphs import NODES
from ..trained import TrainedModel
from ..training import metrics
from ..training.checkpoint import Checkpoint, tree_hash
from ..training.metrics import METRICS, WATCHED
from ..training.record import RunRecord
from ..transformer import index_hints
from . import inspecting
from .examples import HELD, OF_NODES, Graphed
from .trainable import GATE, TrainableTransNar

_BATCH = 32


class TrainedTransNar(TrainedModel):
    """See `protocols.ReadingModel`."""

    def __init__(
        self,
        run: Path,
        trainable: TrainableTransNar,
        record: RunRecord,
        checkpoint: Checkpoint,
        settings: dict,
    ) -> None:
        """Puts a model together; see `TrainedModel`.

        Args:
          run: its folder.
          trainable: reads and answers.
          record: of the run.
          checkpoint: its parameters.
          settings: whatever else changes its answers.
        """
        super().__init__(trainable, record, checkpoint, settings)
        source = record.config.model.nar
        self._run, self.trained_on, self.tuned = run, source.latents, source.tuned != "frozen"
        self._shares, self._attention = (
            jax.jit(self._looking(look)) for look in (inspecting.shares, inspecting.attention)
        )

    def gates(self) -> dict[int, float]:
        """See `protocols.ReadingModel`."""
        return _by_layer(self.trainable.watched(self.params))

    def gates_over_training(self) -> dict[int, dict[int, float]]:
        """See `protocols.ReadingModel`."""
        logged = metrics.read(self._run / METRICS)
        return {line["step"]: _by_layer(line[WATCHED]) for line in logged if WATCHED in line}

    def shares(self, rows: pa.Table) -> np.ndarray:
        """See `protocols.ReadingModel`."""
        examples = self.trainable.answers(self.params, rows)
        found = np.zeros((rows.num_rows, len(self.trainable.config.places)))
        for places, batch in _batches(examples):
            found[places] = self._shares(self.params, batch)[: len(places)]
        return found

    def attention(self, rows: pa.Table) -> list[Attention]:
        """See `protocols.ReadingModel`."""
        examples = self.trainable.answers(self.params, rows)
        found: list[Any] = [None] * rows.num_rows
        for places, batch in _batches(examples):
            weights = jax.tree.map(np.asarray, self._attention(self.params, batch))
            for b, place in enumerate(places):
                found[place] = self._attended(b, batch, {k: x[b] for k, x in weights.items()})
        return found

    def reasoner(self) -> "OwnReasoner":
        """See `protocols.ReadingModel`."""
        return OwnReasoner(self.trainable, self.trainable.executing(self.params))

    def _looking(self, look: Callable[..., Any]) -> Callable[[dict, dict[str, jax.Array]], Any]:
        def looked(params: dict, batch: dict[str, jax.Array]) -> Any:
            model, memory = self.trainable.prepared(params, batch)
            return look(model, batch, memory)

        return looked

    def _attended(
        self, b: int, batch: dict[str, np.ndarray], weights: dict[str, np.ndarray]
    ) -> Attention:
        """Returns what the tokens of row b of a batch attend to, without padding.

        `weights` are the row's, `[R, A, M]` by kind.
        """
        n, N = batch[NODES][b], batch[f"{HELD}/{OF_NODES}"].shape[2]
        targets = batch["targets"][b][batch["weights"][b] > 0]
        tokenizer, A = self.trainable.text.tokenizer, len(targets)
        nodes, edges = weights.get("nodes"), weights.get("edges")
        return Attention(
            tokens=[index_hints.shown(tokenizer, token) for token in targets.tolist()],
            layers=list(self.trainable.config.places),
            nodes=None if nodes is None else nodes[:, :A, :n],
            edges=None if edges is None else edges[:, :A].reshape(-1, A, N, N)[:, :, :n, :n],
        )


class OwnReasoner:
    """The reasoner of a TransNAR by itself, with the parameters that the TransNAR holds."""

    def __init__(self, trainable: TrainableTransNar, params: dict) -> None:
        """Takes the reasoner out.

        Args:
          trainable: whose it is.
          params: the reasoner's.
        """
        self._trainable, self._params = trainable.reasoner.trainable, params
        described, source = trainable.reasoner.described, trainable.config.nar
        self._info = ModelInfo(
            name="nar",
            n_parameters=sum(x.size for x in jax.tree.leaves(params)),
            train_algorithms=described.model.algorithms,
            train_seed=described.seed,
            checkpoint=tree_hash(params),
            settings={
                "processor": described.model.processor,
                "steps": source.steps,
                "tuned": source.tuned,
                "start": source.start,
                "device": jax.devices()[0].device_kind,
            },
        )

    def prepare(self, dataset: Dataset) -> None:
        """Needs nothing of the data set."""

    def info(self) -> ModelInfo:
        """Returns who answers."""
        return self._info

    def generate(self, requests: pa.Table) -> pa.Table:
        """Answers rows; see the reasoner's `answer`."""
        return self._trainable.answer(self._params, requests)


def _by_layer(watched: dict[str, float]) -> dict[int, float]:
    """Returns the gates among watched numbers, by layer."""
    return {int(k.removeprefix(GATE)): x for k, x in watched.items() if k.startswith(GATE)}


def _batches(examples: Graphed) -> Iterator[tuple[list[int], dict[str, np.ndarray]]]:
    """Yields places of rows of one shape and batches of them, filled up to the size of all."""
    alike: dict[Hashable, list[int]] = {}
    for place, shape in enumerate(examples.shapes):
        alike.setdefault(shape, []).append(place)
    for same in alike.values():
        for start in range(0, len(same), _BATCH):
            places = same[start : start + _BATCH]
            filled = places + places[:1] * (_BATCH - len(places))  # one program for any number
            yield places, examples.batch(np.array(filled), 0)
