"""The model: prompts in batches of like length, answered greedily."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pyarrow as pa
import torch

from clrs_text_bench.datasets import Dataset
from clrs_text_bench.errors import RunFailed
from clrs_text_bench.protocols import Account, ModelInfo, Preview, Usage

from .. import prompting
from ..rows import predictions
from .batching import batch_size
from .loading import Loaded
from .stopping import StopText


class _Answer(NamedTuple):
    """An answer, or none where the prompt leaves no room for one, and none is read."""

    text: str
    finish_reason: str
    tokens: int
    seconds: float
    prompt_tokens: int


class HuggingFaceModel:
    """See `protocols.AskingModel`."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._stop = loaded.options.stops(template=loaded.template)
        self._batch = loaded.options.batch_size or batch_size(loaded)
        self._prompter = prompting.Prompter(prompting.parse(loaded.prompt))
        self._ends = _ends(loaded.model)
        self._asked = Usage()

    def prepare(self, dataset: Dataset) -> None:
        """Looks for the shots, if any are wanted; see `prompting.Prompter.prepare`."""
        self._prompter.prepare(dataset)

    def info(self) -> ModelInfo:
        """Returns who answers; its settings are all that decides an answer."""
        model, options = self._loaded.model, self._loaded.options
        settings = {
            "prompt": self._loaded.prompt,
            "prompt_version": prompting.VERSION,
            "template": self._loaded.template,
            "max_tokens": options.max_tokens,
            "stop": self._stop,
            "dtype": str(model.dtype).removeprefix("torch."),
            "attention": model.config._attn_implementation,
            # Rounding depends on it, and so, in few bits, may an answer.
            "batch_size": self._batch,
            "device": model.device.type,
        }
        return ModelInfo(
            self._loaded.place.rstrip("/").rpartition("/")[2],
            n_parameters=sum(p.numel() for p in model.parameters()),
            checkpoint=self._loaded.hash,
            settings={name: value for name, value in settings.items() if value is not None},
        )

    def preview(self, requests: pa.Table) -> list[Preview]:
        """Returns what would be asked; asks nothing."""
        prompts = self._prompter.prompts(requests)
        return [Preview(self._shown(prompt), False) for prompt in prompts]

    def generate(self, requests: pa.Table) -> pa.Table:
        """Answers rows; see `ask`."""
        return self.ask(requests, lambda _: None)

    def ask(self, requests: pa.Table, advance: Callable[[int], None]) -> pa.Table:
        """Answers rows; see `protocols.AskingModel.ask`.

        A prompt that leaves no room for an answer gets none, and finish_reason "length".
        """
        prompts = [self._encoded(prompt) for prompt in self._prompter.prompts(requests)]
        found = [_Answer("", "length", 0, 0.0, 0)] * len(prompts)
        room = self._loaded.room
        fit = [i for i, p in enumerate(prompts) if room is None or len(p) < room]
        advance(len(prompts) - len(fit))
        fit.sort(
            key=lambda i: -len(prompts[i])
        )  # the largest first: too large a batch shows at once
        for start in range(0, len(fit), self._batch):
            places = fit[start : start + self._batch]
            answers = self._answered([prompts[i] for i in places])
            for i, answer in zip(places, answers, strict=True):
                found[i] = answer
                self._count(answer)
            advance(len(places))
        *columns, prompt_tokens = (list(column) for column in zip(*found, strict=True))
        return predictions(requests, *columns, prompt_tokens=prompt_tokens)

    def account(self) -> Account:
        """Returns what all calls of `ask` came to."""
        return Account(self._asked, Usage(), 0, {}, (self._loaded.place,))

    def _count(self, answer: _Answer) -> None:
        before = self._asked
        self._asked = Usage(
            before.answers + 1,
            before.prompt_tokens + answer.prompt_tokens,
            before.answer_tokens + answer.tokens,
        )

    def _shown(self, prompt: prompting.Prompt) -> str:
        if not self._loaded.template:
            return prompt.text()
        return self._loaded.tokenizer.apply_chat_template(
            prompt.messages(), tokenize=False, add_generation_prompt=True
        )

    def _encoded(self, prompt: prompting.Prompt) -> list[int]:
        # A template writes the special tokens itself.
        special = not self._loaded.template
        return self._loaded.tokenizer.encode(self._shown(prompt), add_special_tokens=special)

    def _answered(self, prompts: list[list[int]]) -> list[_Answer]:
        """Answers a batch."""
        loaded, began = self._loaded, time.perf_counter()
        device = loaded.model.get_input_embeddings().weight.device
        batch = loaded.tokenizer.pad({"input_ids": prompts}, return_tensors="pt").to(device)
        width = batch["input_ids"].shape[1]
        most = loaded.options.max_tokens
        if loaded.room is not None:
            most = min(most, loaded.room - width)
        try:
            with torch.inference_mode():
                made = loaded.model.generate(**batch, **self._how(width, most))[:, width:]
        except torch.OutOfMemoryError as error:
            raise RunFailed(
                f"{len(prompts)} rows at a time do not fit the device's memory; add the option "
                f"batch_size={max(1, len(prompts) // 2)} to the model's spec"
            ) from error
        each = (time.perf_counter() - began) / len(prompts)
        return [
            self._read(tokens.tolist(), each, len(prompt))
            for tokens, prompt in zip(made, prompts, strict=True)
        ]

    def _how(self, width: int, most: int) -> dict[str, Any]:
        """Returns what the library is told: greedily, whatever the model's own defaults."""
        how = {
            "max_new_tokens": most,
            "do_sample": False,
            "temperature": None,
            "top_p": None,
            "top_k": None,
            "num_beams": 1,
            "repetition_penalty": 1.0,
            "pad_token_id": self._loaded.tokenizer.pad_token_id,
        }
        if self._stop is not None:
            how["stopping_criteria"] = [StopText(self._loaded.tokenizer, self._stop, width)]
        return how

    def _read(self, tokens: list[int], seconds: float, prompt_tokens: int) -> _Answer:
        """Reads an answer off its tokens, up to its end."""
        ends = [i for i, token in enumerate(tokens) if token in self._ends]
        kept = tokens[: ends[0]] if ends else tokens
        text = self._loaded.tokenizer.decode(kept, skip_special_tokens=True)
        stopped = self._stop is not None and self._stop in text
        if stopped:
            text = text.partition(self._stop)[0]
            kept = _without_filling(kept, self._loaded.tokenizer.pad_token_id)
        reason = "stop" if ends or stopped else "length"
        return _Answer(text, reason, len(kept), seconds, prompt_tokens)


def _ends(model: Any) -> set[int]:
    """Returns the tokens that end an answer."""
    ends = model.generation_config.eos_token_id
    return set() if ends is None else set(ends if isinstance(ends, list) else [ends])


def _without_filling(tokens: list[int], pad: int) -> list[int]:
    """Returns tokens without what a row that has ended is filled up with."""
    while tokens and tokens[-1] == pad:
        tokens = tokens[:-1]
    return tokens
