"""What a log says of one sample, whoever wrote the log."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from clrs_text_bench import schema
from clrs_text_bench.errors import BadInput

Identity = tuple[str, str, int, int, int]

_TYPES = {"split": str, "algo_name": str, "length": int, "seed": int, "index": int}


class Entry(NamedTuple):
    """An answer in a log.

    Attributes:
      where: names its place in a sentence.
      identity: of the sample, as `schema.IDENTITY`, if the log has it.
      question: as the log has it, if it does.
      prediction: the completion; None for none.
      finish_reason: as in `schema.PREDICTIONS`; None if the log does not say.
      n_tokens: of the completion; None likewise.
      seconds: None likewise.
    """

    where: str
    identity: Identity | None
    question: str | None
    prediction: str | None
    finish_reason: str | None = None
    n_tokens: int | None = None
    seconds: float | None = None


@dataclass
class Log:
    """A log, as far as it matters here.

    Attributes:
      harness: what wrote it.
      model: what it calls the model; None if it does not.
      entries: its answers, in its order.
      settings: how the model generated, as far as the log says.
    """

    harness: str
    model: str | None
    entries: list[Entry]
    settings: dict[str, str | int | float | bool] = field(default_factory=dict)


def identity_of(values: dict[str, Any], where: str) -> Identity | None:
    """Returns the identity that values hold; None if they lack a part of it.

    Raises:
      BadInput: if a part has a wrong type.
    """
    if any(values.get(name) is None for name in schema.IDENTITY):
        return None
    for name, kind in _TYPES.items():
        if not isinstance(values[name], kind) or isinstance(values[name], bool):
            raise BadInput(f"{name!r} in {where} is {values[name]!r}, expected {kind.__name__}")
    return tuple(values[name] for name in schema.IDENTITY)


def text_of(value: object, what: str, where: str) -> str | None:
    """Returns a text or None; raises `BadInput` if it is anything else."""
    if value is not None and not isinstance(value, str):
        raise BadInput(f"{what} in {where} is a {type(value).__name__}, expected text")
    # JSON can spell lone surrogates, which are no text.
    return value and value.encode("utf-8", "replace").decode()
