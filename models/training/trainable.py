"""What the training loop asks of a model. The one place that knows all kinds of them."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .config import TrainingConfig

if TYPE_CHECKING:
    import jax
    import pyarrow as pa

Params = Any
Batch = dict[str, np.ndarray]


class Examples(Protocol):
    """Rows made ready for training, in buckets of one array shape each."""

    buckets: Sequence[np.ndarray]
    """For each bucket the examples that are in it; none is empty."""

    def batch(self, bucket: int, rows: np.ndarray, step: int) -> Batch:
        """Returns examples of a bucket as arrays whose shapes depend on the bucket alone.

        Args:
          bucket: place of the bucket.
          rows: places of examples within it.
          step: number of the step; whatever is drawn anew at each visit follows from it.
        """

    def tokens(self, bucket: int, rows: np.ndarray) -> int:
        """Returns how many tokens of work these examples are, for rates."""


class Trainable(Protocol):
    """A model whose parameters the loop can train."""

    def record(self) -> dict[str, Any]:
        """Returns what a checkpoint must agree with to be read by this code, as JSON values."""

    def init(self) -> Params:
        """Returns the initial parameters, a tree of float32 arrays."""

    def encode(self, tables: "Iterable[pa.Table]") -> Examples:
        """Makes rows in `schema.DATASET` ready; raises `BadInput` on rows that do not fit."""

    def loss(self, params: Params, batch: Batch) -> "jax.Array":
        """Returns the mean loss of a batch; is traced by `jax.jit`."""

    def answer(self, params: Params, requests: "pa.Table") -> "pa.Table":
        """Answers rows; see `protocols.Model.generate`."""


def build(config: TrainingConfig) -> Trainable:
    """Returns the trainable that a config describes."""
    from ..transformer.trainable import TrainableTransformer

    return TrainableTransformer(config.model, seed=config.train.seed, loss=config.train.loss)
