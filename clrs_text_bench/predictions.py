"""Predictions files, whoever wrote them: Parquet, JSON lines or CSV, one row an answer.

Required columns: split, algo_name, length, seed, index (the sample's identity) and prediction.
Optional: finish_reason ("stop", "length" or "error"), n_tokens, seconds, and in Parquet
graph_prediction, the outputs that a model decoded beside its text, and prompt_tokens, of what it
was asked. Others are ignored. A prediction is text as it stands: "", "NA" and "null" are answers. A
null one is a missing answer, as is a row that is left out.
"""

import contextlib
import dataclasses
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pyarrow.types as pt

from clrs_text_bench import schema
from clrs_text_bench.errors import BadInput, shortened
from clrs_text_bench.protocols import ModelInfo

if TYPE_CHECKING:
    import pandas as pd

FINISH_REASONS = ("stop", "length", "error")
RECORD_KEY = b"clrs_text_bench.predictions"

_REQUIRED = (*schema.IDENTITY, "prediction")
_BOM = "\ufeff"
_MOST_SHOWN = 40


def read(path: str | os.PathLike) -> pa.Table:
    """Reads a predictions file, or all `.parquet` files of a folder.

    Returns:
      A table in `schema.PREDICTIONS`, in the file's order; optional columns that it lacks are null.
      If it is Parquet with `schema.GRAPH_PREDICTION` or `schema.PROMPT_TOKENS`, these stand last.

    Raises:
      BadInput: if it is missing, of an unknown kind, empty, damaged or not UTF-8, lacks a column,
        holds a wrong type, or has two rows for one sample.
    """
    path = Path(path)
    table = _read_folder(path) if path.is_dir() else _read_file(path)
    if not table.num_rows:
        raise BadInput(f"{path} holds no predictions")
    _check_values(table, path)
    _check_distinct(table, path)
    return table


def schema_of(columns: Collection[str]) -> pa.Schema:
    """Returns the schema of predictions of these columns.

    Decoded graphs and tokens of prompts stand behind the others, where there are any.
    """
    found = schema.PREDICTIONS
    for field in (schema.GRAPH_PREDICTION, schema.PROMPT_TOKENS):
        if field.name in columns:
            found = found.append(field)
    return found


def align(predictions: pa.Table, requests: pa.Table) -> pa.Table:
    """Puts predictions in the order of the samples that they answer.

    Args:
      predictions: as `read` returns them, of one (split, algo_name, length).
      requests: rows of a data set, of the same cell.

    Returns:
      A table of the same columns, row for row; where there is none, the prediction is null and
      finish_reason "error".
    """
    expected = schema_of(predictions.column_names)
    places = _index(predictions).get_indexer(_index(requests))
    found = predictions.select(expected.names[len(schema.IDENTITY) :]).take(
        pa.array(places, mask=places < 0)
    )
    answered = pc.is_valid(found["prediction"])
    reasons = pc.if_else(answered, found["finish_reason"], pa.scalar("error"))
    found = found.set_column(1, "finish_reason", reasons)
    return pa.table(identity(requests).columns + found.columns, schema=expected)


def unknown_rows(predictions: pa.Table, samples: pa.Table) -> pa.Table:
    """Returns the predictions of one cell that answer none of its samples (seed and index)."""
    places = _index(samples).get_indexer(_index(predictions))
    return predictions.filter(pa.array(places < 0))


def identity(table: pa.Table) -> pa.Table:
    """Returns the identity columns of predictions or samples, in the types of `schema`."""
    columns = pa.schema([schema.PREDICTIONS.field(name) for name in schema.IDENTITY])
    return table.select(columns.names).cast(columns)


def cells(predictions: pa.Table) -> list[tuple[str, str, int]]:
    """Returns the distinct (split, algorithm, length) of predictions, sorted."""
    keys = list(schema.IDENTITY[:3])
    rows = predictions.select(keys).group_by(keys).aggregate([]).to_pylist()
    return sorted((r["split"], r["algo_name"], r["length"]) for r in rows)


def of_cell(predictions: pa.Table, split: str, algorithm: str, length: int) -> pa.Table:
    """Returns the predictions of one cell."""
    return predictions.filter(
        (pc.field("split") == split)
        & (pc.field("algo_name") == algorithm)
        & (pc.field("length") == length)
    )


