"""A training run that answers: its trainable with the parameters of its best checkpoint."""

import jax
import pyarrow as pa

from clrs_text_bench.datasets import Dataset
from clrs_text_bench.protocols import ModelInfo

from .training.checkpoint import Checkpoint, tree_hash
from .training.record import RunRecord
from .training.trainable import Trainable


class TrainedModel:
    """See `protocols.Model`."""

    def __init__(
        self, trainable: Trainable, record: RunRecord, checkpoint: Checkpoint, settings: dict
    ) -> None:
        """Puts a model together.

        Args:
          trainable: how it answers.
          record: of the run.
          checkpoint: its parameters.
          settings: whatever else changes its answers.
        """
        self.trainable = trainable
        self.params = checkpoint.state
        self._info = ModelInfo(
            name=record.config.label,
            n_parameters=sum(x.size for x in jax.tree.leaves(checkpoint.state)),
            train_lengths=record.train_lengths or None,
            train_algorithms=record.train_algorithms or None,
            train_seed=record.config.train.seed,
            checkpoint=tree_hash(checkpoint.state),
            settings={
                "step": checkpoint.step,
                **settings,
                "device": jax.devices()[0].device_kind,
            },
        )

    def prepare(self, dataset: Dataset) -> None:
        """Needs nothing of the data set."""

    def info(self) -> ModelInfo:
        """Returns who answers."""
        return self._info

    def generate(self, requests: pa.Table) -> pa.Table:
        """Answers rows; see the trainable's `answer`."""
        return self.trainable.answer(self.params, requests)
