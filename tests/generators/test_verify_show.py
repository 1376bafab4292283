"""`verify` and `show` on data sets as they should be, and as they should not."""

import json
import re

import pyarrow as pa
import pytest

from clrs_text_bench import datasets
from clrs_text_bench.content import hash_rows
from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import showing, verifying
from clrs_text_bench.storage import Folder, sha256

from .. import command, tiny_data
from .orders import SMALL, make, order, split


@pytest.fixture
def made(toy, tmp_path):
    """A small data set of the toy engine, on disk."""
    source = make(order(*SMALL), "memory://made")
    target = Folder.at(tmp_path / "data")
    for name in source.folder.names():
        target.write(name, source.folder.read(name))
    source.folder.clear()
    return datasets.open(target.url)


def problems(dataset, rows=3):
    opened = datasets.open(dataset.url)
    return list(verifying.verify(opened, rows_per_cell=rows, show=False).problems)


PATH = "data/test/minimum/4-00000.parquet"


def test_what_is_whole_is_found_so(made, real):
    verdict = verifying.verify(made, rows_per_cell=3, show=False)
    assert (verdict.files, verdict.rows, verdict.problems) == (6, 18, ())
    verdict = verifying.verify(real, rows_per_cell=2, show=False)
    assert (verdict.files, verdict.problems) == (len(real.manifest.files), ())
    assert verdict.rows == sum(min(2, c.count) for c in real.cells())


def test_upstreams_stream_is_verified_from_its_start():
    splits = split("train", [4], 5, algorithms=["bfs", "minimum"], seeds=[3, 4])
    made = make(order(splits, engine="dm-clrs", stream="upstream", hints=True), "memory://stream")
    assert problems(made) == []
    made.folder.clear()


