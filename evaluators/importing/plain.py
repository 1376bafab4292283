"""JSON lines of anyone's: `prediction`, and the sample's identity or its `question`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clrs_text_bench import predictions, schema
from clrs_text_bench.errors import BadInput

from .entries import Entry, Log, identity_of, text_of


def read(rows: Iterator[tuple[int, dict[str, Any]]], path: Path) -> Log:
    """Reads lines.

    Raises:
      BadInput: if a line lacks what is needed, or holds a wrong type.
    """
    return Log("jsonl", None, [_entry(row, f"line {number} of {path}") for number, row in rows])


def _entry(row: dict[str, Any], where: str) -> Entry:
    if "prediction" not in row:
        raise BadInput(
            f"{where} has no 'prediction'; it must have that, and 'question' or the sample's "
            f"{', '.join(schema.IDENTITY)}, and has {', '.join(row) or 'nothing'}"
        )
    identity = identity_of(row, where)
    question = text_of(row.get("question"), "'question'", where)
    if identity is None and question is None:
        raise BadInput(
            f"{where} does not say what it answers: it has neither 'question' nor all of "
            f"{', '.join(schema.IDENTITY)}"
        )
    reason = text_of(row.get("finish_reason"), "'finish_reason'", where)
    if reason is not None and reason not in predictions.FINISH_REASONS:
        raise BadInput(
            f"'finish_reason' in {where} is {reason!r}, none of "
            f"{', '.join(predictions.FINISH_REASONS)}"
        )
    return Entry(
        where,
        identity,
        question,
        text_of(row["prediction"], "'prediction'", where),
        reason,
        _number(row, "n_tokens", int, where),
        _number(row, "seconds", (int, float), where),
    )


def _number(row: dict[str, Any], name: str, kind: type | tuple[type, ...], where: str) -> Any:
    value = row.get(name)
    fits = isinstance(value, kind) and not isinstance(value, bool) and 0 <= value < 2**31
    if value is not None and not fits:
        raise BadInput(f"{name!r} in {where} is {value!r}, expected a number of no less than 0")
    return value
