"""What follows `hf:` in a model spec: which model, and how it is asked."""

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from clrs_text_bench.errors import BadInput

from .. import prompting, spec_options

_EXAMPLE = "?prompt=few-shot:3&dtype=bfloat16&batch_size=16"


class Options(BaseModel):
    """How a model is asked. It answers greedily.

    Attributes:
      prompt: how a question is put; see `prompting`. Left out, chat if the model has a template for
        chats, else plain.
      template: whether the prompt goes through that template; left out, in chat.
      max_tokens: most tokens of an answer.
      stop: where an answer ends, beside its own end; "none" for nowhere. Left out, at a blank line
        without a template, since the answers of data sets end so, and nowhere with one.
      dtype: of weights and activations; "auto": as they were saved.
      device: "auto" for the first accelerator, else the CPU; "map" for all of them together, as
        `accelerate` lays a model out; or one by its name in torch.
      batch_size: rows at a time; left out, as many as memory is reckoned to hold.
      attention: name of the attention kernel in `transformers`; left out, its choice.
      revision: of a model on the hub; left out, its newest.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: prompting.Asked | None = None
    template: bool | None = None
    max_tokens: int = Field(2048, ge=1)
    stop: str | None = Field(None, min_length=1)
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: str = "auto"
    batch_size: int | None = Field(None, ge=1)
    attention: str | None = None
    revision: str | None = None

    def stops(self, *, template: bool) -> str | None:
        """Returns where an answer ends, beside its own end."""
        return prompting.stop(self.stop, chat=template)


class Asked(NamedTuple):
    """A model and how it is asked.

    Attributes:
      place: a folder, or an id on the hub.
      options: how.
    """

    place: str
    options: Options


def parse(argument: str) -> Asked:
    """Reads what follows `hf:`.

    Raises:
      BadInput: if it names no model, or an option is unknown or has a wrong value.
    """
    place, options = spec_options.split(argument, Options, _EXAMPLE)
    if not place:
        raise BadInput("hf: names no model; use hf:FOLDER or hf:ID, such as hf:gpt2")
    return Asked(place, options)
