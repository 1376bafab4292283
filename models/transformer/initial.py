"""Initial parameters that come from somewhere: a Hugging Face folder, or a trained run."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from clrs_text_bench import terminal, tokenizer_json, tokenizers
from clrs_text_bench.errors import BadInput
from clrs_text_bench.tokenizers import Tokenizer

from ..training import checkpoint, record
from . import huggingface, spelling
from .config import TransformerConfig

# What parameters mean; all else (context, kind of positions, dtype, ...) may be another.
_MEANING = (
    *("hidden_dim", "num_layers", "num_heads", "expansion", "vocab_size"),
    *("norm", "norm_epsilon", "activation", "bias", "parallel_residual"),
    *("tie_embeddings", "scale_embeddings", "positions.base", "positions.share"),
)


def read(config: TransformerConfig, tokenizer: Tokenizer, vocab_size: int, shapes: Any) -> dict:
    """Returns the parameters that `config.init` names.

    Args:
      config: of the model.
      tokenizer: of the model.
      vocab_size: rows of its embedding table.
      shapes: shapes and types of its parameters.

    Raises:
      BadInput: if they are of another architecture or tokeniser, or cannot be read.
    """
    folder = Path(config.init)
    if (folder / record.FILE).exists():
        return _of_run(folder, config, tokenizer, vocab_size, shapes)
    _compare(folder, huggingface.model_of(folder), config, vocab_size)
    _compare_tokenizer(folder, config, tokenizer)
    found = huggingface.read(folder, config, vocab_size)
    if found.remark:
        terminal.log().print(found.remark, soft_wrap=True)
    return jax.tree.map(jnp.asarray, found.params)


def _of_run(
    run: Path, config: TransformerConfig, tokenizer: Tokenizer, vocab_size: int, shapes: Any
) -> dict:
    found = record.read(run)
    if found.model.get("vocabulary") != tokenizer.fingerprint:
        raise BadInput(
            f"model.init {run} was trained with another tokeniser, {found.config.model.tokenizer}; "
            "name that as model.tokenizer"
        )
    theirs = found.config.model.model_dump()
    # Left out, it is the tokeniser's, which is the same, and the index hints'.
    theirs["vocab_size"] = theirs["vocab_size"] or spelling.vocab_size(
        found.config.model, tokenizer
    )
    _compare(run, theirs, config, vocab_size)
    return checkpoint.best(run, shapes).state


def _compare(folder: Path, theirs: dict, config: TransformerConfig, vocab_size: int) -> None:
    ours = {**config.model_dump(), "vocab_size": vocab_size}
    for key in _MEANING:
        here, there = _at(ours, key), _at(theirs, key)
        if here != there:
            raise BadInput(f"model.init {folder} has {key} {there}, and the config has {here}")


def _at(values: dict, key: str) -> Any:
    for part in key.split("."):
        values = values[part]
    return values


def _compare_tokenizer(folder: Path, config: TransformerConfig, tokenizer: Tokenizer) -> None:
    path = folder / tokenizer_json.FILE
    if not path.exists():
        return
    theirs = tokenizers.get(str(path), split_digits=config.split_digits)
    if theirs.fingerprint != tokenizer.fingerprint:
        raise BadInput(
            f"model.init {folder} has a tokeniser of its own, and model.tokenizer is "
            f"{config.tokenizer}; name {path}"
        )
