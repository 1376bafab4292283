"""The score `valid`: references, other ties, near misses, hostile answers, bad data, plug-ins."""

import functools
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clrs_text_bench import graph, registry, tasks, text
from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import leaderboard, tables
from clrs_text_bench.evaluators.compare import compare_runs
from clrs_text_bench.evaluators.evaluate import evaluate
from clrs_text_bench.evaluators.valid import EVALUATOR
from clrs_text_bench.evaluators.validity import CHECKS
from clrs_text_bench.generators import generate_batch

from .. import tiny_data
from .valid_samples import NUMBERED, inputs_of, renumbered, row_of, score, spelt, tied

THIRTY = tasks.by_plugin()["clrs30"]


@pytest.mark.parametrize("use_hints", [False, True])
@pytest.mark.parametrize("name", THIRTY)
def test_every_reference_is_valid(name, use_hints):
    for length in (4, 7, 12):
        table = generate_batch(name, length, count=200, use_hints=use_hints, seed=length)
        exact, valid = score(table.to_pylist(), table["answer"].to_pylist())
        assert exact.min() == valid.min() == 1


@pytest.mark.parametrize("name", CHECKS)
def test_every_reference_with_ties_is_valid(name):
    for length in (5, 9):
        rows = tied(name, length, 60, seed=length)
        exact, valid = score(rows, [row["answer"] for row in rows])
        assert exact.min() == valid.min() == 1


@pytest.mark.parametrize("name", NUMBERED)
def test_a_run_on_nodes_in_another_order_gives_another_valid_answer(name):
    task, rng, others = tasks.get(name), np.random.default_rng(0), 0
    rows = tied(name, 9, 40)
    for row in rows:
        inputs = inputs_of(row)
        found = [renumbered(name, inputs, rng.permutation(9)) for _ in range(3)]
        answers = [text.answer(task, inputs, outputs) for outputs in found]
        exact, valid = score([row] * 3, answers)
        assert valid.min() == 1, (row["question"], answers)
        others += np.sum(exact == 0)
    assert others > 10


def matrix(*edges, n=4, undirected=False):
    """Returns weights; an edge is `(u, v)` or `(u, v, weight)`."""
    A = np.zeros((n, n))
    for u, v, *weight in edges:
        A[u, v] = weight[0] if weight else 1
        if undirected:
            A[v, u] = A[u, v]
    return A


