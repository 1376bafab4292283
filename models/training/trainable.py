"""What the training loop asks of a model. The one place that knows all kinds of them."""

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .config import TrainingConfig

if TYPE_CHECKING:
    import jax
    import pyarrow as pa
    from flax import nnx
    from rich.progress import Progress

    from .stage import Stage

Params = Any
Batch = dict[str, np.ndarray]


class Examples(Protocol):
    """Rows made ready for training."""

    shapes: Sequence[Hashable]
    """For each row what the shapes of its arrays follow from; a batch holds rows of one of them."""

    def batch(self, rows: np.ndarray, visit: int) -> Batch:
        """Returns rows of one shape as arrays whose first axis is `len(rows)`.

        Args:
          rows: places of the rows.
          visit: whatever is drawn anew at each visit of a row follows from it.
        """

    def tokens(self, rows: np.ndarray) -> int:
        """Returns how many tokens of work these rows are, without padding, for rates."""


class Trainable(Protocol):
    """A model whose parameters the loop can train."""

    columns: tuple[str, ...]
    """Columns of `schema.DATASET` that `encode` reads, "question" among them."""

    block: int
    """Batches' worth of rows that are grouped by shape at once. Each shape fills half a batch up on
    average."""

    stage: "Stage | None"
    """What is made of a batch before its loss, in programs of its own; None if nothing is."""

    def record(self) -> dict[str, Any]:
        """Returns what a checkpoint must agree with to be read by this code, as JSON values."""

    def files(self) -> dict[str, bytes]:
        """Returns the files, by name, that a run needs besides its checkpoints to answer."""

    def init(self) -> Params:
        """Returns the initial parameters, a tree of float32 arrays."""

    def shapes(self) -> Params:
        """Returns the shapes and types of the parameters, without making any."""

    def scales(self) -> Params | None:
        """Returns each parameter's share of the learning rate, 0 if it is not trained.

        None if all learn alike.
        """

    def watched(self, params: Params) -> dict[str, float]:
        """Returns numbers by name to be logged over training; none if there is nothing to watch."""

    def encode(self, table: "pa.Table") -> Examples:
        """Makes rows with `columns` ready; raises `BadInput` on rows that do not fit."""

    @property
    def reader(self) -> "Callable[[pa.Table], Any] | None":
        """That part of `encode` which needs no device, for another process; None if none does."""

    def ready(self, table: "pa.Table", read: Any) -> Examples:
        """Returns what `encode` does, of rows that `reader` has read."""

    def loss(self, params: Params, batch: Batch) -> "tuple[jax.Array, jax.Array]":
        """Returns the sum of a batch's losses and the sum of their weights.

        The loss of a batch is the one divided by the other, and so it is however the batch is cut
        into parts. Is traced by `jax.jit`.
        """

    def answer(self, params: Params, requests: "pa.Table") -> "pa.Table":
        """Answers rows; see `protocols.Model.generate`."""


class Tutor(Protocol):
    """What a step needs of another model, whose parameters are none of the step's."""

    def complete(self, batch: "dict[str, jax.Array]") -> "dict[str, jax.Array]":
        """Returns a batch that lies on devices with what the step needs besides."""

    def noted(self) -> dict[str, float]:
        """Returns what is to be logged of the batches since it was asked before."""

    def show_on(self, bar: "Progress") -> None:
        """Shows on a bar, from now on, what takes long."""

    def close(self) -> None:
        """Ends what goes on in the feed's thread as soon as may be."""


def module_state(shapes: "nnx.State", params: Params) -> "nnx.State":
    """Returns a tree of plain dicts as the state of a module of these shapes."""
    import jax
    from flax import nnx

    state = jax.tree.map(lambda x: x, shapes)
    nnx.replace_by_pure_dict(state, params)
    return state


def build(config: TrainingConfig) -> Trainable:
    """Returns the trainable that a config describes.

    Raises:
      BadInput: if what the config names is not there.
    """
    if config.model.kind == "transnar":
        from ..transnar.reasoner import of_run
        from ..transnar.trainable import TrainableTransNar

        reasoner = of_run(config.model.nar, config.train.seed)
        return TrainableTransNar(
            config.model, reasoner, seed=config.train.seed, loss=config.train.loss
        )
    if config.model.kind == "nar":
        from ..nar.trainable import TrainableNar

        return TrainableNar(config.model, seed=config.train.seed)
    from ..transformer.trainable import TrainableTransformer

    return TrainableTransformer(config.model, seed=config.train.seed, loss=config.train.loss)
