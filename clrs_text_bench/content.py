"""What identifies rows: a hash of their values, not of the bytes of a file that holds them.

The bytes of a Parquet file name the library that wrote it, and change with its versions; who makes
a data set again with another version must find that it is the same data.
"""

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

if TYPE_CHECKING:
    from hashlib import _Hash


def hash_rows(table: pa.Table) -> str:
    """Returns the SHA-256 of a table's columns, by name, in order, as 64 hexadecimal digits.

    A column of text or lists is hashed as the lengths of its values (int64), then the values one
    behind the other; numbers little-endian, truth values as bytes; where anything is null, a byte
    for each value says whether it is there. How a table is cut into chunks, and what stands in
    dictionaries, makes no difference; the sign of a zero, and the bits of a NaN, do.

    Raises:
      TypeError: if a column holds anything but numbers, truth values, text, and lists of these.
    """
    digest = hashlib.sha256()
    for name in table.column_names:
        digest.update(f"{name}\n{table.num_rows}\n".encode())
        _add(digest, table.column(name).chunks)
    return digest.hexdigest()


def _add(digest: "_Hash", chunks: list[pa.Array]) -> None:
    """Hashes one column, or the values in the lists of one."""
    if not chunks:
        return
    kind = chunks[0].type
    if pt.is_dictionary(kind):
        return _add(digest, [chunk.dictionary_decode() for chunk in chunks])
    if any(chunk.null_count for chunk in chunks):
        digest.update(b"null\n")
        for chunk in chunks:
            digest.update(_numbers(chunk.is_valid()))
    if pt.is_string(kind):
        _add_lengths(digest, [pc.binary_length(chunk) for chunk in chunks])
        for chunk in chunks:
            digest.update(_text(chunk))
    elif pt.is_list(kind):
        _add_lengths(digest, [pc.list_value_length(chunk) for chunk in chunks])
        _add(digest, [chunk.flatten() for chunk in chunks])
    elif pt.is_boolean(kind) or pt.is_integer(kind) or pt.is_floating(kind):
        for chunk in chunks:
            digest.update(_numbers(chunk))
    else:
        raise TypeError(f"no hash is defined for values of {kind}")


def _add_lengths(digest: "_Hash", chunks: list[pa.Array]) -> None:
    for chunk in chunks:
        digest.update(_numbers(chunk.cast(pa.int64())))


def _numbers(chunk: pa.Array) -> np.ndarray:
    """Returns numbers little-endian, truth values as bytes; 0 where null."""
    zero = pa.scalar(0).cast(chunk.type)
    values = np.ascontiguousarray(chunk.fill_null(zero).to_numpy(zero_copy_only=False))
    return values.astype(values.dtype.newbyteorder("<"), copy=False).view(np.uint8)


def _text(chunk: pa.Array) -> memoryview:
    """Returns the bytes of all texts, one behind the other."""
    filled = chunk.fill_null("")
    _, offsets, data = filled.buffers()
    if data is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, np.int32)
    return memoryview(data)[ends[filled.offset] : ends[filled.offset + len(filled)]]
