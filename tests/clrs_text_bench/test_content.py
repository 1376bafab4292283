"""The hash of rows: the same for the same values in any form, another for any other value."""

import hashlib
import struct

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clrs_text_bench import datasets, schema
from clrs_text_bench.content import hash_rows

from .. import tiny_data

NAME = schema.DATASET.field("algo_name").type
TYPES = {
    "text": pa.string(),
    "name": NAME,
    "flag": pa.bool_(),
    "count": pa.int32(),
    "graph": pa.list_(pa.float32()),
}
VALUES = {
    "text": st.text(max_size=5),
    "name": st.sampled_from(["bfs", "dfs", "minimum"]),
    "flag": st.booleans(),
    "count": st.integers(-(2**31), 2**31 - 1),
    "graph": st.lists(st.none() | st.floats(width=32, allow_nan=False), max_size=4),
}
ROWS = st.lists(st.fixed_dictionaries({k: st.none() | v for k, v in VALUES.items()}), max_size=6)
SCHEMA = pa.schema(TYPES.items())


def table(rows):
    return pa.Table.from_pylist(rows, SCHEMA)


def plainly(rows):
    """The definition, value by value."""
    pack = {"flag": "?", "count": "<i"}
    made = b""
    for name in TYPES:
        values = [row[name] for row in rows]
        made += f"{name}\n{len(rows)}\n".encode()
        made += present(values)
        if name in pack:
            made += b"".join(struct.pack(pack[name], value or 0) for value in values)
        elif name == "graph":
            made += lengths(values)
            inner = [number for value in values for number in value or ()]
            made += present(inner) + b"".join(
                struct.pack("<f", 0 if number is None else number) for number in inner
            )
        else:
            texts = [value and value.encode() for value in values]
            made += lengths(texts) + b"".join(text or b"" for text in texts)
    return hashlib.sha256(made).hexdigest()


def present(values):
    if None not in values:
        return b""
    return b"null\n" + bytes(value is not None for value in values)


def lengths(values):
    return b"".join(struct.pack("<q", len(value or ())) for value in values)


@settings(deadline=None)
@given(ROWS)
def test_it_is_what_its_definition_says(rows):
    assert hash_rows(table(rows)) == plainly(rows)


@settings(deadline=None)
@given(ROWS, st.data())
def test_the_form_of_the_rows_makes_no_difference(rows, data):
    whole, expected = table(rows), hash_rows(table(rows))
    cut = data.draw(st.integers(0, len(rows)))
    assert hash_rows(pa.concat_tables([table(rows[:cut]), table(rows[cut:])])) == expected
    assert hash_rows(pa.concat_tables([whole, whole]).slice(len(rows))) == expected
    plain = whole.set_column(1, "name", whole["name"].cast(pa.string()))
    assert hash_rows(plain) == expected
    masked = pa.Table.from_pandas(whole.to_pandas(types_mapper=pd_types), SCHEMA) if rows else whole
    assert hash_rows(masked) == expected


def pd_types(kind):
    import pandas as pd

    return pd.ArrowDtype(kind)


@settings(deadline=None)
@given(ROWS.filter(bool), st.data())
def test_any_other_value_makes_another(rows, data):
    row, name = data.draw(st.sampled_from(rows)), data.draw(st.sampled_from(list(TYPES)))
    other = data.draw((st.none() | VALUES[name]).filter(lambda value: value != row[name]))
    before = hash_rows(table(rows))
    row[name] = other
    assert hash_rows(table(rows)) != before


def test_the_signs_of_zeros_and_the_names_of_columns_count():
    zero = pa.table({"graph": pa.array([[0.0]], pa.list_(pa.float32()))})
    minus = pa.table({"graph": pa.array([[-0.0]], pa.list_(pa.float32()))})
    assert len({hash_rows(t) for t in (zero, minus, zero.rename_columns(["answer"]))}) == 3


def test_a_type_without_a_definition_is_refused():
    with pytest.raises(TypeError, match="no hash is defined for values of date32"):
        hash_rows(pa.table({"day": pa.array([1], pa.date32())}))


def test_a_file_read_back_has_the_hash_it_was_recorded_with(tmp_path):
    made = tiny_data.write(tmp_path / "data", {"train": [4, 5]}, algorithms=("minimum", "bfs"))
    for file in made.manifest.files:
        data = made.folder.read(file.path)
        assert hash_rows(datasets.from_parquet(data, file.path)) == file.content