SQUARE = matrix((0, 1, 0.1), (0, 2, 0.1), (1, 3, 0.2), (2, 3, 0.2), undirected=True)
FROM_0 = np.eye(4)[0]
HAND_MADE = [
    ("minimum", {"key": [0.2, 0.1, 0.3, 0.1]}, "1 3", "0 2 4 -1 [1] 1.0 1e0 +1 1,1"),
    ("quickselect", {"key": [0.3, 0.2, 0.3, 0.1]}, "0 2", "1 3 4"),
    ("binary_search", {"key": [0.1, 0.2, 0.2, 0.4], "target": 0.2}, "1 2", "0 3"),
    ("binary_search", {"key": [0.1, 0.2, 0.2, 0.4], "target": 0.15}, "1", "0 2 3"),
    ("binary_search", {"key": [0.1, 0.2, 0.4, 0.4], "target": 0.9}, "3", "0 1 2"),
    (
        "find_maximum_subarray_kadane",
        {"key": [0.3, -0.3, 0.2, 0.1]},
        "0,0|2,3|0,3",
        "2,2|3,2|0,1|0|0,0,0|0,4",
    ),
    # All dimensions alike: all ways are of one cost.
    (
        "matrix_chain_order",
        {"p": [0.5] * 4},
        "[[0 0 0 0] [0 0 1 1] [0 0 0 2] [0 0 0 0]]|[[0 0 0 0] [0 0 1 2] [0 0 0 2] [0 0 0 0]]",
        "[[0 0 0 0] [0 0 1 3] [0 0 0 2] [0 0 0 0]]|[[0 0 0 0] [0 0 1 0] [0 0 0 2] [0 0 0 0]]|"
        "[[0 0 0 1] [0 0 1 1] [0 0 0 2] [0 0 0 0]]|[0 0 0 0 0 0 1 1 0 0 0 2 0 0 0 0]",
    ),
    (
        "optimal_bst",
        {"p": [0.2, 0.2, 0.0], "q": [0.1, 0.1, 0.1]},
        "[[0 0 0] [0 0 1] [0 0 0]]|[[0 0 1] [0 0 1] [0 0 0]]",
        "[[0 0 2] [0 0 1] [0 0 0]]|[[0 0 0] [0 0 0] [0 0 0]]",
    ),
    # "ab" and "ba": from the last cell, up and left both lead to one character.
    (
        "lcs_length",
        {"string": [0, 0, 1, 1], "key": np.eye(4)[[0, 1, 1, 0]]},
        "[[-1 -1 1 0] [-1 -1 0 1] [-1 -1 -1 -1] [-1 -1 -1 -1]]|"
        "[[-1 -1 2 0] [-1 -1 0 2] [-1 -1 -1 -1] [-1 -1 -1 -1]]",
        "[[-1 -1 1 0] [-1 -1 0 0] [-1 -1 -1 -1] [-1 -1 -1 -1]]|"
        "[[-1 -1 1 0] [-1 -1 0 3] [-1 -1 -1 -1] [-1 -1 -1 -1]]|"
        "[[-1 -1 1 1] [-1 -1 0 1] [-1 -1 -1 -1] [-1 -1 -1 -1]]|"
        "[[0 -1 1 0] [-1 -1 0 1] [-1 -1 -1 -1] [-1 -1 -1 -1]]",
    ),
    (
        "activity_selector",
        {"s": [0.1, 0.2, 0.5, 0.3], "f": [0.4, 0.4, 0.6, 0.9]},
        "[1 0 1 0]|[0 1 1 0]",
        "[1 0 0 0]|[1 1 1 0]|[1 0 0 1]|[1 0 -1 0]|[1 0 2 0]|[0 0 1 1]",
    ),
    # Upstream's rule leaves the second task out, which the best schedule puts first.
    (
        "task_scheduling",
        {"d": [2, 1, 1, 1], "w": [0.9, 0.8, 0.8, 0.1]},
        "[1 0 0 0]|[1 1 0 0]|[1 0 1 0]",
        "[0 1 0 0]|[1 1 1 0]|[1 0 0 1]|[0 0 0 0]",
    ),
    (
        "dfs",
        {"A": matrix((0, 1), (0, 2), (1, 2), (3, 3))},
        "[0 0 1 3]|[0 0 0 3]|[0 0 2 3]|[0 1 2 3]|[0 1 1 3]",
        "[0 1 0 3]|[0 0 3 3]|[1 1 1 3]|[0 0 4 3]|[0 2 1 3]",
    ),
    (
        "topological_sort",
        {"A": matrix((0, 1), (2, 1), (1, 3))},
        "[2 3 1 3], 0|[1 3 0 3], 2",
        "[2 3 1 3], 2|[1 3 0 3], 0|[2 3 0 0], 2|[1 0 3 2], 2|[2 3 0 3]",
    ),
    (
        "strongly_connected_components",
        {"A": matrix((0, 1), (1, 0), (1, 2), (2, 3), (3, 2))},
        "[0 0 2 2]|[1 1 2 2]|[0 0 3 3]|[1 1 3 3]",
        "[0 1 2 2]|[2 2 0 0]|[0 0 0 0]|[0 0 2 3]",
    ),
    (
        "bfs",
        {"s": FROM_0, "A": (SQUARE > 0).astype(float)},
        "[0 0 0 1]|[0, 0, 0, 2]",
        "[0 0 0 0]|[0 0 0 3]|[0 3 0 2]|[1 0 0 1]|[0 0 0]|[0 0 0 x]|[0 0 0 1]]",
    ),
    (
        "mst_kruskal",
        {"A": SQUARE},
        "[[0 1 1 0] [1 0 0 1] [1 0 0 0] [0 1 0 0]]|[[0 1 1 0] [1 0 0 0] [1 0 0 1] [0 0 1 0]]",
        "[[0 1 0 0] [1 0 0 1] [0 0 0 1] [0 1 1 0]]|[[0 1 1 0] [1 0 0 1] [1 0 0 1] [0 1 1 0]]|"
        "[[0 1 1 0] [1 0 0 1] [0 0 0 0] [0 1 0 0]]|[[0 1 1 0] [1 0 0 0] [1 0 0 0] [0 0 0 0]]|"
        "[[0 1 1 1] [1 0 0 0] [1 0 0 0] [1 0 0 0]]|[[0 2 1 0] [2 0 0 0] [1 0 0 0] [0 0 0 0]]|"
        "[[1 1 1 0] [1 0 0 1] [1 0 0 0] [0 1 0 0]]",
    ),
    (
        "mst_prim",
        {"s": FROM_0, "A": SQUARE},
        "[0 0 0 1]|[0 0 0 2]",
        "[0 3 0 2]|[0 0 3 1]|[1 0 0 1]|[0 0 0 3]|[0 0 0 0]",
    ),
    (
        "dijkstra",
        {"s": FROM_0, "A": SQUARE},
        "[0 0 0 1]|[0 0 0 2]",
        "[0 0 3 1]|[0 0 0 0]|[3 0 0 1]",
    ),
    (
        "floyd_warshall",
        {"A": SQUARE + np.diag([0.9, 0, 0, 0])},
        "[[1 0 0 1] [1 1 0 1] [2 0 2 2] [1 3 3 3]]|[[0 0 0 2] [1 1 0 1] [2 0 2 2] [2 3 3 3]]|"
        "[[2 0 0 1] [1 1 0 1] [2 0 2 2] [1 3 3 3]]",
        "[[3 0 0 1] [1 1 0 1] [2 0 2 2] [1 3 3 3]]|[[0 0 0 1] [0 1 0 1] [2 0 2 2] [1 3 3 3]]|"
        "[[0 0 0 1] [1 0 0 1] [2 0 2 2] [1 3 3 3]]",
    ),
    (
        "naive_string_matcher",
        {"string": [0, 0, 0, 0, 1], "key": np.eye(4)[[2, 1, 2, 2, 2]]},
        "0 2 3",
        "1 4 5",
    ),
    (
        "kmp_matcher",
        {"string": [0, 0, 0, 1, 1], "key": np.eye(4)[[1, 2, 3, 2, 2]]},
        "3",
        "0 1 2 4",
    ),
    ("insertion_sort", {"key": [0.2, 0.1, 0.2, 0.1]}, "[0.1 0.1 0.2 0.2]", "[0.1 0.2 0.1 0.2]"),
]


