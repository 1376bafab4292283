"""Runs of parameters that dm-clrs trained, and parameters of runs for dm-clrs."""

from collections.abc import Sequence
from pathlib import Path

from clrs_text_bench.errors import BadInput

from ..training import checkpoint, imported, record
from ..training.config import TrainingConfig
from . import exchange, npz, recognition
from .layout import Layout
from .trainable import TrainableNar


def import_file(path: Path, run: Path, algorithms: Sequence[str] = ()) -> tuple[str, ...]:
    """Makes a run of a file of dm-clrs's parameters; it can be evaluated.

    Args:
      path: see `npz`.
      run: folder of the run.
      algorithms: names of the network's algorithms, in its order; they may be left out where their
        probes tell them.

    Returns:
      The names of the algorithms.

    Raises:
      BadInput: if the file cannot be read, its parameters are not exactly those of a network of
        these algorithms, or `run` holds something.
    """
    imported.check_free(run)
    tree = npz.read(path)
    try:
        model = recognition.config_of(tree, algorithms)
        trainable = TrainableNar(model, seed=0)
        params = exchange.from_upstream(trainable.layout, tree, trainable.shapes())
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    imported.write(run, TrainingConfig(name=path.stem, model=model), trainable, path, params)
    return model.algorithms


def export_run(run: Path, path: Path, *, without_halting: bool = False) -> tuple[str, ...]:
    """Writes the best checkpoint of a run as a file of dm-clrs's parameters.

    Args:
      run: folder of a reasoner's run.
      path: see `npz`.
      without_halting: whether a head that learns when to stop may be left out, which dm-clrs's
        network lacks.

    Returns:
      The names of the algorithms, in the order that dm-clrs must be given them in.

    Raises:
      BadInput: if there is no such run, dm-clrs has no such network, or the file is there already
        or cannot be written.
    """
    found = record.read(run)
    model = found.config.model
    if model.kind != "nar":
        raise BadInput(f"run {run} is of a {model.kind}, not of a nar")
    if model.processor != exchange.PROCESSOR:
        raise BadInput(
            f"run {run} has processor {model.processor}, which dm-clrs lacks; "
            f"{exchange.PROCESSOR} alone can be exported"
        )
    if model.halting and not without_halting:
        raise BadInput(
            f"run {run} has learnt when to stop, which dm-clrs's network has no parameters for; "
            "leave them out with --without-halting"
        )
    trainable = TrainableNar(model, seed=found.config.train.seed)
    kept = checkpoint.best(run, trainable.shapes())
    npz.write(path, exchange.to_upstream(Layout(model.algorithms), kept.state))
    return model.algorithms