def test_an_altered_byte_is_found(made):
    data = bytearray(made.folder.read(PATH))
    data[len(data) // 2] ^= 1
    made.folder.write(PATH, bytes(data))
    assert problems(made) == [f"{PATH} was altered: its hash is not the manifest's"]


def test_a_file_cut_short_is_found(made):
    data = made.folder.read(PATH)
    made.folder.write(PATH, data[:-1])
    assert problems(made) == [
        f"{PATH} has {len(data) - 1} bytes, its manifest says {len(data)}",
    ]


def test_a_removed_and_an_extra_file_are_found(made):
    made.folder.remove(PATH)
    made.folder.write("data/test/minimum/5-00000.parquet", b"?")
    assert problems(made) == [
        "data/test/minimum/5-00000.parquet is not in the manifest",
        f"{made.url} has no file {PATH}",
    ]


def vouch(dataset, path, table, content=None):
    """Replaces a file's rows, and has the manifest vouch for them, or for other content."""
    data = datasets.to_parquet(table)
    values = json.loads(dataset.folder.read("dataset.json"))
    for record in values["files"]:
        if record["path"] == path:
            record.update(bytes=len(data), sha256=sha256(data))
            record["content"] = content or hash_rows(table)
    dataset.folder.write(path, data)
    dataset.folder.write("dataset.json", json.dumps(values).encode())


def test_rows_that_are_not_those_of_the_hash_are_found(made):
    cell = next(c for c in made.cells("test") if c.algorithm == "minimum")
    vouch(made, PATH, made.read(cell), content="0" * 64)
    assert problems(made) == [f"{PATH} holds other rows than its manifest says"]


@pytest.mark.parametrize("column", ["question", "answer", "graph_inputs", "graph_outputs"])
def test_a_row_that_the_engine_does_not_make_is_found(made, column):
    cell = next(c for c in made.cells("test") if c.algorithm == "minimum")
    table = made.read(cell)
    values = table[column].to_pylist()
    values[7] = values[6]
    place = table.schema.get_field_index(column)
    field = table.schema.field(column)
    vouch(made, PATH, table.set_column(place, field, pa.array(values, field.type)))
    assert problems(made, rows=20) == [
        "row 7 of test/minimum/4 is not what engine toy makes",
    ]


def test_rows_of_a_data_set_by_another_version_say_so(made, monkeypatch):
    from clrs_text_bench import registry

    monkeypatch.setattr(registry.load("generators", "toy"), "version", "toy 2")
    monkeypatch.setenv("TOY_FEW", "7")
    found = problems(made, rows=1)
    assert found
    for sentence in found:
        assert sentence.endswith("is not what engine toy makes (made by toy 1, this is toy 2)")


def test_no_rows_are_made_again_if_none_are_asked_for(made):
    assert verifying.verify(made, rows_per_cell=0, show=False).rows == 0


def test_an_engine_that_is_gone_is_a_sentence(made):
    values = json.loads(made.folder.read("dataset.json"))
    values["engine"] = "lost"
    made.folder.write("dataset.json", json.dumps(values).encode())
    with pytest.raises(BadInput, match="unknown engine 'lost'"):
        problems(made)


def test_the_command_verify(made, toy_folder):
    done = command.run("verify", made.url, "-n", "2", path=toy_folder)
    assert done.stdout == f"{made.url}: 6 files whole, 12 rows made again alike\n"
    sentence = command.sentence("verify", made.url, "-n", "-1", path=toy_folder)
    assert sentence == "--rows -1 is below 0"
    made.folder.remove(PATH)
    done = command.run("verify", made.url, path=toy_folder, code=2)
    assert f"{made.url} has no file {PATH}" in done.stderr.splitlines()
    last = done.stderr.splitlines()[-1]
    assert last == f"clrs-text-bench: {made.url} is not what it should be: 1 problem"


def test_show_tells_counts_lengths_and_overlap(made, toy_folder):
    text = command.run("show", made.url, path=toy_folder).stdout
    assert "120 in 6 files" in text
    assert made.hash in text
    assert "the tests' command" in text
    table = [line.split() for line in text.splitlines() if re.match(r"(train|test) ", line)]
    assert [row[:4] for row in table] == [
        [split_, name, length, "20"]
        for split_, name, length in (
            ("train", "insertion_sort", "3"),
            ("train", "insertion_sort", "4"),
            ("train", "minimum", "3"),
            ("train", "minimum", "4"),
            ("test", "insertion_sort", "4"),
            ("test", "minimum", "4"),
        )
    ]
    for row, cell in zip(table, made.cells(), strict=True):
        rows = made.read(cell).to_pylist()
        lengths = [len(r["question"] + r["answer"]) for r in rows]
        assert row[4] == f"{sum(lengths) / len(lengths):,.0f}"
        assert row[-1].endswith("%")


def test_show_prints_samples_as_they_are(made, toy_folder, real):
    text = command.run(
        "show", made.url, "--split", "test", "-a", "minimum", "-n", "2", path=toy_folder
    ).stdout
    cell = next(c for c in made.cells("test") if c.algorithm == "minimum")
    for row in made.read(cell, limit=2).to_pylist():
        assert row["question"] + row["answer"].rstrip("\n") in text
    long = command.run("show", real.url, "-a", "bridges", "-n", "1").stdout
    for split_ in ("train", "test"):
        (cell,) = real.cells(split_, ["bridges"])
        (row,) = real.read(cell, limit=1).to_pylist()
        assert len(row["answer"]) > 500
        assert row["question"] + row["answer"].rstrip("\n") in long


def test_show_says_where_inputs_ran_out():
    url = "memory://short"
    splits = (
        split("train", [2], 200, algorithms=["bfs"]),
        split("test", [2], 50, algorithms=["bfs"]),
    )
    made = make(order(*splits, engine="native", dedupe=True), url)
    (sentence,) = showing.shortfalls(made.manifest.overlap)
    assert re.fullmatch(
        r"test/bfs at length 2 has \d+ rows of the 50 asked for: so small a size has no more "
        "inputs that are not in train",
        sentence,
    )
    made.folder.clear()


def test_show_of_a_data_set_without_overlap_records(tmp_path):
    tiny_data.write(tmp_path / "data", {"test": [4]})
    assert "minimum" in command.run("show", tmp_path / "data").stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--split", "tset"], "'tset'; did you mean 'test'?"),
        (["-a", "minimun"], "'minimun'; did you mean 'minimum'?"),
        (["-a", "bfs"], "'bfs'; "),
        (["-l", "9"], "has no samples of lengths 9"),
        (["-l", "4-"], "length '4-' in '4-' is not like 12 or 4-8"),
        (["-n", "-2"], "--samples -2 is below 0"),
    ],
)
def test_show_refuses_what_is_not_there(made, toy_folder, words, sentence):
    assert sentence in command.sentence("show", made.url, *words, path=toy_folder)


def test_show_needs_no_engine(made):
    """Whoever reads a data set need not have what made it."""
    assert "toy 1" in command.run("show", made.url).stdout
    assert Folder.at(made.url).exists("dataset.json")