@pytest.mark.parametrize(("name", "inputs", "valid", "invalid"), HAND_MADE)
def test_ties_and_near_misses(name, inputs, valid, invalid):
    row = row_of(name, {k: np.asarray(x, float) for k, x in inputs.items()})
    for answers, expected in ((valid, 1), (invalid, 0)):
        answers = answers.split("|") if "[" in answers or "|" in answers else answers.split()
        exact, found = score([row] * len(answers), answers)
        assert found.tolist() == [expected] * len(answers)
        assert exact.sum() == expected or not expected  # the reference is among the valid ones


def test_all_tasks_with_several_solutions_are_tried_by_hand():
    tried = {name for name, *_ in HAND_MADE}
    assert set(CHECKS) - tried == {"bellman_ford", "dag_shortest_paths"}
    assert CHECKS["bellman_ford"] is CHECKS["dag_shortest_paths"] is CHECKS["dijkstra"]


@pytest.mark.parametrize(
    ("name", "inputs", "valid", "invalid"),
    [
        ("quickselect", {"key": [0.3, 0.2, 0.3, 0.1]}, ["0", "2"], ["1"]),
        (
            "binary_search",
            {"key": [0.1, 0.2, 0.2, 0.4], "target": 0.2},
            ["(1, 1)", "(2, 2)"],
            ["(1, 2)", "1, 1", "(0, 0)"],
        ),
        ("find_maximum_subarray_kadane", {"key": [0.3, -0.3, 0.3]}, ["(2, 2)"], ["2, 2", "(1, 2)"]),
    ],
)
def test_of_traced_answers_the_final_is_judged(name, inputs, valid, invalid):
    row = row_of(name, {k: np.asarray(x, float) for k, x in inputs.items()}) | {"use_hints": True}
    row["answer"] = {"quickselect": "0 | 0", "binary_search": "(1, 1) | (1, 1)"}.get(
        name, "(0, 0) | (0, 0)"
    )
    answers = [f"no trace | {final}" for final in valid + invalid]
    _, found = score([row] * len(answers), answers)
    assert found.tolist() == [1] * len(valid) + [0] * len(invalid)


