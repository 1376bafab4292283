"""What follows `openai:` in a model spec: which model, where, and how it is asked."""

import re
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from clrs_text_bench.errors import BadInput

from .. import prompting, spec_options

_EXAMPLE = "?prompt=few-shot:3&temperature=0.7&concurrency=16"
_PLACE = re.compile(r"(?P<model>.+?)@(?P<url>https?://[^@\s]+)")


def _number_or_none(value: object) -> object:
    return None if value == prompting.NONE else value


_Temperature = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Options(BaseModel):
    """How a server is asked.

    Attributes:
      prompt: how a question is put; see `prompting`.
      endpoint: "chat" or "completions"; left out, chat for the prompt chat, else completions.
      temperature: "none" leaves it to the server.
      top_p: left out, the server's.
      seed: of the server's sampling; left out, none.
      max_tokens: most tokens of an answer.
      limit: what the server calls that.
      reasoning_effort: left out, the server's.
      stop: where an answer ends, beside its own end; "none" for nowhere. Left out, at a blank line
        in completions, whose answers in the data sets end so, and nowhere in chat.
      revision: your name for the model's weights, where they change under one name.
      concurrency: requests that are under way at a time.
      per_minute: requests that are begun in a minute, at most.
      timeout: seconds that a request may take.
      retries: how often a request is sent again.
      key: name of the environment variable that holds the key.
      cache: folder of the answers that were paid for; left out, in the user's cache.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: prompting.Asked = "chat"
    endpoint: Literal["chat", "completions"] | None = None
    temperature: Annotated[_Temperature | None, BeforeValidator(_number_or_none)] = 0.0
    top_p: float | None = Field(None, gt=0, le=1)
    seed: int | None = None
    max_tokens: int = Field(2048, ge=1)
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    reasoning_effort: str | None = None
    stop: str | None = None
    revision: str | None = None
    concurrency: int = Field(8, ge=1, le=1024)
    per_minute: float | None = Field(None, gt=0)
    timeout: float = Field(300.0, gt=0)
    retries: int = Field(6, ge=0, le=100)
    key: str = Field("OPENAI_API_KEY", min_length=1)
    cache: str | None = Field(None, min_length=1)

    def asks_chat(self) -> bool:
        """Returns whether the chat endpoint is asked."""
        return (self.endpoint or ("chat" if self.prompt == "chat" else "completions")) == "chat"

    def stops(self) -> str | None:
        """Returns where an answer ends, beside its own end."""
        return prompting.stop(self.stop, chat=self.asks_chat())


class Served(NamedTuple):
    """A model on a server.

    Attributes:
      model: what the server calls it.
      url: of the API, such as https://host/v1.
      options: how it is asked.
    """

    model: str
    url: str
    options: Options


def parse(argument: str) -> Served:
    """Reads what follows `openai:`.

    Raises:
      BadInput: if it names no model and URL, or an option is unknown or has a wrong value. A key
        in the URL is refused, and not repeated.
    """
    place, options = spec_options.split(argument, Options, _EXAMPLE)
    if re.search(r"https?://[^/]*@", place):
        raise BadInput(
            "the URL of openai: holds a user name or key; leave it out, and put the key in the "
            "environment variable OPENAI_API_KEY"
        )
    found = _PLACE.fullmatch(place)
    if found is None:
        raise BadInput(
            f"model openai:{place} is not of the form openai:MODEL@URL, such as "
            "openai:my-model@http://localhost:8000/v1"
        )
    return Served(found["model"], found["url"].rstrip("/"), options)
