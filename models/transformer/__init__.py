"""The Transformer: `transformer:RUN` answers with the best checkpoint of a training run."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..trained import TrainedModel

__all__ = ["load"]


def load(argument: str) -> "TrainedModel":
    """Loads the Transformer of a run; see `model.load`."""
    from . import model

    return model.load(argument)
