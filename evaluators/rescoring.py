"""What saved predictions were asked, so that scoring them again covers that and no more."""

import os
from typing import Any

from clrs_text_bench import datasets, predictions
from clrs_text_bench.datasets import Cell

_KEY = "asked"


def recorded(cells: list[Cell] | tuple[Cell, ...], limit: int | None) -> dict[str, Any]:
    """Returns what a record says was asked: cells of one split, and so many of each.

    A cell of the data set belongs to them if both its algorithm and its length do.
    """
    return {
        _KEY: {
            "split": cells[0].split,
            "algorithms": list(dict.fromkeys(c.algorithm for c in cells)),
            "lengths": sorted({c.length for c in cells}),
            "limit": limit,
        }
    }


def asked_before(path: str | os.PathLike, dataset: str | os.PathLike) -> dict[str, Any]:
    """Returns what the predictions of a file were asked of a data set: arguments of `evaluate`.

    Nothing, if their file does not say, or they were asked of another data set.

    Raises:
      BadInput: if the file or the data set cannot be read.
    """
    record = predictions.record(path) or {}
    if _KEY not in record or record.get("dataset_hash") != datasets.open(dataset).hash:
        return {}
    return dict(record[_KEY])
