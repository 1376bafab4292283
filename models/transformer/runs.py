"""A run's folder, opened to answer: its record, its trainable, its best checkpoint."""

from pathlib import Path
from typing import NamedTuple

from clrs_text_bench import tokenizer_json
from clrs_text_bench.errors import BadInput

from ..training import checkpoint, record
from ..training.checkpoint import Checkpoint
from ..training.record import RunRecord
from .sampling import Sampling
from .trainable import TrainableTransformer


class Opened(NamedTuple):
    """A run that can answer."""

    record: RunRecord
    trainable: TrainableTransformer
    checkpoint: Checkpoint


def open_run(run: Path, sampling: Sampling = Sampling()) -> Opened:  # noqa: B008 (frozen)
    """Opens a run.

    Args:
      run: its folder.
      sampling: how it is to answer.

    Raises:
      BadInput: if there is no such run, it has no checkpoint yet, its checkpoint is cut short, or
        it is of another model or another tokeniser.
    """
    found = record.read(run)
    config = found.config
    if config.model.kind != "transformer":
        raise BadInput(f"run {run} is of a {config.model.kind}, not of a transformer")
    model = config.model
    if (run / tokenizer_json.FILE).exists():  # a run keeps its own, wherever it came from
        model = model.model_copy(update={"tokenizer": str(run / tokenizer_json.FILE)})
    trainable = TrainableTransformer(
        model, seed=config.train.seed, loss=config.train.loss, sampling=sampling
    )
    record.check(run, found, trainable.record())
    return Opened(found, trainable, checkpoint.best(run, trainable.shapes()))
