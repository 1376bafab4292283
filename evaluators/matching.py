"""Which prediction belongs to which row of a data set, by the samples' identities."""

import numpy as np
import pyarrow as pa

from clrs_text_bench import schema
from clrs_text_bench.errors import BadInput

from .columns import codes, integers, strings


def align(predictions: pa.Table, references: pa.Table) -> np.ndarray:
    """Finds the prediction for every reference.

    Predictions without any identity column are taken row for row.

    Returns:
      int64 `[references]`: the row of its prediction, -1 where there is none.

    Raises:
      BadInput: if only some identity columns are there, a prediction is for a sample that is not
        among the references, two rows of either table are for one sample, or there are no identity
        columns and not as many rows.
    """
    missing = [name for name in schema.IDENTITY if name not in predictions.column_names]
    if len(missing) == len(schema.IDENTITY):
        return _row_for_row(predictions, references)
    if missing:
        raise BadInput(
            f"the predictions lack column {missing[0]!r}; a sample is named by "
            f"{', '.join(schema.IDENTITY)}, or by none of them where rows are in the same order"
        )
    keys = _keys(references, predictions)
    reference_keys, prediction_keys = keys[: len(references)], keys[len(references) :]
    _refuse_twins(reference_keys, references, "the references")
    _refuse_twins(prediction_keys, predictions, "the predictions")
    rows_by_key = np.full(int(keys.max(initial=-1)) + 1, -1, np.int64)
    rows_by_key[prediction_keys] = np.arange(len(predictions))
    known = np.zeros(len(rows_by_key), np.bool_)
    known[reference_keys] = True
    strangers = np.flatnonzero(~known[prediction_keys])
    if len(strangers):
        row = int(strangers[0])
        raise BadInput(
            f"row {row} of the predictions is for {_name(predictions, row)}, which is not among "
            f"the references ({len(strangers)} such rows)"
        )
    return rows_by_key[reference_keys]


def _row_for_row(predictions: pa.Table, references: pa.Table) -> np.ndarray:
    if len(predictions) != len(references):
        raise BadInput(
            f"{len(predictions)} predictions cannot be matched row for row with {len(references)} "
            f"references; give them the columns {', '.join(schema.IDENTITY)}"
        )
    return np.arange(len(references))


def _keys(references: pa.Table, predictions: pa.Table) -> np.ndarray:
    """Returns one number per sample, for the rows of both tables, from 0 without gaps."""
    keys = np.zeros(len(references) + len(predictions), np.int64)
    for field in schema.SCORES:
        if field.name not in schema.IDENTITY:
            continue
        read = strings if field.type == pa.string() else integers
        column = [
            pa.array(read(references, field.name, "the references")),
            pa.array(read(predictions, field.name, "the predictions")),
        ]
        numbers, distinct = codes(pa.concat_arrays(column))
        keys, _ = codes(pa.array(keys * len(distinct) + numbers))
    return keys


def _refuse_twins(keys: np.ndarray, table: pa.Table, what: str) -> None:
    if len(keys) == 0 or np.bincount(keys).max() == 1:
        return
    order = np.argsort(keys, kind="stable")
    twin = int(np.flatnonzero(np.diff(keys[order]) == 0)[0])
    first, second = order[twin], order[twin + 1]
    raise BadInput(f"rows {first} and {second} of {what} are both for {_name(table, second)}")


def _name(table: pa.Table, row: int) -> str:
    values = (f"{name} {table.column(name)[int(row)].as_py()!r}" for name in schema.IDENTITY)
    return ", ".join(values)
