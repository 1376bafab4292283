"""Data sets as files: read back as written, and every way in which one can be damaged."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clrs_text_bench import datasets, graph, parquet, schema
from clrs_text_bench.datasets import Cell
from clrs_text_bench.errors import BadInput
from clrs_text_bench.storage import Folder, sha256

from .. import command, tiny_data

LENGTHS = {"test": [4, 6], "train": [4, 5]}
FIRST = "data/test/insertion_sort/4-00000.parquet"


@pytest.fixture
def dataset(tmp_path):
    return tiny_data.write(tmp_path / "data", LENGTHS, samples=6)


def change_manifest(dataset, change):
    values = json.loads(dataset.folder.read("dataset.json"))
    change(values)
    dataset.folder.write("dataset.json", json.dumps(values).encode())


def put(dataset, path, data):
    """Replaces a file with other bytes that the manifest vouches for."""
    dataset.folder.write(path, data)

    def vouch(values):
        for record in values["files"]:
            if record["path"] == path:
                record.update(bytes=len(data), sha256=sha256(data))

    change_manifest(dataset, vouch)


def refusal(call):
    with pytest.raises(BadInput) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_cells_are_those_that_were_written(dataset):
    assert dataset.splits() == ["test", "train"]
    assert dataset.algorithms("test") == ["insertion_sort", "minimum"]  # catalogue order
    assert dataset.lengths("train") == [4, 5]
    assert dataset.cells("test") == [
        Cell("test", name, length, 6) for name in ("insertion_sort", "minimum") for length in (4, 6)
    ]
    assert dataset.cells() == dataset.cells("test") + dataset.cells("train")
    assert dataset.cells(algorithms=["minimum"], lengths=[4]) == [
        Cell("test", "minimum", 4, 6),
        Cell("train", "minimum", 4, 6),
    ]
    assert dataset.cells("validation") == []


def test_rows_are_those_that_were_written(dataset):
    table = tiny_data.rows(dataset)
    assert table.schema.equals(schema.DATASET)
    for row in table.to_pylist():
        made = tiny_data.sample(
            row["algo_name"], row["length"], split="test", seed=0, index=row["index"]
        )
        for column, value in made.items():
            if isinstance(value, np.ndarray):
                value = value.tolist()
            assert row[column] == value
        key = graph.unpack(row["algo_name"], row["length"], row["graph_inputs"], "input")["key"]
        assert f"key: [{' '.join(str(round(float(k), 3)) for k in key)}]" in row["question"]


def test_reading_parts_of_a_cell(dataset):
    cell = dataset.cells("test")[0]
    whole = dataset.read(cell)
    assert dataset.read(cell, limit=2).equals(whole.slice(0, 2))
    assert dataset.read(cell, limit=100).equals(whole)
    assert dataset.read(cell, limit=0).equals(whole.slice(0, 0))
    some = dataset.read(cell, ["answer", "question"])
    assert some.equals(whole.select(["answer", "question"]))
    assert pa.concat_tables(dataset.batches(cell)).equals(whole)


def test_what_a_data_set_does_not_have_is_a_sentence(dataset):
    cell = dataset.cells("test")[0]
    gone = Cell("test", "bfs", 4, 6)
    assert refusal(lambda: dataset.read(gone)) == f"{dataset.url} has no test/bfs/4"
    assert refusal(lambda: dataset.read(cell, ["answr"])) == (
        "unknown column of a data set 'answr'; did you mean 'answer'?"
    )


def test_the_hash_is_of_all_rows_and_of_nothing_else(dataset, tmp_path):
    again = tiny_data.write(tmp_path / "again", LENGTHS, samples=6)
    assert again.hash == dataset.hash
    change_manifest(again, lambda values: values["files"].reverse())
    assert datasets.open(again.url).hash == dataset.hash
    rows = again.read(Cell("test", "insertion_sort", 4, 6))
    put(again, FIRST, parquet.to_bytes(rows))  # as another version might write it
    assert again.folder.read(FIRST) != dataset.folder.read(FIRST)
    assert datasets.open(again.url).hash == dataset.hash
    other = tiny_data.write(tmp_path / "other", LENGTHS, samples=6, seed=1)
    assert other.hash != dataset.hash


def test_parquet_bytes_depend_on_rows_alone():
    rows = [tiny_data.sample("minimum", 4, split="a", seed=0, index=i) for i in range(50)]
    table = pa.Table.from_pylist(rows, schema=schema.DATASET)
    pieces = pa.concat_tables([table.slice(0, 7), table.slice(7)])
    assert datasets.to_parquet(pieces) == datasets.to_parquet(table)
    assert datasets.from_parquet(datasets.to_parquet(pieces), "x").equals(table)


def test_row_groups_are_a_few_megabytes():
    row = tiny_data.sample("minimum", 4, split="a", seed=0, index=0)
    row["question"] = "x" * 100_000
    table = pa.Table.from_pylist([row] * 300, schema=schema.DATASET)
    file = pq.ParquetFile(pa.BufferReader(datasets.to_parquet(table)))
    assert file.num_row_groups == pytest.approx(300 * 100_000 / (4 << 20), abs=1)


def test_data_sets_of_another_place(dataset):
    target = Folder.at("memory://another-place/data")
    for name in dataset.folder.names():
        target.write(name, dataset.folder.read(name))
    opened = datasets.open("memory://another-place/data")
    assert opened.hash == dataset.hash
    assert tiny_data.rows(opened).equals(tiny_data.rows(dataset))
    target.clear()


def test_where_there_is_no_data_set(tmp_path):
    gone = tmp_path / "gone"
    assert refusal(lambda: datasets.open(gone)) == (
        f"{gone} does not exist; make a data set with clrs-text-bench generate"
    )
    (tmp_path / "empty").mkdir()
    assert "has no dataset.json" in refusal(lambda: datasets.open(tmp_path / "empty"))
    (tmp_path / "file").write_text("x")
    refusal(lambda: datasets.open(tmp_path / "file"))
    (tmp_path / "begun" / "unfinished").mkdir(parents=True)
    assert refusal(lambda: datasets.open(tmp_path / "begun")) == (
        f"data set {tmp_path}/begun is unfinished; finish it with generate --resume, "
        "or import it again"
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda values: values.update(format_version=2, anything="new"),
            "has format version 2, newer than the 1 that this package reads; upgrade "
            "clrs-text-bench",
        ),
        (lambda values: values.update(engin="x"), "unknown key 'engin'; did you mean 'engine'?"),
        (lambda values: values.pop("files"), "key 'files' is missing"),
        (
            lambda values: values["files"][0].update(rows="many"),
            "files.0.rows = 'many': input should be a valid integer",
        ),
        (
            lambda values: values["recipe"]["splits"][0]["lengths"].update(bfsx=[4]),
            "recipe.splits.0: algorithms and the table of lengths name different algorithms",
        ),
    ],
)
def test_a_manifest_of_another_form_is_a_sentence(dataset, change, sentence):
    change_manifest(dataset, change)
    assert sentence in refusal(lambda: datasets.open(dataset.url))


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[1, 2]", b"null", b"[" * 200_000])
def test_a_damaged_manifest_is_a_sentence(dataset, text):
    dataset.folder.write("dataset.json", text)
    assert f"dataset.json of {dataset.url}" in refusal(lambda: datasets.open(dataset.url))


def test_a_missing_file_is_a_sentence(dataset):
    dataset.folder.remove(FIRST)
    opened = datasets.open(dataset.url)
    assert refusal(lambda: tiny_data.rows(opened)) == f"{dataset.url} has no file {FIRST}"


@pytest.mark.parametrize("keep", [0, 3, 4, 100, -1])
def test_a_truncated_file_is_a_sentence(dataset, keep):
    whole = dataset.folder.read(FIRST)
    dataset.folder.write(FIRST, whole[:keep])
    sentence = refusal(lambda: tiny_data.rows(dataset))
    assert sentence.startswith(f"{FIRST} of {dataset.url} is not a whole Parquet file: ")


def test_every_altered_byte_is_noticed(dataset):
    whole = dataset.folder.read(FIRST)
    rng = np.random.default_rng(0)
    for place in rng.choice(len(whole), 60, replace=False).tolist():
        altered = bytearray(whole)
        altered[place] ^= 1 << rng.integers(8)
        dataset.folder.write(FIRST, bytes(altered))
        assert FIRST in refusal(lambda: tiny_data.rows(dataset))


def test_other_rows_of_the_same_size_are_noticed(dataset):
    """The bytes are whole Parquet, only not those that the manifest names."""
    cell = dataset.cells("test")[0]
    table = dataset.read(cell)
    dataset.folder.write(FIRST, datasets.to_parquet(table.take(pa.array([1, 0, 2, 3, 4, 5]))))
    sentence = refusal(lambda: dataset.read(cell))
    assert "was altered" in sentence or "its manifest says" in sentence


def test_fewer_rows_than_the_manifest_says(dataset):
    cell = dataset.cells("test")[0]
    put(dataset, FIRST, datasets.to_parquet(dataset.read(cell).slice(1)))
    opened = datasets.open(dataset.url)
    assert refusal(lambda: opened.read(cell)) == (
        f"{FIRST} of {dataset.url} has 5 rows, its manifest says 6; make the data set again"
    )


@pytest.mark.parametrize("column", schema.DATASET.names)
@pytest.mark.parametrize("vouched", [True, False])
def test_a_column_that_is_gone_is_named(dataset, column, vouched):
    cell = dataset.cells("test")[0]
    data = parquet.to_bytes(dataset.read(cell).drop_columns([column]))
    if vouched:
        put(dataset, FIRST, data)
    else:
        dataset.folder.write(FIRST, data)
    opened = datasets.open(dataset.url)
    assert refusal(lambda: opened.read(cell)) == (
        f"{FIRST} of {dataset.url} has no column {column!r}"
    )


def test_a_column_of_another_type_is_named(dataset):
    cell = dataset.cells("test")[0]
    table = dataset.read(cell)
    place = table.schema.get_field_index("length")
    wider = table.set_column(place, "length", table["length"].cast(pa.int64()))
    put(dataset, FIRST, datasets.to_parquet(wider))
    opened = datasets.open(dataset.url)
    assert refusal(lambda: opened.read(cell)) == (
        f"column 'length' of {FIRST} of {dataset.url} is int64, expected int32"
    )


def test_the_command_line_says_it_in_one_sentence(dataset):
    dataset.folder.write(FIRST, dataset.folder.read(FIRST)[:-9])
    assert "is not a whole Parquet file" in command.sentence("show", dataset.url)
    change_manifest(dataset, lambda values: values.update(format_version=99))
    for words in (("show",), ("verify",), ("evaluate", "solver", "--data")):
        assert "has format version 99, newer than" in command.sentence(*words, dataset.url)
