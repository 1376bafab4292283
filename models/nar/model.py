"""A trained reasoner that answers in words."""

from pathlib import Path

import jax
import pyarrow as pa

from clrs_text_bench.datasets import Dataset
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import ModelInfo

from .. import spec_options
from ..training import checkpoint, record
from ..training.checkpoint import Checkpoint, tree_hash
from ..training.compilation import cache_programs
from ..training.record import RunRecord
from .steps import Options
from .trainable import TrainableNar


class NarModel:
    """See `protocols.Model`. It reads the requests' graphs, not their questions."""

    def __init__(self, trainable: TrainableNar, params: dict, info: ModelInfo) -> None:
        self._trainable = trainable
        self._params = params
        self._info = info

    def prepare(self, dataset: Dataset) -> None:
        """Needs nothing of the data set."""

    def info(self) -> ModelInfo:
        """Returns who answers."""
        return self._info

    def generate(self, requests: pa.Table) -> pa.Table:
        """Answers rows; raises `BadInput` on an algorithm that it was not made for."""
        return self._trainable.answer(self._params, requests)


def load(argument: str) -> NarModel:
    """Loads the best checkpoint of a training run.

    Args:
      argument: the run's folder, and after `?` how many steps it makes: `runs/a?steps=bound` (see
        `steps`).

    Raises:
      BadInput: if an option is wrong, there is no such run, it is of another model, or its
        checkpoint is missing or cut short.
    """
    folder, options = spec_options.split(argument, Options, "steps=bound")
    if not folder:
        raise BadInput("nar needs a run, such as nar:runs/a")
    run = Path(folder)
    cache_programs()
    found = record.read(run)
    model = found.config.model
    if model.kind != "nar":
        raise BadInput(f"run {run} is of a {model.kind}, not of a nar")
    if options.steps == "learned" and not model.halting:
        raise BadInput(f"run {run} has not learnt when to stop; add ?steps=bound or ?steps=trace")
    trainable = TrainableNar(model, seed=found.config.train.seed, steps=options.steps)
    kept = checkpoint.best(run, trainable.shapes())
    return NarModel(trainable, kept.state, _info(found, kept, options))


def _info(found: RunRecord, kept: Checkpoint, options: Options) -> ModelInfo:
    return ModelInfo(
        name=found.config.label,
        n_parameters=sum(x.size for x in jax.tree.leaves(kept.state)),
        train_lengths=found.train_lengths or None,
        train_algorithms=found.train_algorithms or None,
        train_seed=found.config.train.seed,
        checkpoint=tree_hash(kept.state),
        settings={
            "step": kept.step,
            "processor": found.config.model.processor,
            "steps": options.steps,
            "device": jax.devices()[0].device_kind,
        },
    )