@functools.cache
def some_rows():
    return [row for name in THIRTY for row in tied(name, 5, 2)]


PIECES = ["0", "1", "2", "-1", "4", "5", "0.1", "9" * 40, "1e9", "nan", "x", "[", "]", ", ", " "]


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 59), st.data(), st.sampled_from(["strict", "lenient"]))
def test_no_answer_makes_scoring_raise_and_exact_is_never_above(place, data, extraction):
    row = some_rows()[place]
    tokens = re.findall(r"\S|\s+", row["answer"])
    edits = data.draw(
        st.lists(
            st.tuples(st.integers(0, len(tokens) - 1), st.sampled_from(PIECES) | st.text()),
            max_size=4,
        )
    )
    for where, piece in edits:
        tokens[where] = piece
    exact, valid = score([row] * 2, ["".join(tokens), data.draw(st.text())], extraction)
    assert set(valid.tolist()) <= {0.0, 1.0}
    assert np.all(valid >= exact)


@pytest.mark.parametrize("name", THIRTY)
def test_well_formed_nonsense_is_judged_without_harm(name):
    """Elements from far outside, pointers in circles, masks that are none."""
    task, rng = tasks.get(name), np.random.default_rng(0)
    row = tied(name, 5, 1)[0]
    n = task.n_nodes(row["length"])
    answers = []
    for most in (2, n, 2**53):
        for _ in range(40):
            parts = [
                rng.integers(-1, most, (n,) * p.rank).tolist() for p in task.answer_parts(False)
            ]
            answers.append(spelt(task, parts))
    exact, valid = score([row] * len(answers), answers)
    assert np.all(valid >= exact)
    assert valid[-40:].max() == 0


@pytest.mark.parametrize("name", THIRTY)
def test_silence_is_not_valid(name):
    rows = tied(name, 4, 1) * 3
    assert score(rows, [None, "", "\n\n" + rows[0]["answer"]])[1].tolist() == [0, 0, 0]


def test_rows_of_all_tasks_may_be_mixed():
    rows = some_rows()
    answers = [row["answer"] if i % 3 else "no" for i, row in enumerate(rows)]
    order = np.random.default_rng(0).permutation(len(rows))
    _, valid = score([rows[i] for i in order], [answers[i] for i in order])
    assert valid.tolist() == [float(i % 3 > 0) for i in order]


def test_what_was_checked_is_told():
    rows = [row for row in some_rows() if row["algo_name"] in ("bfs", "insertion_sort")]
    references = pa.Table.from_pylist(rows)
    found = EVALUATOR.score(
        pa.table({"prediction": references["answer"]}), references, extraction="strict"
    )
    assert found["checked"].to_pylist() == [row["algo_name"] == "bfs" for row in rows]


def changed(row, probe, value):
    """Returns a row, the first value of one of its inputs replaced."""
    inputs = graph.unpack(row["algo_name"], row["length"], row["graph_inputs"], "input")
    inputs = {k: x.copy() for k, x in inputs.items()}
    inputs[probe].reshape(-1)[0] = value
    return row | {"graph_inputs": graph.pack(row["algo_name"], row["length"], inputs, "input")}


