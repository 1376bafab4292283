import csv
import hashlib
import json
import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clrs_text_bench import modelspec, predictions, schema
from clrs_text_bench.errors import BadInput

from .. import tiny_data

REQUIRED = [*schema.IDENTITY, "prediction"]


def row(index=0, prediction="1", **more):
    identity = dict(zip(schema.IDENTITY, ("test", "minimum", 4, 0, index), strict=True))
    return identity | {"prediction": prediction} | more


def write_parquet(path, rows):
    pq.write_table(pa.Table.from_pylist(rows), path)


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")


def write_csv(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


WRITERS = {".parquet": write_parquet, ".jsonl": write_jsonl, ".csv": write_csv}


@pytest.fixture(params=WRITERS)
def written(request, tmp_path):
    """Writes rows to a file of each kind."""

    def write(rows):
        path = tmp_path / f"answers{request.param}"
        WRITERS[request.param](path, rows)
        return path

    return write


TEXTS = [
    "",
    "NA",
    "null",
    "NaN",
    "None",
    "nan",
    " ",
    "1\n\n",
    'a "quoted" [0.1, 0.2]',
    "line\nline\r\nline\rline",
    "[0.1 0.2]\t,;",
    "'\\\"",
    "é 模型 \U0001f600",
    "\u2028\u0085",
]


def test_text_comes_through_as_it_stands(written):
    path = written([row(index, text) for index, text in enumerate(TEXTS)])
    table = predictions.read(path)
    assert table.schema == schema.PREDICTIONS
    assert table["prediction"].to_pylist() == TEXTS
    assert table["finish_reason"].null_count == table["seconds"].null_count == len(TEXTS)


def test_optional_columns_and_others(written):
    path = written(
        [
            row(0, finish_reason="stop", n_tokens=7, seconds=0.5, note="x"),
            row(1, finish_reason="length", n_tokens=8, seconds=1, note="y"),
        ]
    )
    table = predictions.read(path)
    assert table.schema == schema.PREDICTIONS
    assert table["finish_reason"].to_pylist() == ["stop", "length"]
    assert table["n_tokens"].to_pylist() == [7, 8]
    assert table["seconds"].to_pylist() == [0.5, 1.0]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1))