def with_record(predictions: pa.Table, record: dict) -> pa.Table:
    """Attaches the record of the run that made predictions; kept in the Parquet file's metadata."""
    return predictions.replace_schema_metadata({RECORD_KEY: json.dumps(record, sort_keys=True)})


def record(path: str | os.PathLike) -> dict | None:
    """Returns the record of the run that made a predictions file, where there is one."""
    path = Path(path)
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not files or files[0].suffix != ".parquet":
        return None
    with _reading(files[0]):
        return record_of(pq.read_schema(files[0]))


def record_of(columns: pa.Schema) -> dict | None:
    """Returns the record of the run that made a table of predictions, where there is one."""
    metadata = columns.metadata or {}
    return json.loads(metadata[RECORD_KEY]) if RECORD_KEY in metadata else None


def info_from(values: dict) -> ModelInfo:
    """Builds a model's info from the JSON of a record."""
    known = {f.name for f in dataclasses.fields(ModelInfo)}
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known}
    return ModelInfo(**values)


def _index(table: pa.Table) -> "pd.MultiIndex":
    import pandas as pd

    return pd.MultiIndex.from_arrays([table["seed"].to_numpy(), table["index"].to_numpy()])


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turns a failure to read a file into a sentence about it."""
    try:
        yield
    except FileNotFoundError:
        raise BadInput(f"predictions file {path} does not exist") from None
    except pa.ArrowException as error:
        message = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadInput(f"cannot read predictions file {path}: {message}") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInput(f"cannot read predictions file {path}: {reason}") from error


def _read_folder(path: Path) -> pa.Table:
    files = sorted(path.glob("*.parquet"))
    if not files:
        raise BadInput(f"{path} is a folder without .parquet files; name a predictions file")
    return pa.concat_tables([_read_file(file) for file in files], promote_options="default")


def _read_file(path: Path) -> pa.Table:
    readers: dict[str, Callable[[Path], pa.Table]] = {
        ".parquet": _read_parquet,
        ".jsonl": _read_jsonl,
        ".csv": _read_csv,
    }
    suffix = path.suffix.lower()
    if suffix not in readers:
        raise BadInput(f"predictions file {path} must end in .parquet, .jsonl or .csv")
    with _reading(path):
        if not path.stat().st_size:
            raise BadInput(f"predictions file {path} is empty")
        return readers[suffix](path)


def _read_parquet(path: Path) -> pa.Table:
    table = pq.ParquetFile(path).read()
    _check_columns(table.column_names, path)
    columns, expected = [], schema_of(table.column_names)
    for field in expected:
        if field.name not in table.column_names:
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        column = table[field.name]
        if pt.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if not _fits(column.type, field):
            raise BadInput(
                f"column {field.name!r} of {path} holds {column.type}, expected {field.type}"
            )
        column.validate(full=True)
        columns.append(column.cast(field.type, safe=not _is_real(field.type)))
    return pa.table(columns, schema=expected)


def _fits(found: pa.DataType, field: pa.Field) -> bool:
    """Returns whether a column may be read as a field; numbers are never read as text."""
    if pt.is_null(found):
        return field.name not in schema.IDENTITY
    if pt.is_string(field.type):
        return schema.is_text(found)
    if pt.is_integer(field.type):
        return pt.is_integer(found)
    if pt.is_list(field.type):
        return pt.is_list(found) and _is_real(found)
    return pt.is_floating(found) or pt.is_integer(found)


def _is_real(kind: pa.DataType) -> bool:
    return pt.is_floating(kind.value_type if pt.is_list(kind) else kind)


def _read_jsonl(path: Path) -> pa.Table:
    columns: dict[str, list] = {name: [] for name in schema.PREDICTIONS.names}
    for number, row in json_rows(path):
        for field in schema.PREDICTIONS:
            columns[field.name].append(_json_value(row, field, path, number))
    return pa.table(columns, schema=schema.PREDICTIONS)


def json_rows(path: Path) -> Iterator[tuple[int, dict]]:
    """Yields the objects of a file of JSON lines, each with the number of its line, from 1.

    Raises:
      BadInput: if it cannot be read, is not UTF-8, or a line is no JSON object.
    """
    with _reading(path):
        data = path.read_bytes()
    try:
        text = data.decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError as error:
        raise BadInput(f"predictions file {path} is not UTF-8: byte {error.start} is not") from None
    # Only "\n" ends a line: str.splitlines would also break at characters JSON allows in a string.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadInput(f"line {number} of {path} is not valid JSON: {error}") from None
        if not isinstance(row, dict):
            raise BadInput(f"line {number} of {path} is not a JSON object")
        yield number, row


def _json_value(row: dict, field: pa.Field, path: Path, number: int) -> object:
    if field.name not in row and field.name in _REQUIRED:
        raise BadInput(f"line {number} of {path} has no {field.name!r}")
    value = row.get(field.name)
    if value is None:
        return None
    kinds = {pt.is_string: str, pt.is_integer: int, pt.is_floating: (int, float)}
    kind = next(kind for test, kind in kinds.items() if test(field.type))
    if not isinstance(value, kind) or isinstance(value, bool):
        raise BadInput(
            f"{field.name!r} in line {number} of {path} is {_short(value)}, expected {field.type}"
        )
    if isinstance(value, str):
        # JSON can spell lone surrogates, which are no text; no answer has a "?" in it either.
        return value.encode("utf-8", "replace").decode()
    bits = field.type.bit_width - 1
    if isinstance(value, int) and not -(2**bits) <= value < 2**bits:
        raise BadInput(f"{field.name!r} in line {number} of {path} is beyond {field.type}")
    return value


def _short(value: object) -> str:
    return shortened(value, _MOST_SHOWN)


def _read_csv(path: Path) -> pa.Table:
    data = path.read_bytes()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"predictions file {path} is not UTF-8: byte {error.start} is not") from None
    types = {f.name: f.type for f in schema.PREDICTIONS}
    table = pyarrow.csv.read_csv(
        pa.BufferReader(data),
        # One block: a row may be of any length.
        read_options=pyarrow.csv.ReadOptions(block_size=max(1 << 20, min(len(data), 2**31 - 2))),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=types, null_values=[""], strings_can_be_null=False
        ),
    )
    _check_columns(table.column_names, path)
    columns = [
        table[f.name] if f.name in table.column_names else pa.nulls(table.num_rows, f.type)
        for f in schema.PREDICTIONS
    ]
    table = pa.table(columns, schema=schema.PREDICTIONS)
    place = table.column_names.index("finish_reason")
    reasons = table["finish_reason"]
    reasons = pc.if_else(pc.equal(reasons, ""), pa.scalar(None, pa.string()), reasons)
    return table.set_column(place, "finish_reason", reasons)


def _check_columns(names: list[str], path: Path) -> None:
    for name in _REQUIRED:
        if name not in names:
            raise BadInput(
                f"{path} has no column {name!r}; it must have {', '.join(_REQUIRED)}, and has "
                f"{', '.join(names)}"
            )
    for name in schema_of(names).names:
        if names.count(name) > 1:
            raise BadInput(f"{path} has column {name!r} twice")


def _check_values(table: pa.Table, path: Path) -> None:
    for name in schema.IDENTITY:
        if table[name].null_count:
            row = pc.index(pc.is_null(table[name]), True).as_py() + 1
            raise BadInput(f"{name!r} is empty in row {row} of {path}")
    reasons = pc.unique(table["finish_reason"]).to_pylist()
    odd = [r for r in reasons if r is not None and r not in FINISH_REASONS]
    if odd:
        raise BadInput(
            f"finish_reason {_short(odd[0])} in {path} is none of {', '.join(FINISH_REASONS)}"
        )


def _check_distinct(table: pa.Table, path: Path) -> None:
    keys = list(schema.IDENTITY)
    counts = table.select(keys).group_by(keys).aggregate([([], "count_all")])
    twice = counts.filter(pc.field("count_all") > 1)
    if twice.num_rows:
        raise BadInput(
            f"{path} has {twice['count_all'][0]} rows for {describe(twice)}; each sample may have "
            "one"
        )


def describe(rows: pa.Table) -> str:
    """Returns the identity of the first of some rows, for a message."""
    row = rows.slice(0, 1).select(list(schema.IDENTITY)).to_pylist()[0]
    return described(row.values())


def described(identity: Iterable) -> str:
    """Returns an identity, in the order of `schema.IDENTITY`, in words."""
    split, algorithm, length, seed, index = identity
    return f"{algorithm} length {length}, split {split}, seed {seed}, index {index}"
