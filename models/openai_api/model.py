"""The model: prompts out, answers in, each paid for once."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa

from clrs_text_bench.datasets import Dataset
from clrs_text_bench.protocols import Account, ModelInfo, Preview

from .. import prompting
from ..rows import predictions
from . import body, cache
from .asking import Asked, Asking
from .cache import Kept
from .client import Client
from .options import Served
from .pace import Pace


class ServedModel:
    """See `protocols.AskingModel`."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._prompter = prompting.Prompter(prompting.parse(served.options.prompt))
        self._pace = Pace(served.options.per_minute)
        self._asking = Asking()

    def prepare(self, dataset: Dataset) -> None:
        """Looks for the shots, if any are wanted; see `prompting.Prompter.prepare`."""
        self._prompter.prepare(dataset)

    def info(self) -> ModelInfo:
        """Returns who answers; its settings are all that decides an answer."""
        options = self._served.options
        settings = {
            "url": self._served.url,
            "endpoint": "chat" if options.asks_chat() else "completions",
            "revision": options.revision,
            "prompt": options.prompt,
            "prompt_version": prompting.VERSION,
            "adapter_version": cache.ADAPTER_VERSION,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "seed": options.seed,
            "max_tokens": options.max_tokens,
            "limit": options.limit,
            "reasoning_effort": options.reasoning_effort,
            "stop": options.stops(),
        }
        known = {name: value for name, value in settings.items() if value is not None}
        return ModelInfo(self._served.model, settings=known)

    def preview(self, requests: pa.Table) -> list[Preview]:
        """Returns what would be asked; asks nothing."""
        prompts = self._prompter.prompts(requests)
        asked = [self._asked(prompt) for prompt in prompts]
        with cache.opened(cache.folder(self._served.options.cache)) as kept:
            return [
                Preview(_shown(prompt, self._served), kept.find(one.key) is not None)
                for prompt, one in zip(prompts, asked, strict=True)
            ]

    def generate(self, requests: pa.Table) -> pa.Table:
        """Answers rows; see `ask`."""
        return self.ask(requests, lambda _: None)

    def ask(self, requests: pa.Table, advance: Callable[[int], None]) -> pa.Table:
        """Answers rows: those that were never answered are asked for, all others looked up.

        Rows with the same prompt are asked once. See `protocols.AskingModel.ask`.
        """
        asked = [self._asked(prompt) for prompt in self._prompter.prompts(requests)]
        client = Client(self._served, self._pace)
        with cache.opened(cache.folder(self._served.options.cache)) as kept:
            concurrency = self._served.options.concurrency
            found = _run(self._asking.answers(asked, client, kept, concurrency, advance))
        return _predictions(requests, [found.get(one.key) for one in asked])

    def account(self) -> Account:
        """Returns what all calls of `ask` came to."""
        return self._asking.account()

    def _asked(self, prompt: prompting.Prompt) -> Asked:
        asked = body.request(self._served, prompt)
        revision = self._served.options.revision
        return Asked(cache.key(body.path(self._served), revision, asked), asked)


def _shown(prompt: prompting.Prompt, served: Served) -> str:
    if not served.options.asks_chat():
        return prompt.text()
    return "\n".join(f"[{turn['role']}]\n{turn['content']}" for turn in prompt.messages())


def _run(work: Coroutine[Any, Any, dict[bytes, Kept]]) -> dict[bytes, Kept]:
    """Runs to the end, also where an event loop runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as other:
        return other.submit(asyncio.run, work).result()


def _predictions(requests: pa.Table, answers: list[Kept | None]) -> pa.Table:
    return predictions(
        requests,
        [one.reply.text if one else "" for one in answers],
        [one.reply.finish_reason if one else "error" for one in answers],
        [one.reply.answer_tokens if one else None for one in answers],
        [one.seconds if one else None for one in answers],
        prompt_tokens=[one.reply.prompt_tokens if one else None for one in answers],
    )
