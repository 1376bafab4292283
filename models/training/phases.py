"""What is trained before a run itself, in a folder of it: the reasoner that a TransNAR reads."""

from pathlib import Path
from typing import NamedTuple

from clrs_text_bench.errors import BadInput

from . import config as configs
from .config import TrainingConfig

FOLDER = "nar"


class Phase(NamedTuple):
    """A training of its own.

    Attributes:
      config: of it.
      data: what it is trained on.
      run: its folder.
    """

    config: TrainingConfig
    data: str
    run: Path


def before(config: TrainingConfig, data: str, run: Path) -> Phase | None:
    """Returns what is to be trained before a run; None if nothing is.

    Args:
      config: of the run. The reasoner's seed is the run's, unless overridden.
      data: of the run, on which the reasoner is trained too, unless its config names other data.
      run: the run's folder.

    Raises:
      BadInput: if the config names none that is a reasoner's.
    """
    if config.model.kind != "transnar" or config.model.nar.config is None:
        return None
    source = config.model.nar
    found = configs.load(source.config, (f"train.seed={config.train.seed}", *source.overrides))
    if found.model.kind != "nar":
        raise BadInput(f"model.nar.config {source.config} is of a {found.model.kind}, not of a nar")
    return Phase(found, source.data or data, run / FOLDER)


def settled(config: TrainingConfig, phase: Phase | None) -> TrainingConfig:
    """Returns a run's config with what was trained before it in its place."""
    if phase is None:
        return config
    nar = config.model.nar.model_copy(update={"run": str(phase.run)})
    return config.model_copy(update={"model": config.model.model_copy(update={"nar": nar})})