@pytest.mark.parametrize(
    ("name", "probe", "value", "sentence"),
    [
        ("minimum", "key", 0.12345, "graph_inputs of row 1 (minimum) has 0.12345 in 'key'"),
        ("bfs", "A", np.inf, "has inf in 'A'"),
        ("minimum", "key", np.nan, "has nan in 'key', which its question cannot show"),
        ("dijkstra", "A", np.inf, "expected at most 3 decimals, and 100 in size"),
        ("matrix_chain_order", "p", 1000.5, "has 1000.5 in 'p'"),
        (
            "bfs",
            "A",
            0.5,
            "has 0.5 in 'A', which its question cannot show; expected a whole number",
        ),
    ],
)
def test_inputs_that_no_question_can_show_are_refused(name, probe, value, sentence):
    good, other = tied(name, 4, 2)
    with pytest.raises(BadInput, match=re.escape(sentence)):
        score([good, changed(other, probe, value)], ["", ""])


def test_rows_without_a_graph_are_refused_if_they_need_one():
    (row,) = tied("bfs", 4, 1)
    with pytest.raises(BadInput, match=r"graph_inputs of row 0 \(bfs, length 4\) holds nothing"):
        score([row | {"graph_inputs": None}], [row["answer"]])
    (row,) = tied("heapsort", 4, 1)
    assert score([row | {"graph_inputs": None}], [row["answer"]])[1].tolist() == [1]


@pytest.mark.parametrize(
    ("checks", "sentence"),
    [
        (["minimum"], "check plug-in 'clrs30' is not a dict of functions by task"),
        ({"minimum": None}, "check plug-in 'clrs30' is not a dict of functions by task"),
        (
            {"minimum": lambda key, least: True},
            "the check of minimum returned bool of shape (), expected bool of shape (1,)",
        ),
        (
            {"minimum": lambda key, least: least},
            "the check of minimum returned int64 of shape (1,), expected bool of shape (1,)",
        ),
    ],
)
def test_checks_that_are_none_are_refused(monkeypatch, checks, sentence):
    (row,) = tied("minimum", 4, 1)
    load = registry.load
    monkeypatch.setattr(
        registry, "load", lambda group, name: checks if group == "checks" else load(group, name)
    )
    with pytest.raises(BadInput, match=re.escape(sentence)):
        score([row], [row["answer"]])


LONG = 200  # so long that two minima are often equal


def test_it_stands_in_leaderboards_and_comparisons(tmp_path):
    """The last of equal minima is as good as the first, and not what the task asks for."""
    data = tiny_data.write(tmp_path / "data", {"test": [LONG]}, samples=40)
    rows = tiny_data.rows(data).to_pylist()
    lines = []
    for row in rows:
        answer = row["answer"].strip()
        if row["algo_name"] == "minimum":
            answer = str(LONG - 1 - np.argmin(inputs_of(row)["key"][::-1]))
        identity = (row["split"], row["algo_name"], LONG, 0, row["index"])
        lines.append(",".join(map(str, [*identity, answer])))
    given = tmp_path / "last.csv"
    given.write_text("\n".join(["split,algo_name,length,seed,index,prediction", *lines]))
    results = tmp_path / "results"
    for spec, name in ((f"file:{given}", "last"), ("solver", "first")):
        evaluate(spec, data.url, evaluator="valid", results=results, name=name)
    folder = leaderboard.results_folder(results)
    frame = leaderboard.read(folder)
    assert leaderboard.score_names(frame) == ["exact", "valid"]
    assert (frame["valid"] == 1).all()
    last = frame[(frame["model"] == "last") & (frame["algorithm"] == "minimum")]
    assert last["exact"].item() < 1
    sheet = tables.overall(frame, "valid", "score")
    assert sheet.header[-3:] == ["exact", "valid", "unanswered"]
    found, *_ = compare_runs(folder, frame, "first", "last", "valid")
    assert found.overall["difference"] == 0
    found, *_ = compare_runs(folder, frame, "first", "last", "exact")
    assert found.overall["difference"] < 0


def test_the_documentation_says_of_each_task_what_is_valid():
    page = (Path(__file__).parents[2] / "docs" / "valid.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \| (\S.*?) \|", page, re.MULTILINE)
    assert [name for name, _ in listed] == list(THIRTY)
    assert {name for name, said in listed if said.startswith("The reference alone")} == (
        set(THIRTY) - set(CHECKS)
    )
