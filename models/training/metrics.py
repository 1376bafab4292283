"""`metrics.jsonl`: one JSON object a line, for the start, each logged step and each validation."""

import json
import os
from pathlib import Path

from clrs_text_bench import storage

METRICS = "metrics.jsonl"
# Of a line on training steps: what the model wants watched (see `Trainable.watched`).
WATCHED = "watched"


class Metrics:
    """Appends measures to a file in such a way that no step stands there twice."""

    def __init__(self, path: Path, step: int) -> None:
        """Goes on after a step: what an earlier run logged beyond it is dropped.

        Args:
          path: of the file.
          step: number of steps that the checkpoint gone on from has behind it.
        """
        self._path = path
        kept = [line for line in _lines(path) if json.loads(line)["step"] <= step]
        storage.write_local(os.fspath(path), "".join(kept).encode())

    def log(self, kind: str, step: int, **values: object) -> None:
        """Appends one line; `step` is the number of steps done."""
        line = json.dumps({"kind": kind, "step": step, **values}) + "\n"
        with storage.writing(os.fspath(self._path)), open(self._path, "a") as file:
            file.write(line)


def read(path: Path) -> list[dict]:
    """Returns what a run logged, a dict for each whole line; none if there is no file."""
    return [json.loads(line) for line in _lines(path)]


def _lines(path: Path) -> list[str]:
    """Returns the whole lines of the file; a killed run may leave its last one cut short."""
    if not path.exists():
        return []
    return [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
