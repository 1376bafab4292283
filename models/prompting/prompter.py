"""The three kinds of prompt, and the building of them."""

import re
from typing import Annotated, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator

from clrs_text_bench.datasets import Dataset
from clrs_text_bench.errors import BadInput

from ..rows import sample_ids
from .instruction import instruction
from .prompt import Prompt
from .shots import Shots

# Changes whenever the bytes of any prompt do; part of every result's record.
VERSION = 1

# In options, where nothing is meant.
NONE = "none"

_BLANK_LINE = "\n\n"

_SHOTS = re.compile(r"few-shot:([1-9][0-9]{0,2})")


class Style(NamedTuple):
    """A kind of prompt.

    Attributes:
      kind: which.
      shots: how many, of few-shot.
    """

    kind: Literal["plain", "chat", "few-shot"]
    shots: int = 0


def parse(text: str) -> Style:
    """Reads `plain`, `chat` or `few-shot:K`.

    Raises:
      ValueError: on anything else, with a sentence.
    """
    if text in ("plain", "chat"):
        return Style(text)
    few = _SHOTS.fullmatch(text)
    if few is None:
        raise ValueError(
            f"{text!r} is no prompt; use plain, chat or few-shot:K, such as few-shot:3"
        )
    return Style("few-shot", int(few[1]))


def _checked(text: str) -> str:
    parse(text)
    return text


Asked = Annotated[str, AfterValidator(_checked)]
"""A kind of prompt in the options of a model, as `parse` reads it."""


def stop(given: str | None, *, chat: bool) -> str | None:
    """Returns where an answer ends, beside its own end; None for nowhere.

    Args:
      given: what the options say: a text, "none" for nowhere, or None.
      chat: whether a chat is asked, which has no end but its own unless one is given; other answers
        end at a blank line, as those of data sets do.
    """
    if given is None:
        return None if chat else _BLANK_LINE
    return None if given == NONE else given


class Prompter:
    """Builds the prompts of a data set's questions."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._shots: Shots | None = None

    def prepare(self, dataset: Dataset) -> None:
        """Looks for what shots are drawn from.

        Raises:
          BadInput: if there is nothing to draw from.
        """
        if self._style.kind == "few-shot":
            self._shots = Shots(dataset, self._style.shots)

    def prompts(self, requests: pa.Table) -> list[Prompt]:
        """Returns the prompts of rows in `schema.DATASET`, whose answers are not read.

        Raises:
          BadInput: if shots are wanted that there are not.
        """
        questions = requests["question"].to_pylist()
        if self._style.kind == "plain":
            return [Prompt("", (), question) for question in questions]
        if self._style.kind == "few-shot":
            if self._shots is None:
                raise BadInput("few-shot prompts are drawn from a data set; call prepare first")
            asked = zip(sample_ids(requests), questions, strict=True)
            return [Prompt("", self._shots.of(*one), one[1]) for one in asked]
        names = pc.cast(requests["algo_name"], pa.string()).to_pylist()
        asked = zip(names, requests["use_hints"].to_pylist(), questions, strict=True)
        return [Prompt(instruction(*one), (), one[2]) for one in asked]
