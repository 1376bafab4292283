"""A model's whole folder: config, tensors and tokeniser."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from flax import traverse_util

from clrs_text_bench import storage
from clrs_text_bench.errors import BadInput, did_you_mean
from clrs_text_bench.tokenizer_json import FILE as TOKENIZER
from clrs_text_bench.tokenizer_json import TokenizerJson
from clrs_text_bench.tokenizers import Tokenizer

from ..config import TransformerConfig
from . import gpt_neox, shards

CONFIG = "config.json"
_MOST_BYTES = 5_000_000_000


@dataclass(frozen=True, slots=True)
class Read:
    """What a folder gave.

    Attributes:
      params: a tree of float32 arrays, as `Transformer` has it.
      left_out: names of the tensors that are no parameters, but follow from the config.
    """

    params: dict
    left_out: tuple[str, ...]

    @property
    def remark(self) -> str | None:
        """What the user should know of what was left out; None if nothing was."""
        if not self.left_out:
            return None
        return (
            f"left out {len(self.left_out)} of its tensors, such as {self.left_out[0]}: they are "
            f"no parameters, but follow from {CONFIG}"
        )


def model_of(folder: Path) -> dict[str, Any]:
    """Returns the settings of a `TransformerConfig` that a folder's model has.

    Raises:
      BadInput: if there is no such folder, or its `config.json` is damaged or of an architecture
        that this Transformer cannot be.
    """
    if shards.is_pickled(folder):
        raise shards.pickled(folder)
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder; name one with {CONFIG} and {shards.WHOLE}")
    where = folder / CONFIG
    values = shards.read_json(where)
    kind = values.get("model_type")
    if kind != gpt_neox.MODEL_TYPE:
        known = did_you_mean(str(kind), [gpt_neox.MODEL_TYPE])
        raise BadInput(f"{where} is of the unknown architecture {kind!r}{known}")
    found = gpt_neox.read_config(values, str(where))
    if (folder / TOKENIZER).exists():
        found["tokenizer"] = str(folder / TOKENIZER)
    return found


def read(folder: Path, config: TransformerConfig, vocab_size: int) -> Read:
    """Reads a folder's parameters.

    Args:
      folder: one whose `model_of` agrees with the config.
      config: of the model.
      vocab_size: rows of its embedding table.

    Raises:
      BadInput: if a tensor is missing, unknown, or of another shape, or the weights are pickled.
    """
    held, flat, known = shards.Shards(folder), {}, set()
    for tensor in gpt_neox.tensors(config, vocab_size):
        flat[tensor.path] = tensor.to_ours(held.read(tensor.name, tensor.shape))
        known.add(tensor.name)
    left_out = sorted(set(held) - known)
    for name in left_out:
        if not gpt_neox.is_buffer(name):
            raise BadInput(f"{folder} holds tensor {name}, which {CONFIG} has no place for")
    return Read(traverse_util.unflatten_dict(flat), tuple(left_out))


def write(
    folder: Path,
    config: TransformerConfig,
    params: dict,
    tokenizer: Tokenizer,
    *,
    most_bytes: int = _MOST_BYTES,
) -> None:
    """Writes a folder that `transformers.AutoModelForCausalLM` loads.

    Args:
      folder: is made; may be there if it is empty.
      config: of the model.
      params: a tree of arrays, as `Transformer` has it.
      tokenizer: of the model; is written if it came from a `tokenizer.json`.
      most_bytes: of the tensors of one file.

    Raises:
      BadInput: if the model is no GPT-NeoX, or the folder holds something or cannot be written.
    """
    flat = traverse_util.flatten_dict(params)
    vocab_size = flat["embedding", "embedding"].shape[0]
    values = gpt_neox.write_config(config, vocab_size)
    tensors = {
        t.name: t.to_theirs(np.asarray(flat[t.path], np.float32))
        for t in gpt_neox.tensors(config, vocab_size)
    }
    roles = {"bos_token_id": None, "eos_token_id": tokenizer.end_id}
    roles["pad_token_id"] = tokenizer.pad_id
    with storage.writing(str(folder)):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise BadInput(f"{folder} is there already; choose another --out")
        folder.mkdir(parents=True, exist_ok=True)
        shards.write(folder, tensors, most_bytes)
        if isinstance(tokenizer, TokenizerJson):
            storage.write_local(str(folder / TOKENIZER), tokenizer.as_used())
            shards.write_json(
                folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"}
            )
        shards.write_json(folder / "generation_config.json", roles)
        # Last: without it, what a killed process left behind is no model.
        shards.write_json(folder / CONFIG, {**values, **roles})
