"""A trained reasoner that answers in words."""

from dataclasses import replace
from pathlib import Path

from clrs_text_bench.errors import BadInput

from .. import spec_options
from ..trained import TrainedModel
from ..training import checkpoint, record
from ..training.checkpoint import Checkpoint
from ..training.compilation import cache_programs
from ..training.record import RunRecord
from .config import NarConfig
from .steps import Options
from .trainable import TrainableNar


def load(argument: str) -> TrainedModel:
    """Loads the best checkpoint of a training run.

    Args:
      argument: the run's folder, and after `?` how many steps it makes: `runs/a?steps=bound` (see
        `steps`). A TransNAR's run will do: it is its reasoner that answers, as tuned as it is.

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
    if found.config.model.kind == "transnar":
        return _within(run, found, options)
    model = found.config.model
    if model.kind != "nar":
        raise BadInput(f"run {run} is of a {model.kind}, not of a nar")
    trainable = _trainable(run, model, found.config.train.seed, options)
    return _answering(trainable, found, checkpoint.best(run, trainable.shapes()), options)


def _within(run: Path, found: RunRecord, options: Options) -> TrainedModel:
    """Returns the reasoner that a TransNAR's run holds."""
    from ..transnar.model import opened

    hybrid, _, kept = opened(run)
    described = hybrid.reasoner.described
    trainable = _trainable(run, described.model, described.seed, options)
    return _answering(trainable, found, replace(kept, state=hybrid.executing(kept.state)), options)


def _trainable(run: Path, model: NarConfig, seed: int, options: Options) -> TrainableNar:
    if options.steps == "learned" and not model.halting:
        raise BadInput(f"run {run} has not learnt when to stop; add ?steps=bound or ?steps=trace")
    return TrainableNar(model, seed=seed, steps=options.steps)


def _answering(
    trainable: TrainableNar, found: RunRecord, kept: Checkpoint, options: Options
) -> TrainedModel:
    settings = {"processor": trainable.config.processor, "steps": options.steps}
    return TrainedModel(trainable, found, kept, settings)
