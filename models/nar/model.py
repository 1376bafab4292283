"""A trained reasoner that answers in words."""

from pathlib import Path

from clrs_text_bench.errors import BadInput

from .. import spec_options
from ..trained import TrainedModel
from ..training import checkpoint, record
from ..training.compilation import cache_programs
from .steps import Options
from .trainable import TrainableNar


def load(argument: str) -> TrainedModel:
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
    settings = {"processor": model.processor, "steps": options.steps}
    return TrainedModel(trainable, found, kept, settings)
