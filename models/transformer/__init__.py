"""The Transformer: `transformer:RUN` answers with the best checkpoint of a training run."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import TransformerModel

__all__ = ["load"]


def load(argument: str) -> "TransformerModel":
    """Loads the Transformer of a run; see `model.load`."""
    from . import model

    return model.load(argument)
