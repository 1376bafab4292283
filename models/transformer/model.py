"""A trained Transformer that answers questions."""

from pathlib import Path

import jax
import pyarrow as pa

from clrs_text_bench.datasets import Dataset
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import ModelInfo

from ..training.checkpoint import Checkpoint, tree_hash
from ..training.compilation import cache_programs
from ..training.record import RunRecord
from . import attention
from .runs import open_run
from .sampling import Sampling, split
from .trainable import TrainableTransformer


class TransformerModel:
    """See `protocols.Model`."""

    def __init__(self, trainable: TrainableTransformer, params: dict, info: ModelInfo) -> None:
        self._trainable = trainable
        self._params = params
        self._info = info

    def prepare(self, dataset: Dataset) -> None:
        """Needs nothing of the data set."""

    def info(self) -> ModelInfo:
        """Returns who answers."""
        return self._info

    def generate(self, requests: pa.Table) -> pa.Table:
        """Answers rows.

        A question that fills the context gets an empty answer with finish_reason "length".
        """
        return self._trainable.answer(self._params, requests)


def load(argument: str) -> TransformerModel:
    """Loads the best checkpoint of a training run.

    Args:
      argument: the run's folder, and after `?` how to sample: `runs/a?temperature=0.7&seed=1`
        (see `sampling.Sampling`). Greedy if left out.

    Raises:
      BadInput: if an option is wrong, there is no such run, it has no checkpoint yet, its
        checkpoint is cut short, or it is of another model or another tokeniser.
    """
    if not argument:
        raise BadInput("transformer needs a run, such as transformer:runs/a")
    folder, sampling = split(argument)
    run = Path(folder)
    cache_programs()
    found, trainable, checkpoint = open_run(run, sampling)
    kind = found.config.model.positions.kind
    if sampling.draws > 1 and kind != "randomised":
        raise BadInput(
            f"run {run} has {kind} positions, of which there is but one draw; leave draws out"
        )
    return TransformerModel(
        trainable, checkpoint.state, _info(found, trainable, checkpoint, sampling)
    )


def _info(
    found: RunRecord,
    trainable: TrainableTransformer,
    checkpoint: Checkpoint,
    sampling: Sampling,
) -> ModelInfo:
    model = found.config.model
    return ModelInfo(
        name=found.config.label,
        n_parameters=sum(x.size for x in jax.tree.leaves(checkpoint.state)),
        train_lengths=found.train_lengths or None,
        train_algorithms=found.train_algorithms or None,
        train_seed=found.config.train.seed,
        checkpoint=tree_hash(checkpoint.state),
        settings={
            "step": checkpoint.step,
            "use_hints": found.use_hints,
            "tokenizer": trainable.tokenizer.name,
            "positions": model.positions.kind,
            "context": model.context,
            "max_answer": model.max_answer,
            "dtype": model.dtype,
            "decoding": "sampled" if sampling.temperature else "greedy",
            "temperature": sampling.temperature,
            "sampling_seed": sampling.seed,
            "position_draws": sampling.draws,
            "batch_size": trainable.decoder.batch,
            "attention": attention.kernel(),
            "device": jax.devices()[0].device_kind,
        },
    )
