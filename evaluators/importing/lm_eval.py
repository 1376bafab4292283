"""The sample logs of lm-evaluation-harness: `samples_<task>_<time>.jsonl`, of `--log_samples`.

A line holds `doc` (the row of the data set), `resps` (a list of completions for each request) and,
once for each filter, `filtered_resps`. Read are the completions as they came: what a filter cut out
of them is another harness's extraction. Source: `lm_eval/evaluator.py` and
`lm_eval/loggers/evaluation_tracker.py` of version 0.4.13.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clrs_text_bench.errors import BadInput

from .entries import Entry, Log, identity_of, text_of

_KEYS = ("doc", "resps")


def is_one(row: dict[str, Any]) -> bool:
    """Returns whether a line is of such a log."""
    return all(key in row for key in _KEYS)


def read(rows: Iterator[tuple[int, dict[str, Any]]], path: Path) -> Log:
    """Reads the lines of a log.

    Raises:
      BadInput: if a line is not of such a log, or holds no completion of text.
    """
    entries, generations = [], {}
    for number, row in rows:
        where = f"line {number} of {path}"
        doc = row.get("doc")
        if not is_one(row) or not isinstance(doc, dict):
            raise BadInput(f"{where} has no doc and resps; is it of another log?")
        question = text_of(doc.get("question"), "'question' of doc", where)
        entries.append(Entry(where, identity_of(doc, where), question, _completion(row, where)))
        generations[_generation(row)] = None
    known = "; ".join(generation for generation in generations if generation)
    return Log("lm-eval", None, entries, {"generation": known} if known else {})


def _completion(row: dict[str, Any], where: str) -> str:
    """Returns the first completion of the first request."""
    found: object = row["resps"]
    for _ in range(2):
        if not isinstance(found, list) or not found:
            raise BadInput(f"'resps' in {where} holds no completion")
        found = found[0]
    if not isinstance(found, str):
        raise BadInput(
            f"'resps' in {where} holds no text; answers are logged by tasks whose output_type is "
            "generate_until"
        )
    return text_of(found, "'resps'", where) or ""


def _generation(row: dict[str, Any]) -> str:
    """Returns the settings of the generation, as JSON; "" if they are not there."""
    arguments = row.get("arguments")
    first = arguments.get("gen_args_0") if isinstance(arguments, dict) else None
    settings = first.get("arg_1") if isinstance(first, dict) else None
    return json.dumps(settings, sort_keys=True) if isinstance(settings, dict) else ""
