"""The library's model and tokeniser. Weights are safetensors only, and no code comes with them."""

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers

from clrs_text_bench.errors import BadInput

from .. import prompting
from .options import Asked, Options


class Loaded(NamedTuple):
    """A model that is ready to answer.

    Attributes:
      place: as the user wrote it.
      options: how it is asked.
      model: the library's, in evaluation mode.
      tokenizer: the library's; pads on the left.
      prompt: the kind of prompt that was chosen.
      template: whether prompts go through the template for chats.
      hash: of its files, or the commit on the hub.
    """

    place: str
    options: Options
    model: Any
    tokenizer: Any
    prompt: str
    template: bool
    hash: str | None

    @property
    def room(self) -> int | None:
        """The most tokens of prompt and answer together; None where the model sets no limit."""
        return getattr(self.model.config.get_text_config(), "max_position_embeddings", None)


def load(asked: Asked) -> Loaded:
    """Loads a model.

    Raises:
      BadInput: if it is not there, is no causal language model that the library knows, or a chat is
        asked of one without a template.
    """
    options = asked.options
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            asked.place, revision=options.revision, padding_side="left", trust_remote_code=False
        )
        model = transformers.AutoModelForCausalLM.from_pretrained(
            asked.place,
            revision=options.revision,
            dtype=options.dtype,
            device_map="auto" if options.device == "map" else None,
            attn_implementation=options.attention,
            use_safetensors=True,
            trust_remote_code=False,
        )
        if options.device != "map":
            model = model.to(_device(options.device))
    except (OSError, ValueError, ImportError, RuntimeError, KeyError) as error:
        said = " ".join(str(error).split())[:300]
        raise BadInput(f"cannot load hf:{asked.place}: {said}") from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    prompt, template = _prompt(asked, tokenizer)
    commit = getattr(model.config, "_commit_hash", None)
    found = _digest(Path(asked.place)) if Path(asked.place).is_dir() else commit
    return Loaded(asked.place, options, model.eval(), tokenizer, prompt, template, found)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    return torch.device(name)


def _prompt(asked: Asked, tokenizer: Any) -> tuple[str, bool]:
    """Returns the kind of prompt, and whether it goes through the template."""
    options, has_template = asked.options, bool(tokenizer.chat_template)
    prompt = options.prompt or ("chat" if has_template else "plain")
    template = options.template
    if template is None:
        template = prompting.parse(prompt).kind == "chat"
    if template and not has_template:
        raise BadInput(
            f"hf:{asked.place} has no template for chats; use --prompt plain or few-shot:K, or the "
            "option template=false"
        )
    return prompt, template


def _digest(folder: Path) -> str:
    """Returns a hash of all that a folder's model follows from."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.json"), *folder.glob("*.safetensors")]):
        with open(path, "rb") as file:
            digest.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
