"""The neural algorithmic reasoner: `nar:RUN` executes a row's graph and writes down the answer."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..trained import TrainedModel

__all__ = ["load"]


def load(argument: str) -> "TrainedModel":
    """Loads the reasoner of a run; see `model.load`."""
    from . import model

    return model.load(argument)
