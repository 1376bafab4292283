"""A trained Transformer that answers questions."""

from pathlib import Path

from clrs_text_bench.errors import BadInput

from ..trained import TrainedModel
from ..training.compilation import cache_programs
from . import attention
from .config import TransformerConfig
from .runs import open_run
from .sampling import Sampling, split
from .trainable import TrainableTransformer


def load(argument: str) -> TrainedModel:
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
    settings = sampled_settings(run, found.config.model, trainable, sampling)
    return TrainedModel(trainable, found, checkpoint, {"use_hints": found.use_hints, **settings})


def sampled_settings(
    run: Path, model: TransformerConfig, trainable: TrainableTransformer, sampling: Sampling
) -> dict:
    """Returns whatever changes the answers of a run's Transformer besides its parameters.

    Raises:
      BadInput: if several draws of positions are asked for where there is but one.
    """
    if sampling.draws > 1 and model.positions.kind != "randomised":
        raise BadInput(
            f"run {run} has {model.positions.kind} positions, of which there is but one draw; "
            "leave draws out"
        )
    # Said only where there are any: results of before there were any stay comparable.
    hints = {} if model.index_hints == "none" else {"index_hints": model.index_hints}
    return {
        **hints,
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
    }
