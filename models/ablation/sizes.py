"""How many parameters a config's model has, and how many of them are trained."""

from typing import NamedTuple

import jax

from ..training.config import TrainingConfig
from ..training.trainable import Trainable, build


class Size(NamedTuple):
    """Numbers of parameters."""

    parameters: int
    trained: int


def of(config: TrainingConfig) -> Size:
    """Counts the parameters of a model, of which none is made or read.

    Raises:
      BadInput: if a reasoner that it reads is not there.
    """
    trainable = _shaped(config)
    counts = [x.size for x in jax.tree.leaves(trainable.shapes())]
    scales = trainable.scales()
    if scales is None:
        return Size(sum(counts), sum(counts))
    learns = [scale > 0 for scale in jax.tree.leaves(scales)]
    return Size(sum(counts), sum(n for n, yes in zip(counts, learns, strict=True) if yes))


def _shaped(config: TrainingConfig) -> Trainable:
    if config.model.kind != "transnar":
        return build(config)
    from ..transnar.reasoner import unloaded
    from ..transnar.trainable import TrainableTransNar

    reasoner = unloaded(config.model.nar)
    return TrainableTransNar(config.model, reasoner, seed=0, loss=config.train.loss)
