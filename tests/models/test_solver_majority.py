"""The ceiling and the floor: the algorithm itself, and the most common answer."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from clrs_text_bench import datasets, modelspec, registry, schema, tasks
from clrs_text_bench.errors import BadInput

from .. import tiny_data


@pytest.fixture(scope="module")
def engine():
    return registry.load("generators", "native")()


@pytest.fixture(scope="module")
def solver():
    return registry.load("models", "solver")("")


@pytest.mark.parametrize("use_hints", [False, True])
@pytest.mark.parametrize("algorithm", tasks.names())
def test_the_solver_gives_the_answer_of_every_task(algorithm, use_hints, engine, solver):
    for length in (4, 7, 12):
        table = engine.generate(
            algorithm,
            length,
            seed=2,
            split="test",
            indices=np.arange(4),
            use_hints=use_hints,
            graph_hints=False,
        )
        answered = solver.generate(table)
        assert answered.schema == schema.PREDICTIONS
        truth = [answer.rstrip("\n") for answer in table["answer"].to_pylist()]
        assert answered["prediction"].to_pylist() == truth
        assert answered["index"].to_pylist() == [0, 1, 2, 3]
        assert set(answered["finish_reason"].to_pylist()) == {"stop"}


def test_the_solver_reads_neither_questions_nor_answers(engine, solver):
    table = engine.generate(
        *("bfs", 6), seed=0, split="test", indices=np.arange(3), use_hints=False, graph_hints=False
    )
    truth = [answer.rstrip("\n") for answer in table["answer"].to_pylist()]
    for name in ("question", "answer"):
        place = table.schema.names.index(name)
        table = table.set_column(place, table.schema.field(name), pa.array(["?"] * 3))
    assert solver.generate(table)["prediction"].to_pylist() == truth


def test_the_solver_needs_graph_inputs(solver, tmp_path):
    dataset = tiny_data.write(tmp_path, {"test": [4]}, samples=2, algorithms=["insertion_sort"])
    table = tiny_data.rows(dataset)
    field = table.schema.field("graph_inputs")
    place = table.schema.names.index("graph_inputs")
    table = table.set_column(place, field, pa.nulls(table.num_rows, field.type))
    with pytest.raises(
        BadInput, match="solver needs graph_inputs, and a row of insertion_sort has none"
    ):
        solver.generate(table)


def test_an_unknown_engine_of_the_solver_is_named_with_the_nearest():
    with pytest.raises(BadInput, match="did you mean 'native'"):
        modelspec.load("solver:natvie")


def test_the_solver_says_which_engine_answers(solver, engine):
    info = solver.info()
    assert (info.name, info.settings) == ("solver", {"engine": "native", "version": engine.version})
    assert info.n_parameters is None


def with_answers(monkeypatch, dataset, answers):
    """Replaces the training answers of a data set; `answers` maps (algorithm, length) to lists."""

    def batches(self, cell, columns, **_):
        assert cell.split == "train"
        chosen = answers[cell.algorithm, cell.length]
        # In two pieces, as large cells come.
        for piece in (chosen[:2], chosen[2:]):
            yield pa.table({name: pa.array(piece) for name in columns})

    monkeypatch.setattr(datasets.Dataset, "batches", batches)
    majority = registry.load("models", "majority")("")
    majority.prepare(dataset)
    return majority


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """A floor that has counted answers made by hand, and rows of several lengths to answer."""
    dataset = tiny_data.write(
        tmp_path, {"train": [4, 8], "test": [4, 5, 6, 7, 8, 20]}, samples=5, algorithms=["minimum"]
    )
    answers = {
        ("minimum", 4): ["b\n\n", "a\n\n", "a\n\n", "c\n\n", "b\n\n"],  # a and b: b came first
        ("minimum", 8): ["x\n\n", "y\n\n", "z\n\n", "y\n\n", "x\n\n", "y\n\n"],
    }
    return with_answers(monkeypatch, dataset, answers), dataset


def test_the_majority_is_the_most_common_answer_at_the_nearest_trained_length(counted):
    majority, dataset = counted
    table = tiny_data.rows(dataset)
    answered = majority.generate(table)
    assert answered.schema == schema.PREDICTIONS
    assert answered.num_rows == table.num_rows == 30
    by_length = {}
    for length, answer in zip(
        answered["length"].to_pylist(), answered["prediction"].to_pylist(), strict=True
    ):
        by_length.setdefault(length, set()).add(answer)
    # Of 4 and 8, equally near to 6, the smaller.
    assert by_length == {4: {"b"}, 5: {"b"}, 6: {"b"}, 7: {"y"}, 8: {"y"}, 20: {"y"}}


def test_the_majority_says_what_it_was_trained_on(counted):
    majority, dataset = counted
    info = majority.info()
    assert info.train_lengths == (4, 8)
    assert info.train_algorithms == ("minimum",)
    assert info.settings == {"data": dataset.hash}


def test_the_majority_counts_the_answers_of_real_rows(tmp_path):
    dataset = tiny_data.write(tmp_path, {"train": [4], "test": [4]}, samples=30)
    majority = registry.load("models", "majority")("")
    majority.prepare(dataset)
    for algorithm in tiny_data.ALGORITHMS:
        (cell,) = [c for c in dataset.cells("train") if c.algorithm == algorithm]
        answers = dataset.read(cell)["answer"].to_pylist()
        most = max(answers, key=answers.count)  # the first of the most common
        test = tiny_data.rows(dataset)
        test = test.filter(pc.equal(pc.cast(test["algo_name"], pa.string()), algorithm))
        assert set(majority.generate(test)["prediction"].to_pylist()) == {most.rstrip("\n")}


def test_the_majority_needs_training_answers_of_the_task(tmp_path):
    majority = registry.load("models", "majority")("")
    with pytest.raises(BadInput, match=r"majority needs a train split, and .*test-only has none"):
        majority.prepare(tiny_data.write(tmp_path / "test-only", {"test": [4]}))
    majority.prepare(tiny_data.write(tmp_path / "a", {"train": [4]}, algorithms=["minimum"]))
    other = tiny_data.write(tmp_path / "b", {"test": [4]}, algorithms=["insertion_sort"])
    with pytest.raises(BadInput, match="majority has no training answers of insertion_sort"):
        majority.generate(tiny_data.rows(other))


def test_the_majority_takes_no_argument():
    with pytest.raises(BadInput, match="majority takes no argument, not 'x'"):
        modelspec.load("majority:x")