@settings(max_examples=60, deadline=None)
def test_csv_and_jsonl_keep_any_text(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("texts")
    rows = [row(index, text) for index, text in enumerate(texts)]
    for suffix in (".csv", ".jsonl"):
        path = folder / f"a{suffix}"
        WRITERS[suffix](path, rows)
        assert predictions.read(path)["prediction"].to_pylist() == texts


def test_null_predictions_are_missing(tmp_path):
    for suffix in (".parquet", ".jsonl"):
        path = tmp_path / f"a{suffix}"
        WRITERS[suffix](path, [row(0, None), row(1, "")])
        assert predictions.read(path)["prediction"].to_pylist() == [None, ""]


def test_a_byte_order_mark_and_empty_lines_do_no_harm(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("\ufeff" + json.dumps(row()) + "\n\n", encoding="utf-8")
    assert predictions.read(path).num_rows == 1
    path = tmp_path / "a.csv"
    write_csv(path, [row()])
    path.write_text("\ufeff" + path.read_text(), encoding="utf-8")
    assert predictions.read(path).num_rows == 1


def test_other_types_of_text_and_numbers_are_read(tmp_path):
    table = pa.Table.from_pylist([row(0), row(1)])
    table = table.set_column(1, "algo_name", table["algo_name"].dictionary_encode())
    table = table.set_column(5, "prediction", table["prediction"].cast(pa.large_string()))
    pq.write_table(table, tmp_path / "a.parquet")
    assert predictions.read(tmp_path / "a.parquet").schema == schema.PREDICTIONS


def test_a_lone_surrogate_in_json_does_not_stop_the_rest(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps(row(0, "1 \ud800")) + "\n")
    assert predictions.read(tmp_path / "a.jsonl")["prediction"].to_pylist() == ["1 ?"]


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_ten_megabyte_answer_is_read_in_a_second(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    WRITERS[suffix](path, [row(0, '[0.1 "\n' * 1_500_000), row(1)])
    start = time.perf_counter()
    assert pc.utf8_length(predictions.read(path)["prediction"])[0].as_py() == 10_500_000
    assert time.perf_counter() - start < 2


def fails(path, message):
    with pytest.raises(BadInput, match=message):
        predictions.read(path)


def test_a_missing_file_is_named(tmp_path):
    fails(tmp_path / "a.csv", "predictions file .*/a.csv does not exist")


def test_an_unknown_kind_is_named(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    fails(tmp_path / "a.txt", "a.txt must end in .parquet, .jsonl or .csv")


@pytest.mark.parametrize("suffix", WRITERS)
def test_an_empty_file_is_named(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"")
    fails(path, "is empty")


def test_files_without_rows_are_named(tmp_path):
    pq.write_table(schema.PREDICTIONS.empty_table(), tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text(",".join(REQUIRED) + "\n")
    (tmp_path / "a.jsonl").write_text("\n\n")
    for name in ("a.parquet", "a.csv", "a.jsonl"):
        fails(tmp_path / name, f"{name} holds no predictions")


def test_a_folder_without_predictions_is_named(tmp_path):
    fails(tmp_path, "is a folder without .parquet files")


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_column_is_named(written, name):
    fails(written([{k: v for k, v in row().items() if k != name}]), f"has no (column )?'{name}'")


def test_two_rows_for_a_sample_are_named(written):
    path = written([row(0), row(5), row(5, "2")])
    fails(path, "has 2 rows for minimum length 4, split test, seed 0, index 5; each sample may")


def test_unknown_finish_reasons_are_named(written):
    fails(written([row(finish_reason="eos")]), "finish_reason 'eos' in .* is none of stop, length")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_bytes_that_are_no_utf8_are_named(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    WRITERS[suffix](path, [row(0, "caf?")])
    path.write_bytes(path.read_bytes().replace(b"caf?", b"caf\xe9"))
    fails(path, "is not UTF-8: byte [0-9]+ is not")


def test_parquet_strings_that_are_no_utf8_are_named(tmp_path):
    bad = pa.StringArray.from_buffers(
        1, pa.py_buffer(np.array([0, 2], np.int32).tobytes()), pa.py_buffer(b"\xff\xfe")
    )
    table = pa.Table.from_pylist([row()]).set_column(5, "prediction", bad)
    pq.write_table(table, tmp_path / "a.parquet")
    fails(tmp_path / "a.parquet", "cannot read predictions file .*UTF8")


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("length", "four"), ("length", 4.5), ("index", True), ("prediction", 7), ("split", 1)],
)
def test_wrong_types_are_named(tmp_path, suffix, name, value):
    path = tmp_path / f"a{suffix}"
    WRITERS[suffix](path, [row() | {name: value}])
    fails(path, f"'{name}' (of|in).*{path.name}.* (holds|is) .*, expected")


@pytest.mark.parametrize(("name", "value"), [("length", "four"), ("index", "4.5"), ("seed", "x")])
def test_numbers_that_are_none_are_named_in_csv(tmp_path, name, value):
    write_csv(tmp_path / "a.csv", [row(), row(1) | {name: value}])
    fails(tmp_path / "a.csv", f"cannot read predictions file .*a.csv: .*{value}")


def test_empty_numbers_are_named(written):
    fails(written([row(0), row(1) | {"seed": None}]), "'seed' is empty in row 2")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2 of .* is not valid JSON"),
        ("[1]", "line 2 of .* is not a JSON object"),
        ("[" * 100_000, "line 2 of .* is not valid JSON"),
        (json.dumps(row(1) | {"length": 2**40}), "'length' in line 2 of .* is beyond int32"),
        (json.dumps(row(1) | {"index": 2**70}), "'index' in line 2 of .* is beyond int64"),
    ],
)
def test_lines_that_cannot_be_read_are_named(tmp_path, line, message):
    (tmp_path / "a.jsonl").write_text(f"{json.dumps(row(0))}\n{line}\n")
    fails(tmp_path / "a.jsonl", message)


def test_csv_rows_of_another_length_are_named(tmp_path):
    write_csv(tmp_path / "a.csv", [row()])
    with (tmp_path / "a.csv").open("a") as file:
        file.write("test,minimum,4\n")
    fails(tmp_path / "a.csv", "cannot read predictions file .* [Ee]xpected 6 columns, got 3")


def test_a_column_that_stands_twice_is_named(tmp_path):
    (tmp_path / "a.csv").write_text(",".join([*REQUIRED, "prediction"]) + "\ntest,bfs,4,0,0,1,2\n")
    fails(tmp_path / "a.csv", "has column 'prediction' twice")


def test_a_damaged_parquet_file_is_named(tmp_path):
    write_parquet(tmp_path / "a.parquet", [row()])
    data = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(data[:-30])
    fails(tmp_path / "a.parquet", "cannot read predictions file .*a.parquet: ")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return tiny_data.write(tmp_path_factory.mktemp("data"), {"test": [4, 6], "train": [4]})


@pytest.fixture(scope="module")
def truth(dataset):
    rows = tiny_data.rows(dataset)
    return rows.select(list(schema.IDENTITY)).append_column("prediction", rows["answer"])


def load(path):
    return modelspec.load(f"file:{path}")


def test_the_model_answers_row_for_row_in_any_order(dataset, truth, written):
    model = load(written(truth.take(np.random.default_rng(0).permutation(len(truth))).to_pylist()))
    model.prepare(dataset)
    requests = tiny_data.rows(dataset)
    requests = requests.take(np.random.default_rng(1).permutation(len(requests)))
    answers = model.generate(requests)
    assert answers.schema == schema.PREDICTIONS
    for name in schema.IDENTITY:
        assert answers[name].to_pylist() == requests[name].to_pylist()
    assert answers["prediction"].to_pylist() == requests["answer"].to_pylist()


def test_the_model_has_no_answer_to_what_the_file_leaves_out(dataset, truth, written):
    model = load(written(truth.slice(0, 5).to_pylist()))
    model.prepare(dataset)
    answers = model.generate(dataset.read(dataset.cells("test")[0]))
    assert answers["prediction"].is_null().to_pylist() == [False] * 5 + [True] * 15
    assert answers["finish_reason"].to_pylist() == [None] * 5 + ["error"] * 15
    others = model.generate(dataset.read(dataset.cells("test")[1]))
    assert others["prediction"].null_count == others.num_rows == 20
    assert model.generate(tiny_data.rows(dataset).slice(0, 0)).num_rows == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"index": 99}, "index 99, which is no sample of"),
        ({"seed": 1}, "seed 1, index 0, which is no sample of"),
        ({"length": 5}, "minimum length 5, split test"),
        ({"algo_name": "bfs"}, "bfs length 4"),
        ({"split": "val"}, "split val"),
    ],
)
def test_rows_that_answer_no_sample_are_named(dataset, written, change, message):
    model = load(written([row(0), row(1), row(0) | change]))
    with pytest.raises(BadInput, match=message):
        model.prepare(dataset)


