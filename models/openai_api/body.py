"""The bodies of the API: what is asked, and what a reply says.

Source: OpenAI's API reference, "Completions" and "Chat completions"; vLLM, llama.cpp and
`transformers serve` speak the same.
"""

import json
from typing import Any, NamedTuple

from ..prompting import Prompt
from .options import Served


class Reply(NamedTuple):
    """An answer as a server gave it.

    Attributes:
      text: the answer.
      finish_reason: "stop" or "length".
      prompt_tokens: as the server counted them; None if it did not.
      answer_tokens: likewise.
      model: what answered, as it calls itself; "" if it does not.
    """

    text: str
    finish_reason: str
    prompt_tokens: int | None
    answer_tokens: int | None
    model: str


class Malformed(ValueError):
    """A reply is not one that the API knows; the message says how."""


def path(served: Served) -> str:
    """Returns the URL of the endpoint that is asked."""
    return served.url + ("/chat/completions" if served.options.asks_chat() else "/completions")


def request(served: Served, prompt: Prompt) -> dict[str, Any]:
    """Returns what is sent for a prompt; all that decides the answer, but for the URL."""
    options = served.options
    asked = {"messages": prompt.messages()} if options.asks_chat() else {"prompt": prompt.text()}
    settings = {
        "temperature": options.temperature,
        "top_p": options.top_p,
        "seed": options.seed,
        options.limit: options.max_tokens,
        "reasoning_effort": options.reasoning_effort,
        "stop": options.stops(),
    }
    return {"model": served.model} | asked | {k: v for k, v in settings.items() if v is not None}


def read(data: bytes, *, chat: bool) -> Reply:
    """Reads a reply.

    Raises:
      Malformed: if it is no JSON, or not what the endpoint returns.
    """
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        raise Malformed("the reply is no whole JSON") from None
    choices = values.get("choices") if isinstance(values, dict) else None
    if not isinstance(choices, list):
        raise Malformed("the reply has no choices")
    if len(choices) != 1:
        raise Malformed(f"the reply has {len(choices)} choices, expected 1")
    (choice,) = choices
    usage = values.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    named = values.get("model")
    return Reply(
        _text(choice, chat),
        "length" if choice.get("finish_reason") == "length" else "stop",
        _count(counts.get("prompt_tokens")),
        _count(counts.get("completion_tokens")),
        _clean(named)[:100] if isinstance(named, str) else "",
    )


def _text(choice: object, chat: bool) -> str:
    """Returns a choice's text; an answer that ran out before it began is empty."""
    if not isinstance(choice, dict):
        raise Malformed("the reply's choice is no object")
    holder = choice.get("message") if chat else choice
    if not isinstance(holder, dict):
        raise Malformed("the reply's choice has no message")
    text = holder.get("content" if chat else "text")
    if text is None and chat:
        text = ""
    if not isinstance(text, str):
        raise Malformed("the reply's choice has no text")
    return _clean(text)


def _clean(text: str) -> str:
    # JSON can spell lone surrogates, which are no text.
    return text.encode("utf-8", "replace").decode()


def _count(value: object) -> int | None:
    sensible = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    return value if sensible else None
