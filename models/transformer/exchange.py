"""Runs of weights that were trained elsewhere, and weights of runs for elsewhere."""

from pathlib import Path

from clrs_text_bench import tokenizer_json, validation
from clrs_text_bench.errors import BadInput

from ..training import imported
from ..training.config import TrainingConfig
from . import huggingface
from .config import TransformerConfig
from .runs import open_run
from .trainable import TrainableTransformer


def import_folder(folder: Path, run: Path) -> str | None:
    """Makes a run of a Hugging Face folder; it can be evaluated, and be the `init` of others.

    Returns:
      What the user should know of tensors that were left out; None if none were.

    Raises:
      BadInput: if the folder cannot be read, or `run` holds something.
    """
    imported.check_free(run)
    found = huggingface.model_of(folder)
    if "tokenizer" not in found:
        raise BadInput(f"{folder} holds no {tokenizer_json.FILE}, which the text is spelt with")
    model = validation.build(TransformerConfig, found, f"{folder / huggingface.CONFIG}")
    trainable = TrainableTransformer(model, seed=0, loss="answer")
    weights = huggingface.read(folder, model, trainable.vocab_size)
    config = TrainingConfig(name=folder.resolve().name, model=model)
    imported.write(run, config, trainable, folder, weights.params)
    return weights.remark


def export_run(run: Path, folder: Path) -> bool:
    """Writes the best checkpoint of a run as a Hugging Face folder.

    Returns:
      Whether the tokeniser could be written, too.

    Raises:
      BadInput: if there is no such run, it is no GPT-NeoX or reads index hints, or the folder
        holds something.
    """
    opened = open_run(run)
    trainable = opened.trainable
    if trainable.config.index_hints != "none":
        raise BadInput(
            f"run {run} reads index hints (model.index_hints), which transformers cannot give it; "
            "a run without them can be exported"
        )
    huggingface.write(folder, trainable.config, opened.checkpoint.state, trainable.tokenizer)
    return bool(trainable.files())
