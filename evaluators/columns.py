"""Arrow columns as flat arrays that compiled code can walk, without an object per row."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from clrs_text_bench import schema
from clrs_text_bench.errors import BadInput


class Texts(NamedTuple):
    """Texts of rows, as spans of bytes: row i is `data[starts[i]:stops[i]]`.

    All three are read-only, so that one compiled kernel fits every source.
    """

    data: np.ndarray
    starts: np.ndarray
    stops: np.ndarray


def frozen(data: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> Texts:
    """Returns texts over these arrays: uint8, int64 and int64; they become read-only."""
    for array in (data, starts, stops):
        array.flags.writeable = False
    return Texts(data, starts, stops)


def texts_of(strings: list[str | None]) -> Texts:
    """Returns the texts of Python strings; None is empty. Lone surrogates are bytes like others."""
    encoded = [(s or "").encode("utf-8", "surrogatepass") for s in strings]
    stops = np.cumsum([len(e) for e in encoded], dtype=np.int64)
    starts = stops - np.array([len(e) for e in encoded], np.int64)
    return frozen(np.frombuffer(b"".join(encoded), np.uint8), starts, stops)


def texts(table: pa.Table, name: str, what: str) -> Texts:
    """Returns the texts of a column of strings; a null is an empty text.

    Args:
      table: where the column is; sliced, chunked, dictionary-encoded as may be.
      name: name of the column.
      what: what the table is, for the message.

    Raises:
      BadInput: if the column is missing or does not hold text.
    """
    array = strings(table, name, what)
    offsets_buffer, data_buffer = array.buffers()[1:]
    if len(array) == 0 or data_buffer is None:
        zeros = np.zeros(len(array), np.int64)
        return frozen(np.zeros(0, np.uint8), zeros, zeros.copy())
    offsets = np.frombuffer(offsets_buffer, np.int64)[array.offset : array.offset + len(array) + 1]
    starts, stops = offsets[:-1], offsets[1:]
    if array.null_count:
        stops = np.where(array.is_null().to_numpy(zero_copy_only=False), starts, stops)
    return frozen(np.frombuffer(data_buffer, np.uint8), starts, stops)


def strings(table: pa.Table, name: str, what: str) -> pa.LargeStringArray:
    """Returns a column of strings as one array; raises `BadInput` as `texts` does."""
    found = column(table, name, what)
    if pt.is_dictionary(found.type):
        found = found.cast(found.type.value_type)
    if not schema.is_text(found.type) and not pt.is_null(found.type):
        raise BadInput(f"column {name!r} of {what} holds {found.type}, expected strings")
    return found.cast(pa.large_string()).combine_chunks()


def integers(table: pa.Table, name: str, what: str) -> np.ndarray:
    """Returns a column of integers or booleans without nulls, int64 `[rows]`.

    Raises:
      BadInput: if the column is missing, holds anything else, or has a null.
    """
    found = column(table, name, what)
    try:
        found = found.cast(pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise BadInput(f"column {name!r} of {what} holds {found.type}, expected integers") from None
    if found.null_count:
        raise BadInput(f"column {name!r} of {what} is empty in {found.null_count} rows")
    return found.to_numpy()


def codes(values: pa.Array) -> tuple[np.ndarray, pa.Array]:
    """Numbers the distinct values of an array in order of appearance.

    Returns:
      `(codes, distinct)`: int64 `[rows]`, and the values that they number; null is one of them.
    """
    encoded = values.dictionary_encode(null_encoding="encode")
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary


def column(table: pa.Table, name: str, what: str) -> pa.ChunkedArray:
    """Returns a column; raises `BadInput` if the table, called `what`, lacks it."""
    if name not in table.column_names:
        raise BadInput(f"{what} lack column {name!r}; they have {', '.join(table.column_names)}")
    return table.column(name)
