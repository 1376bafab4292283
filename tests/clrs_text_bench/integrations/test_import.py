"""Published CLRS-Text as a data set: upstream's own generator writes it, ours reads it."""

import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clrs_text_bench import datasets, engines, graph, schema, tasks, text
from clrs_text_bench.errors import BadInput
from clrs_text_bench.integrations import cells, importing, questions
from clrs_text_bench.integrations.published import COLUMNS

from ... import command, tiny_data

ALGORITHMS = {"bfs": [4, 5], "insertion_sort": [4], "binary_search": [4]}


def published(count, seed, use_hints=False, algorithms=ALGORITHMS):
    """Rows as the hub's data were made: upstream's generator for `datasets.from_generator`."""
    from clrs._src.clrs_text.huggingface_generators import clrs_generator

    state = random.getstate()
    try:
        return list(clrs_generator(algorithms, count, use_hints, seed))
    finally:
        random.setstate(state)


def write(path, rows, **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows)
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, values)
    pq.write_table(table, path, row_group_size=7)
    return path


@pytest.fixture(scope="module")
def rows():
    return {"test_1": published(30, 1), "test_2": published(20, 2)}


@pytest.fixture(scope="module")
def source(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    for split, of_split in rows.items():
        write(folder / "data" / f"{split}-00000-of-00001.parquet", of_split)
    return folder


@pytest.fixture(scope="module")
def imported(source, tmp_path_factory):
    return importing.import_published(source, tmp_path_factory.mktemp("in") / "data", show=False)


def test_every_row_is_kept_in_order_with_an_identity_by_place(rows, imported):
    assert imported.splits() == ["test_1", "test_2"]
    for cell in imported.cells():
        found = imported.read(cell)
        assert found.schema.equals(schema.DATASET)
        expected = [
            {name: row[name] for name in COLUMNS}
            for row in rows[cell.split]
            if (row["algo_name"], row["length"]) == (cell.algorithm, cell.length)
        ]
        assert found.select(list(COLUMNS)).to_pylist() == expected
        assert found["index"].to_pylist() == list(range(len(expected)))
        assert set(found["seed"].to_pylist()) == {cells.SEED}
        for name in ("n_steps", "graph_inputs", "graph_outputs", "graph_hints"):
            assert found[name].null_count == len(expected)
    assert sum(c.count for c in imported.cells()) == 50


def test_the_manifest_names_the_source(source, imported):
    manifest = imported.manifest
    assert manifest.recipe is None
    assert manifest.source.url == str(source)
    assert [(f.path, f.rows) for f in manifest.source.files] == [
        ("data/test_1-00000-of-00001.parquet", 30),
        ("data/test_2-00000-of-00001.parquet", 20),
    ]
    assert b'"recipe"' not in imported.folder.read("dataset.json")
    for record in manifest.overlap:
        cell = datasets.Cell(record.split, record.algorithm, record.length, record.rows)
        texts = imported.read(cell, ["question"])["question"].to_pylist()
        assert (record.rows, record.distinct) == (len(texts), len(set(texts)))


def test_questions_in_train_are_counted(tmp_path):
    rows = published(12, 3, algorithms={"minimum": [4]})
    write(tmp_path / "in" / "train.parquet", rows[:8])
    write(tmp_path / "in" / "test.parquet", rows[4:])
    made = importing.import_published(tmp_path / "in", tmp_path / "out", show=False)
    overlap = {o.split: o for o in made.manifest.overlap}
    assert (overlap["test"].rows, overlap["test"].in_train) == (8, 4)
    assert overlap["train"].in_train is None


def test_models_of_text_are_scored_and_others_say_what_is_missing(imported, run, tmp_path):
    answers = tmp_path / "answers.parquet"
    table = pa.concat_tables([imported.read(cell) for cell in imported.cells("test_1")])
    pq.write_table(
        table.select(list(schema.IDENTITY)).append_column("prediction", table["answer"]), answers
    )
    asked = ("--data", imported.url, "--split", "test_1", "--results", tmp_path / "results")
    _, out, _ = run("score", answers, *asked)
    assert "1.000  1.000  1.000 [1.000, 1.000]  1.000" in out
    code, _, error = run("evaluate", "solver", *asked)
    assert code == 2
    assert "solver needs graph_inputs" in error
    assert "--graphs" in error
    code, _, error = run("evaluate", f"file:{answers}", *asked, "--evaluator", "clrs-metric")
    assert code == 2
    assert "graph_outputs of row 0" in error


def test_show_and_verify_know_that_it_was_imported(imported, source, run):
    _, out, _ = run("show", imported.url)
    assert f"imported from  {source}" in out
    code, out, _ = run("verify", imported.url)
    assert code == 0
    assert "imported, so no rows can be made again" in out


def test_generate_does_not_take_it_for_its_own(imported):
    assert "holds an imported data set" in command.sentence_here(
        "generate", "smoke", "--resume", "--out", imported.url
    )


@pytest.mark.parametrize("use_hints", [False, True])
@pytest.mark.parametrize("algorithm", tasks.by_plugin()["clrs30"])
def test_questions_give_the_inputs_that_they_were_written_from(algorithm, use_hints):
    task = tasks.get(algorithm)
    made = engines.load("dm-clrs").generate(
        algorithm,
        5,
        seed=0,
        split="train",
        indices=np.arange(2),
        use_hints=use_hints,
        graph_hints=False,
    )
    for row in made.to_pylist():
        found = questions.inputs(task, 5, row["question"])
        expected = graph.unpack(algorithm, 5, row["graph_inputs"], "input")
        assert list(found) == [p.name for p in task.text_inputs()]
        for probe in task.text_inputs():
            wanted = expected[probe.name]
            if probe.type == "mask_one" or probe.n_classes:
                wanted = np.argmax(wanted, axis=-1)
            np.testing.assert_array_equal(found[probe.name].astype(np.float32), wanted)


@pytest.mark.slow
@pytest.mark.parametrize("use_hints", [False, True])
def test_graphs_are_recovered_by_running_the_algorithms_again(run, tmp_path, use_hints):
    """Of tasks with every kind of input: keys, classes, points, edges with weights, a node."""
    algorithms = {n: [5] for n in ("insertion_sort", "naive_string_matcher", "dijkstra", "bfs")}
    source = write(tmp_path / "test.parquet", published(24, 4, use_hints, algorithms))
    made = importing.import_published(source, tmp_path / "out", graphs=True, show=False)
    assert made.manifest.command == f"clrs-text-bench import hf {source} --graphs"
    oracle = engines.load("dm-clrs")
    for cell in made.cells():
        for row in made.read(cell).to_pylist():
            task = tasks.get(cell.algorithm)
            given = graph.unpack(cell.algorithm, 5, row["graph_inputs"], "input")
            outputs = graph.unpack(cell.algorithm, 5, row["graph_outputs"], "output")
            final = row["answer"].split("|")[-1]
            assert text.answer(task, given, outputs).strip() == final.strip()
            again = oracle.run(cell.algorithm, questions.inputs(task, 5, row["question"]))
            assert row["n_steps"] == again.n_steps
    _, out, _ = run("evaluate", "solver", "--data", made.url, "--results", tmp_path / "results")
    assert "1.000  1.000  1.000 [1.000, 1.000]  1.000" in out


def test_an_answer_that_the_algorithm_does_not_give_is_named(tmp_path):
    row = tiny_data.sample("minimum", 4, split="test", seed=0, index=0)
    row["answer"] = "0\n\n" if row["answer"] != "0\n\n" else "1\n\n"
    source = write(tmp_path / "test.parquet", [{name: row[name] for name in COLUMNS}])
    with pytest.raises(BadInput, match=r"minimum gives '\d\\n\\n', not '\d\\n\\n'"):
        importing.import_published(source, tmp_path / "out", graphs=True, show=False)
    assert not (tmp_path / "out").exists()
    importing.import_published(source, tmp_path / "out", show=False)


def test_names_of_files_tell_the_split(rows, tmp_path):
    for name in ("train/0000.parquet", "validation.parquet", "test-00001-of-00002-ab12.parquet"):
        write(tmp_path / "in" / name, rows["test_2"][:5])
    made = importing.import_published(tmp_path / "in", tmp_path / "out", show=False)
    assert set(made.splits()) == {"train", "validation", "test"}
    made = importing.import_published(tmp_path / "in", tmp_path / "all", split="test", show=False)
    assert made.splits() == ["test"]
    assert sum(c.count for c in made.cells()) == 15


def test_memory_is_bounded_by_writing_parts(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "_MOST_WAITING", 2000)
    source = write(tmp_path / "test.parquet", rows["test_1"])
    made = importing.import_published(source, tmp_path / "out", show=False)
    assert len(made.manifest.files) > len(made.cells())
    for cell in made.cells():
        assert made.read(cell)["index"].to_pylist() == list(range(cell.count))


@pytest.fixture
def refused(run, tmp_path):
    def call(path, *arguments):
        code, _, error = run("import", "hf", path, *arguments, "--out", tmp_path / "new")
        assert code == 2
        assert not (tmp_path / "new").exists()
        (line,) = [x for x in error.splitlines() if x.startswith("clrs-text-bench: ")]
        return line

    return call


def test_what_is_not_of_the_layout_is_refused(rows, refused, tmp_path):
    def given(rows, name="test.parquet", *arguments, **columns):
        return refused(write(tmp_path / "bad" / name, rows, **columns), *arguments)

    some = rows["test_2"][:4]
    lacking = [{k: v for k, v in row.items() if k != "length"} for row in some]
    assert "has no column 'length'" in given(lacking)
    texts = pa.array([str(row["length"]) for row in some])
    assert "column 'length' of" in given(some, length=texts)
    empty = pa.array([None, *(row["answer"] for row in some[1:])])
    assert "column 'answer' of" in given(some, answer=empty)
    odd = [{**row, "algo_name": "bsf"} for row in some]
    assert "did you mean 'bfs'?" in given(odd)
    wrong = [{**row, "answer": "[0 1\n\n"} for row in some]
    assert "test.parquet of" in given(wrong)
    mixed = [*some, {**some[0], "use_hints": True}]
    assert "traced rows and plain ones" in given(mixed)
    assert "gives no split" in given(some, "A file.parquet")
    assert "--split gives no split" in given(some, "x.parquet", "--split", "../x")
    assert "does not exist" in refused("nowhere")


def test_a_file_that_is_no_parquet_is_refused(refused, tmp_path):
    path = tmp_path / "test.parquet"
    path.write_bytes(b"no parquet at all")
    assert "cannot be read as Parquet" in refused(path)


def test_a_data_set_of_ours_needs_no_import(imported, refused):
    assert "is a data set as it is" in refused(imported.url)


def test_an_interrupted_import_begins_again(source, imported, tmp_path):
    out = tmp_path / "out"
    (out / "unfinished").mkdir(parents=True)
    (out / "unfinished" / "import.json").write_text("{}")
    (out / "data" / "test" / "bfs").mkdir(parents=True)
    (out / "data" / "test" / "bfs" / "4-00000.parquet").write_bytes(b"stale")
    with pytest.raises(BadInput, match="or import it again"):
        datasets.open(out)
    made = importing.import_published(source, out, show=False)
    assert made.manifest == imported.manifest
    assert made.folder.names() == imported.folder.names()
