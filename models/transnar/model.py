"""A trained TransNAR that answers questions whose graphs it has."""

import dataclasses
from pathlib import Path
from typing import Literal, NamedTuple

from clrs_text_bench import tokenizer_json
from clrs_text_bench.errors import BadInput

from .. import spec_options
from ..training import checkpoint, record
from ..training.checkpoint import Checkpoint
from ..training.compilation import cache_programs
from ..training.record import RunRecord
from ..transformer.model import sampled_settings
from ..transformer.sampling import Sampling
from .reasoner import FILE, of_folder
from .trainable import NAR, TrainableTransNar
from .trained import TrainedTransNar


class Options(Sampling):
    """The part of a model spec after `?`: `transnar:runs/a?latents=zeros`, or as for Transformers.

    Attributes:
      latents: what is read: those of a row's own graph ("true"), or a control: "shuffled", those of
        the row before it among the rows of its size that are asked together (in an evaluation, of
        one algorithm and length; a row asked alone keeps its own), or "zeros". As in training if
        left out.
    """

    latents: Literal["true", "shuffled", "zeros"] | None = None


def load(argument: str) -> TrainedTransNar:
    """Loads the best checkpoint of a training run.

    Args:
      argument: the run's folder, and after `?` what it reads and how to sample: see `Options`.

    Raises:
      BadInput: if an option is wrong, there is no such run, it is of another model, its checkpoint
        is missing or cut short, or its reasoner is another than it was trained with.
    """
    folder, options = spec_options.split(argument, Options, "latents=zeros")
    if not folder:
        raise BadInput("transnar needs a run, such as transnar:runs/a")
    run = Path(folder)
    trainable, found, kept = opened(run, options)
    config = trainable.config
    settings = {
        **sampled_settings(run, config.transformer, trainable.text, options),
        "use_hints": found.use_hints,
        "nar": checkpoint.tree_hash(trainable.executing(kept.state)),
        "processor": found.model["processor"],
        "steps": config.nar.steps,
        "latents": config.nar.latents,
        "trained_latents": found.config.model.nar.latents,
    }
    return TrainedTransNar(run, trainable, found, kept, settings)


class Opened(NamedTuple):
    """A run, with the parameters of its best checkpoint."""

    trainable: TrainableTransNar
    record: RunRecord
    kept: Checkpoint


def opened(run: Path, options: Options = Options()) -> Opened:  # noqa: B008 (frozen)
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
    if options.latents is not None:
        chosen = config.nar.model_copy(update={"latents": options.latents})
        config = config.model_copy(update={"nar": chosen})
    train, reasoner = found.config.train, of_folder(run, config.nar)
    if reasoner.described.hash != found.model["nar"]:
        raise BadInput(
            f"{run / FILE} tells of another reasoner than run {run} was trained with; train it "
            "again"
        )
    trainable = TrainableTransNar(
        config, reasoner, seed=train.seed, loss=train.loss, sampling=options
    )
    record.check(run, found, trainable.record())
    kept = _best(run, trainable)
    _check_reasoner(run, found, kept.state)
    return Opened(trainable, found, kept)


def _best(run: Path, trainable: TrainableTransNar) -> Checkpoint:
    """Reads the best checkpoint, and a reasoner that was published apart into it."""
    shapes, reasoner = trainable.shapes(), trainable.reasoner
    if reasoner.described.apart is None:
        return checkpoint.best(run, shapes)
    kept = checkpoint.best(run, {k: x for k, x in shapes.items() if k != NAR})
    return dataclasses.replace(kept, state={**kept.state, NAR: reasoner.params})


def _check_reasoner(run: Path, found: RunRecord, params: dict) -> None:
    if not found.config.model.nar.keeps_parameters:
        return
    if checkpoint.tree_hash(params[NAR]) != found.model["nar"]:
        raise BadInput(f"run {run} holds another reasoner than it was trained with; train it again")
