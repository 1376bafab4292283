"""A trained TransNAR that answers questions whose graphs it has."""

from pathlib import Path
from typing import NamedTuple

from clrs_text_bench import tokenizer_json
from clrs_text_bench.errors import BadInput

from ..trained import TrainedModel
from ..training import checkpoint, record
from ..training.checkpoint import Checkpoint
from ..training.compilation import cache_programs
from ..training.record import RunRecord
from ..transformer.model import sampled_settings
from ..transformer.sampling import Sampling, split
from .reasoner import of_folder
from .trainable import TrainableTransNar


def load(argument: str) -> TrainedModel:
    """Loads the best checkpoint of a training run.

    Args:
      argument: the run's folder, and after `?` how to sample, as in `transformer.model.load`.

    Raises:
      BadInput: if an option is wrong, there is no such run, it is of another model, its checkpoint
        is missing or cut short, or its reasoner is another than it was trained with.
    """
    folder, sampling = split(argument)
    if not folder:
        raise BadInput("transnar needs a run, such as transnar:runs/a")
    run = Path(folder)
    trainable, found, kept = opened(run, sampling)
    config = trainable.config
    settings = {
        **sampled_settings(run, config.transformer, trainable.text, sampling),
        "use_hints": found.use_hints,
        "nar": checkpoint.tree_hash(trainable.executing(kept.state)),
        "processor": found.model["processor"],
        "steps": config.nar.steps,
        "latents": config.nar.latents,
    }
    return TrainedModel(trainable, found, kept, settings)


class Opened(NamedTuple):
    """A run, with the parameters of its best checkpoint."""

    trainable: TrainableTransNar
    record: RunRecord
    kept: Checkpoint


def opened(run: Path, sampling: Sampling = Sampling()) -> Opened:  # noqa: B008 (frozen)
    """Reads a run's folder; see `load` for what is raised."""
    cache_programs()
    found = record.read(run)
    config = found.config.model
    if config.kind != "transnar":
        raise BadInput(f"run {run} is of a {config.kind}, not of a transnar")
    if (run / tokenizer_json.FILE).exists():
        text = {"tokenizer": str(run / tokenizer_json.FILE)}
        config = config.model_copy(
            update={"transformer": config.transformer.model_copy(update=text)}
        )
    train = found.config.train
    trainable = TrainableTransNar(
        config, of_folder(run, config.nar), seed=train.seed, loss=train.loss, sampling=sampling
    )
    record.check(run, found, trainable.record())
    kept = checkpoint.best(run, trainable.shapes())
    _check_reasoner(run, found, kept.state)
    return Opened(trainable, found, kept)


def _check_reasoner(run: Path, found: RunRecord, params: dict) -> None:
    if found.config.model.nar.tuned not in ("frozen", "adapters"):
        return
    if checkpoint.tree_hash(params["nar"]) != found.model["nar"]:
        raise BadInput(f"run {run} holds another reasoner than it was trained with; train it again")
