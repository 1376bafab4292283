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
    model, seed, kept = _within(run) if found.config.model.kind == "transnar" else _own(run, found)
    if options.steps == "learned" and not model.halting:
        raise BadInput(f"run {run} has not learnt when to stop; add ?steps=bound or ?steps=trace")
    trainable = TrainableNar(model, seed=seed, steps=options.steps)
    settings = {"processor": model.processor, "steps": options.steps}
    return TrainedModel(trainable, found, kept, settings)


def _own(run: Path, found: RunRecord) -> tuple[NarConfig, int, Checkpoint]:
    """Returns what a reasoner's run holds, and its seed."""
    model, seed = found.config.model, found.config.train.seed
    if model.kind != "nar":
        raise BadInput(f"run {run} is of a {model.kind}, not of a nar")
    return model, seed, checkpoint.best(run, TrainableNar(model, seed=seed).shapes())


def _within(run: Path) -> tuple[NarConfig, int, Checkpoint]:
    """Returns the reasoner that a TransNAR's run holds, and its seed."""
    from ..transnar.model import opened

    hybrid, _, kept = opened(run)
    described = hybrid.reasoner.described
    own = replace(kept, state=hybrid.executing(kept.state))
    return described.model, described.seed, own
