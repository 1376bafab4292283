"""The tables of the context report, for people."""

from typing import TYPE_CHECKING, Any

from ..rendering import Sheet

if TYPE_CHECKING:
    import pandas as pd


def sizes(rows: "pd.DataFrame", samples: int) -> Sheet:
    """Returns one row per algorithm, mode and tokeniser, one column per context.

    Args:
      rows: as `report.largest_sizes` gives them.
      samples: rendered at each size.
    """
    contexts = sorted(set(rows["context"]))
    cells: dict[tuple[str, str, str], dict[int, str]] = {}
    for row in rows.to_dict("records"):
        key = row["algorithm"], row["mode"], row["tokenizer"]
        cells.setdefault(key, {})[row["context"]] = _size(row)
    body = [[*key, *(of_key[c] for c in contexts)] for key, of_key in cells.items()]
    notes = [
        f"The largest length at which question and answer fit: half of {samples} samples, and in "
        "parentheses all of them, where that is less. ≥: larger ones were not tried, for the "
        "reason that context.parquet gives; none: the smallest does not fit."
    ]
    header = ["algorithm", "mode", "tokenizer", *(f"{c:,} tokens" for c in contexts)]
    return Sheet("the largest input that fits a context", header, body, notes)


def _size(row: dict[str, Any]) -> str:
    median, maximum = (_figure(row, s) for s in ("median", "maximum"))
    return median if median == maximum else f"{median} ({maximum})"


def _figure(row: dict[str, Any], statistic: str) -> str:
    size = row[f"size_{statistic}"]
    if row[f"at_least_{statistic}"]:
        return f"≥ {size:,}"
    return f"{size:,}" if size else "none"
