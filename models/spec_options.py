"""The part of a model spec after `?`: `transformer:runs/a?temperature=0.7&seed=1`."""

import urllib.parse
from typing import TypeVar

from pydantic import BaseModel

from clrs_text_bench import validation
from clrs_text_bench.errors import BadInput

Options = TypeVar("Options", bound=BaseModel)


def split(argument: str, options: type[Options], example: str) -> tuple[str, Options]:
    """Splits what follows a model's name in a spec into a path and options.

    Args:
      argument: what follows the first colon.
      options: the options there are; their defaults if none stand there.
      example: of options, for a sentence.

    Raises:
      BadInput: if an option is unknown, stands twice, or has a wrong value.
    """
    path, question, text = argument.partition("?")
    if not question:
        return path, options()
    where = f"model spec {argument!r}"
    pairs = urllib.parse.parse_qsl(text, keep_blank_values=True)
    if len(dict(pairs)) < len(pairs) or not pairs:
        raise BadInput(f"{where}: after ? stand options such as {example}, each once")
    return path, validation.build(options, dict(pairs), where)
