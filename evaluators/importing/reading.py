"""Which kind of log a file is."""

import itertools
from pathlib import Path

from clrs_text_bench import predictions
from clrs_text_bench.errors import BadInput

from . import inspect_logs, lm_eval, plain
from .entries import Log


def read(path: Path) -> Log:
    """Reads a log of lm-evaluation-harness, of Inspect, or of plain JSON lines.

    Raises:
      BadInput: if it is none of these, or damaged.
    """
    if path.suffix in inspect_logs.SUFFIXES:
        return inspect_logs.read(path)
    if path.suffix != ".jsonl":
        raise BadInput(
            f"log {path} must end in .jsonl (samples of lm-evaluation-harness, or your own lines), "
            ".eval or .json (Inspect)"
        )
    rows = predictions.json_rows(path)
    first = next(rows, None)
    if first is None:
        raise BadInput(f"log {path} is empty")
    reader = lm_eval if lm_eval.is_one(first[1]) else plain
    return reader.read(itertools.chain([first], rows), path)