def test_rows_of_other_splits_are_known(dataset, written):
    load(written([row(0), row(0) | {"split": "train"}])).prepare(dataset)


def test_the_model_is_named_by_its_file(written):
    path = written([row()])
    info = load(path).info()
    assert info.name == "answers"
    assert info.checkpoint == hashlib.sha256(hashlib.sha256(path.read_bytes()).digest()).hexdigest()
    assert info.train_lengths is None
    assert load(written([row(0, "2")])).info() != info


def test_a_record_tells_who_wrote_the_file(tmp_path):
    table = pa.Table.from_pylist([row()])
    record = {"model": {"name": "net", "train_lengths": [4, 5], "settings": {"a": 1}, "new": 0}}
    pq.write_table(predictions.with_record(table, record), tmp_path / "a.parquet")
    info = load(tmp_path / "a.parquet").info()
    assert (info.name, info.train_lengths) == ("net", (4, 5))
    assert info.settings["a"] == 1
    assert info.settings["predictions"]


def test_a_folder_stands_for_all_its_parquet_files(tmp_path, dataset, truth):
    for start in (0, 40):
        pq.write_table(truth.slice(start, 40), tmp_path / f"{start}.parquet")
    (tmp_path / "request.json").write_text("{}")
    model = load(tmp_path)
    model.prepare(dataset)
    requests = tiny_data.rows(dataset)
    assert model.generate(requests)["prediction"].to_pylist() == requests["answer"].to_pylist()
    pq.write_table(truth.slice(0, 1), tmp_path / "more.parquet")
    with pytest.raises(BadInput, match="has 2 rows for"):
        load(tmp_path)


def test_the_spec_needs_a_path():
    with pytest.raises(BadInput, match=r"file: needs a path, such as file:answers.jsonl"):
        modelspec.load("file:")
