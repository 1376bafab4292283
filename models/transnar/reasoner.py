"""The reasoner of a TransNAR: what it is, and where its parameters come from."""

import functools
import json
import os
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from clrs_text_bench import storage, validation
from clrs_text_bench.errors import BadInput

from ..nar.config import NarConfig
from ..nar.trainable import TrainableNar
from ..training import checkpoint, record
from ..training import config as configs
from ..training.record import RunRecord
from .config import Source

FILE = "nar.json"


class Described(BaseModel):
    """What a TransNAR's run keeps of its reasoner, in `nar.json`, to be loaded without its folder.

    Attributes:
      model: its config.
      seed: of its training.
      hash: of its parameters when the TransNAR's training began.
      apart: where its run is, seen from the TransNAR's folder, if the TransNAR's checkpoints do not
        hold it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: NarConfig
    seed: int
    hash: str
    apart: str | None = None


class Reasoner(NamedTuple):
    """A reasoner.

    Attributes:
      described: what it is.
      trainable: executes graphs.
      params: its parameters before the TransNAR's training; None where that has begun.
      folder: its run's; None where it is not needed.
    """

    described: Described
    trainable: TrainableNar
    params: dict | None
    folder: Path | None


def of_run(source: Source, seed: int) -> Reasoner:
    """Returns the reasoner that a config names.

    Args:
      source: names it.
      seed: of one that is drawn anew.

    Raises:
      BadInput: if there is no such run, it is of another model, it has not learnt when to stop
        though it is to, or its checkpoint is missing or cut short.
    """
    if source.run is None:
        raise BadInput(f"model.nar.config {source.config} is to be trained first, in a run")
    run, found = Path(source.run), _record(source)
    model = found.config.model
    if source.start == "random":
        trainable = TrainableNar(model, seed=seed, steps=source.steps)
        params = trainable.init()
    else:
        seed = found.config.train.seed
        trainable = TrainableNar(model, seed=seed, steps=source.steps)
        params = checkpoint.best(run, trainable.shapes()).state
    described = Described(model=model, seed=seed, hash=checkpoint.tree_hash(params))
    return Reasoner(described, trainable, params, run)


def unloaded(source: Source) -> Reasoner:
    """Returns the reasoner that a config names without its parameters, for their shapes.

    Raises:
      BadInput: as `of_run` does, but for the checkpoint.
    """
    if source.config is not None:
        config = configs.load(source.config, source.overrides)
    else:
        config = _record(source).config
    described = Described(model=config.model, seed=config.train.seed, hash="")
    return Reasoner(described, _trainable(config.model), None, None)


@functools.cache
def _trainable(model: NarConfig) -> TrainableNar:
    """Sets one up for shapes alone, which neither a seed nor a number of steps changes."""
    return TrainableNar(model, seed=0)


def _record(source: Source) -> RunRecord:
    """Reads the record of the run that a config names, which must be of such a reasoner."""
    run = Path(source.run)
    try:
        found = record.read(run)
    except BadInput as error:
        raise BadInput(f"model.nar.run: {error}") from error
    model = found.config.model
    if model.kind != "nar":
        raise BadInput(f"model.nar.run {run} is of a {model.kind}, not of a nar")
    if source.steps == "learned" and not model.halting:
        raise BadInput(
            f'model.nar.run {run} has not learnt when to stop; say model.nar.steps = "bound"'
        )
    return found


def of_folder(run: Path, source: Source) -> Reasoner:
    """Returns the reasoner that a TransNAR's run was trained with; its checkpoints hold it.

    Only where it was published apart are its parameters given.

    Raises:
      BadInput: if its description is missing or damaged, or it is apart and not there.
    """
    described = _described(run)
    trainable = TrainableNar(described.model, seed=described.seed, steps=source.steps)
    if described.apart is None:
        return Reasoner(described, trainable, None, None)
    folder = Path(os.path.normpath(run / described.apart))
    if not folder.is_dir():
        raise BadInput(
            f"run {run} was published without its reasoner, which should be in {folder}; put "
            "it there"
        )
    params = checkpoint.best(folder, trainable.shapes()).state
    return Reasoner(described, trainable, params, None)


def tell_apart(run: Path, apart: Path | None) -> None:
    """Notes in a TransNAR's folder where its reasoner's run is; None if its checkpoints hold it."""
    place = None if apart is None else os.path.relpath(apart, run)
    described = _described(run).model_copy(update={"apart": place})
    storage.write_local(str(run / FILE), as_file(described))


def as_file(described: Described) -> bytes:
    """Returns what `nar.json` holds."""
    return (described.model_dump_json(indent=1, exclude_none=True) + "\n").encode()


def _described(run: Path) -> Described:
    where = run / FILE
    try:
        values = json.loads(where.read_bytes())
    except OSError as error:
        raise BadInput(f"cannot read {where}: {error.strerror}") from error
    except ValueError as error:
        raise BadInput(f"{where} is not valid JSON: {error}") from error
    return validation.build(Described, values, str(where))
