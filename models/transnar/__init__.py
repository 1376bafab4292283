"""TransNAR: `transnar:RUN` answers with a Transformer that reads a reasoner's latents."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .trained import TrainedTransNar

__all__ = ["load"]


def load(argument: str) -> "TrainedTransNar":
    """Loads the TransNAR of a run; see `model.load`."""
    from . import model

    return model.load(argument)
