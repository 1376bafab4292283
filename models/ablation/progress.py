"""How far a run of an ablation is, by what is in its folder."""

from pathlib import Path
from typing import NamedTuple

from clrs_text_bench.datasets import Dataset

from ..training import run as training
from ..training.checkpoint import Checkpoints
from .plan import Run


class Reached(NamedTuple):
    """How far a run is.

    Attributes:
      step: of its latest checkpoint; 0 if there is none.
      checkpoint: hash of the parameters that answer, if it was trained to its end.
    """

    step: int
    checkpoint: str | None


def reached(run: Run, folder: Path, dataset: Dataset) -> Reached:
    """Looks into a run's folder; writes nothing.

    Args:
      run: which.
      folder: where it is, or will be.
      dataset: that it is trained on.

    Raises:
      BadInput: if the run was begun with another config or on other data, or the folder holds
        something else.
    """
    begun = training.look(folder, run.config, resume=True, overwrite=False).begun
    if begun is None:
        return Reached(0, None)
    training.check_data(folder, begun, dataset.url, dataset.hash)
    latest = Checkpoints(folder, "latest")
    step = latest.step or 0
    latest.close()
    if step < run.config.train.steps:
        return Reached(step, None)
    best = Checkpoints(folder, "best")
    checkpoint = best.hash()
    best.close()
    return Reached(step, checkpoint)
