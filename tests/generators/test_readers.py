"""Data sets open with everybody's tools, under upstream's column names."""

import pyarrow.dataset
import pyarrow.parquet as pq
import pytest

from clrs_text_bench import schema

COLUMNS = [
    "question",
    "answer",
    "algo_name",
    "length",
    "use_hints",
    "split",
    "seed",
    "index",
    "n_steps",
    "graph_inputs",
    "graph_outputs",
    "graph_hints",
]
# What tomg-group-umd/CLRS-Text-train and upstream's generator call them.
UPSTREAM = ["question", "answer", "algo_name", "length", "use_hints"]


@pytest.fixture(scope="module")
def files(real):
    return [f"{real.url}/{f.path}" for f in real.manifest.files]


@pytest.fixture(scope="module")
def expected(real):
    """The rows of all files, as `(algo_name, length, question, answer)`."""
    rows = []
    for cell in real.cells():
        for row in real.read(cell, ["algo_name", "length", "question", "answer"]).to_pylist():
            rows.append((row["algo_name"], row["length"], row["question"], row["answer"]))
    return sorted(rows)


def test_columns_begin_with_upstreams():
    assert schema.DATASET.names == COLUMNS
    assert COLUMNS[: len(UPSTREAM)] == UPSTREAM


def test_pyarrow(real, files, expected):
    table = pyarrow.dataset.dataset(files).to_table()
    assert table.column_names == COLUMNS
    keys = ("algo_name", "length", "question", "answer")
    assert sorted(tuple(row[k] for k in keys) for row in table.to_pylist()) == expected
    assert pq.read_table(files[0]).schema.equals(schema.DATASET)


def test_pandas(files, expected):
    import pandas

    frame = pandas.concat([pandas.read_parquet(f) for f in files])
    assert list(frame.columns) == COLUMNS
    found = frame[["algo_name", "length", "question", "answer"]].astype({"algo_name": str})
    assert sorted(found.itertuples(index=False, name=None)) == expected
    assert frame["graph_inputs"].iloc[0].dtype == "float32"


def test_polars(files, expected):
    import polars

    frame = polars.scan_parquet(files).collect()
    assert frame.columns == COLUMNS
    found = frame.select(
        polars.col("algo_name").cast(polars.String), "length", "question", "answer"
    )
    assert sorted(found.rows()) == expected
    assert frame.schema["graph_hints"] == polars.List(polars.Float32)


def test_duckdb(real, expected):
    import duckdb

    everywhere = f"'{real.url}/data/**/*.parquet'"
    with duckdb.connect() as connection:
        found = connection.sql(f"select algo_name, length, question, answer from {everywhere}")
        assert sorted(found.fetchall()) == expected
        names = connection.sql(f"describe select * from {everywhere}").fetchall()
        assert [row[0] for row in names] == COLUMNS


def test_hugging_face_datasets(real, expected, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    pattern = {name: f"{real.url}/data/{name}/**/*.parquet" for name in real.splits()}
    loaded = datasets.load_dataset("parquet", data_files=pattern, cache_dir=str(tmp_path))
    assert set(loaded) == {"train", "test"}
    found = []
    for part in loaded.values():
        assert part.column_names == COLUMNS
        for row in part:
            found.append((row["algo_name"], row["length"], row["question"], row["answer"]))
    assert sorted(found) == expected
