"""Scoring tables: grouping, column encodings, matching by identity, and what is refused."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from clrs_text_bench import registry, schema, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import Scores, score_answer, score_table
from clrs_text_bench.evaluators.clrs_text import EVALUATOR
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.protocols import PoolingEvaluator

# algorithm, length, use_hints, answer, prediction
ROWS = [
    ("bfs", 4, False, "[0 0 1 2]\n\n", "[0 0 1 2]\n\n"),
    ("minimum", 8, False, "3\n\n", "[3]"),
    ("bfs", 3, False, "[0 0 1]\n\n", "[0 0 x]"),
    ("binary_search", 8, True, "(0, 3), (2, 3) | (3, 3)\n\n", "(0, 3), (1, 3) | (3, 4)"),
    ("bfs", 4, False, "[0 0 1 2]\n\n", None),
    ("bfs", 4, True, "[0 0 1 2] | [0 0 1 2]\n\n", "[0 0 1 2] | [0 0 1 3]"),
    ("segments_intersect", 9, True, "1\n\n", "The answer is **1**."),
    ("insertion_sort", 2, False, "[0.1 0.2]\n\n", "So: [0.10, 0.20]."),
    ("bfs", 4, False, "[0 0 1 2]\n\n", "[0 0 0 2]"),
    ("binary_search", 8, False, "3\n\n", ""),
]


def references(rows=ROWS, **identity):
    n = len(rows)
    columns = {
        "question": ["?"] * n,
        "answer": [row[3] for row in rows],
        "algo_name": pa.array([row[0] for row in rows]).dictionary_encode(),
        "length": [row[1] for row in rows],
        "use_hints": [row[2] for row in rows],
        "split": ["test"] * n,
        "seed": [0] * n,
        "index": list(range(n)),
        "n_steps": [1] * n,
        "graph_inputs": [[]] * n,
        "graph_outputs": [[]] * n,
        "graph_hints": [None] * n,
    }
    columns.update(identity)
    return pa.table(columns).cast(schema.DATASET)


def predictions(rows=ROWS):
    table = references(rows).select(schema.IDENTITY)
    return table.append_column("prediction", pa.array([row[4] for row in rows], pa.string()))


def expected(rows, extraction):
    scores = [score_answer(r[0], r[1], r[4], r[3], r[2], extraction) for r in rows]
    return [scores_row(s) for s in scores]


def scores_row(s):
    return [s.shape, s.parse, pytest.approx(s.clrs), s.exact, s.trace_share, s.first_wrong_step]


def values(table):
    names = [field.name for field in schema.SCORES if field.name not in schema.IDENTITY]
    return [[row[name] for name in names] for row in table.to_pylist()]


@pytest.mark.parametrize("extraction", ["strict", "lenient"])
def test_a_mixed_table_scores_as_its_answers_do(extraction):
    table = score_table(predictions(), references(), extraction)
    assert table.schema == schema.SCORES
    assert values(table) == expected(ROWS, extraction)
    assert (
        table.select(schema.IDENTITY).to_pylist()
        == predictions().select(schema.IDENTITY).to_pylist()
    )


def test_some_of_it_by_hand():
    table = score_table(predictions(), references())
    assert table["shape"].to_pylist() == [1, 0, 1, 1, 0, 1, 0, 0, 1, 0]
    assert table["exact"].to_pylist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert table["trace_share"].to_pylist()[3:7] == [0.5, None, 1.0, None]
    assert table["first_wrong_step"].to_pylist()[3:7] == [1, None, None, None]


@pytest.mark.parametrize(
    "encode",
    [
        lambda column: column.cast(pa.large_string()),
        lambda column: column.cast(pa.string_view()),
        lambda column: column.dictionary_encode(),
        lambda column: pa.chunked_array([*column.slice(0, 3).chunks, *column.slice(3).chunks]),
        lambda column: pa.concat_arrays([pa.array(["x", None]), *column.chunks]).slice(2),
    ],
    ids=["large_string", "string_view", "dictionary", "chunks", "slice"],
)
@pytest.mark.parametrize("extraction", ["strict", "lenient"])
def test_text_may_be_encoded_in_any_way(encode, extraction):
    given = predictions()
    given = given.set_column(
        given.column_names.index("prediction"), "prediction", encode(given["prediction"])
    )
    true = references()
    true = true.set_column(true.column_names.index("answer"), "answer", encode(true["answer"]))
    for name in ("split", "algo_name"):
        column = true[name].cast(pa.string())
        true = true.set_column(true.column_names.index(name), name, encode(column))
    assert values(score_table(given, true, extraction)) == expected(ROWS, extraction)


def test_predictions_are_matched_by_identity():
    order = [7, 2, 9, 0, 5, 8, 1, 6, 3, 4]
    shuffled = predictions().take(order)
    assert score_table(shuffled, references()) == score_table(predictions(), references())


def test_a_reference_without_a_prediction_scores_nothing():
    table = score_table(predictions().slice(1), references())
    assert len(table) == len(ROWS)
    assert values(table)[0] == [0, 0, 0, 0, None, None]
    assert values(table)[1:] == expected(ROWS, "strict")[1:]
    none = score_table(predictions().slice(0, 0), references())
    assert sum(sum(none[name].to_pylist()) for name in EVALUATOR.scores) == 0


def test_seeds_and_splits_tell_samples_apart():
    rows = [ROWS[0]] * 4
    identity = {"seed": [0, 0, 1, 1], "split": ["a", "b", "a", "b"], "index": [5] * 4}
    true = references(rows, **identity)
    given = true.select(schema.IDENTITY).append_column(
        "prediction", pa.array(["[0 0 1 2]", "x", "[0 0]", "[0 0 1 3]"])
    )
    table = score_table(given.take([3, 1, 0, 2]), true)
    assert table["clrs"].to_pylist() == [1, 0, 0, 0.75]


def test_without_identity_columns_rows_are_in_order():
    given = predictions().select(["prediction"])
    assert score_table(given, references()) == score_table(predictions(), references())
    with pytest.raises(BadInput, match="9 predictions cannot be matched row for row with 10"):
        score_table(given.slice(1), references())


def test_a_column_of_nulls_is_no_answer():
    given = predictions().drop_columns("prediction").append_column("prediction", pa.nulls(10))
    assert sum(score_table(given, references())["shape"].to_pylist()) == 0


def test_empty_tables():
    table = score_table(predictions().slice(0, 0), references().slice(0, 0), "lenient")
    assert table.schema == schema.SCORES
    assert len(table) == 0


def _with(table, name, column):
    return table.set_column(table.column_names.index(name), name, column)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (predictions().drop_columns("prediction"), "the predictions lack column 'prediction'"),
        (predictions().drop_columns("seed"), "the predictions lack column 'seed'"),
        (_with(predictions(), "prediction", pa.array(range(10))), "holds int64, expected strings"),
        (_with(predictions(), "length", pa.array(["x"] * 10)), "'length'.*expected integers"),
        (_with(predictions(), "seed", pa.array([1.5] * 10)), "'seed'.*expected integers"),
        (_with(predictions(), "seed", pa.nulls(10, pa.int64())), "'seed'.*empty in 10 rows"),
        (
            _with(predictions(), "index", pa.array([*range(9), 99])),
            "row 9 of the predictions is for split 'test', algo_name 'binary_search', length 8, "
            "seed 0, index 99, which is not among the references",
        ),
        (
            pa.concat_tables([predictions(), predictions().slice(4, 1)]),
            "rows 4 and 10 of the predictions are both for split 'test', algo_name 'bfs'",
        ),
    ],
)
def test_bad_predictions_are_refused_in_a_sentence(given, message):
    with pytest.raises(BadInput, match=message):
        score_table(given, references())


def test_bad_references_are_refused_in_a_sentence():
    rows = [*ROWS, ("bfs", 4, False, "[0 0 1]", "[0 0 1]")]
    with pytest.raises(BadInput, match=r"row 10 is not what bfs asks .* length 4: pi \(\[4 numb"):
        score_table(predictions(rows), references(rows))
    rows = [("bsf", 4, False, "[0 0 1 2]", "")]
    with pytest.raises(BadInput, match="unknown algorithm 'bsf'; did you mean 'bfs'"):
        score_table(predictions(rows), references(rows))
    rows = [("bfs", 0, False, "[]", "")]
    with pytest.raises(BadInput, match="length 0 is too small for bfs"):
        score_table(predictions(rows), references(rows))
    with pytest.raises(BadInput, match="the references lack column 'answer'"):
        score_table(predictions(), references().drop_columns("answer"))
    twice = pa.concat_tables([references(), references()])
    with pytest.raises(BadInput, match="rows 0 and 10 of the references are both for"):
        score_table(predictions(), twice)


def test_bad_arguments_are_refused_in_a_sentence():
    with pytest.raises(BadInput, match="unknown extraction 'lenent'; did you mean 'lenient'"):
        score_answer("bfs", 4, "", "[0 0 1 2]", extraction="lenent")
    with pytest.raises(BadInput, match="length 1 is too small for bfs: its smallest is 2"):
        score_answer("bfs", 1, "[0]", "[0]")
    for truth in ("", "[0 0 1]", "[0 0 1 x]", "[0 0 1 nan]", "0 0 1 2", "[0 0 1 2] 3"):
        with pytest.raises(BadInput, match="true answer in row 0 is not what bfs asks for"):
            score_answer("bfs", 4, "", truth)
    # A size whose answer no memory would hold is refused before it is laid out.
    with pytest.raises(BadInput, match="true answer in row 0"):
        score_answer("floyd_warshall", 10**7, "", "[[0]]")


def test_rows_must_be_as_many_for_the_evaluator():
    with pytest.raises(BadInput, match="9 predictions for 10 references"):
        EVALUATOR.score(predictions().slice(1), references(), extraction="strict")


@pytest.mark.parametrize("name", registry.names("evaluators"))
def test_every_evaluator_keeps_the_protocol(name):
    evaluator = registry.load("evaluators", name)
    tables = [generate_batch(task, 5, count=2) for task in tasks.names()]
    true = pa.concat_tables(tables).unify_dictionaries()
    perfect = pa.table({"prediction": true["answer"]})
    nothing = pa.table({"prediction": pa.nulls(len(true), pa.string())})
    for extraction in ("strict", "lenient"):
        scored = evaluator.score(perfect, true, extraction=extraction)
        missed = evaluator.score(nothing, true, extraction=extraction)
        assert len(scored) == len(true)
        for score in evaluator.scores:
            assert scored[score].type == pa.float32()
            assert set(scored[score].to_pylist()) == {1.0}
            assert set(missed[score].to_pylist()) == {0.0}
        if isinstance(evaluator, PoolingEvaluator):
            first = pa.concat_tables([scored.slice(0, 2), missed.slice(0, 2)])
            times = np.array([[1, 1, 0, 0], [0, 0, 1, 1]])
            for values in evaluator.pooled(first, times).values():
                assert values.tolist() == [1, 0]


def test_scores_are_immutable():
    scores = Scores(1.0, 1.0, 1.0, 1.0)
    with pytest.raises(AttributeError):
        scores.shape = 0.0


def test_importing_the_package_is_light():
    code = (
        "import sys, clrs_text_bench.evaluators as e; "
        "assert not {'numba', 'pyarrow', 'pandas', 'matplotlib'} & set(sys.modules); "
        "assert e.score_answer('minimum', 4, '3', '3').exact == 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
