"""What must hold of the answers however they come about, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from more_tasks.tasks import TASKS

from clrs_text_bench import engines, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import generate_batch, run_algorithm
from clrs_text_bench.models.nar.config import NarConfig

SEEDS = st.integers(0, 2**32 - 1)


def chain(outputs):
    """Returns the indices of a subsequence, from its end back."""
    node = int(outputs["end"].argmax())
    found = [node]
    while outputs["pi"][node] != node:
        node = int(outputs["pi"][node])
        found.append(node)
    return found[::-1]


def subsequence(keys):
    return chain(run_algorithm("longest_increasing_subsequence", {"key": keys}).outputs)


@given(st.lists(st.integers(0, 999), min_size=2, max_size=30))
@settings(deadline=None, max_examples=50)
def test_only_the_order_of_keys_counts_and_reversing_it_twice_changes_no_length(keys):
    keys = np.array(keys) / 1000
    found = subsequence(keys)
    assert all(np.diff(keys[found]) > 0)
    ranks = np.unique(keys, return_inverse=True)[1]
    assert subsequence(ranks) == found
    assert len(subsequence(-keys[::-1])) == len(found)


@given(st.integers(2, 12), SEEDS)
@settings(deadline=None, max_examples=50)
def test_components_do_not_depend_on_how_nodes_are_numbered(n, seed):
    generator = np.random.default_rng(seed)
    above = np.triu(generator.random((n, n)) < 1.2 / n, 1)
    graph, order = (above | above.T).astype(float), generator.permutation(n)

    def together(A):
        labels = run_algorithm("connected_components", {"A": A}).outputs["component"]
        assert (labels <= np.arange(n)).all()
        return labels[:, None] == labels

    moved = together(graph[np.ix_(order, order)])
    np.testing.assert_array_equal(moved, together(graph)[np.ix_(order, order)])


def tree(generator, leaves):
    """Returns an expression as nested tuples (operator, left, right), or a digit."""
    if leaves == 1:
        return int(generator.integers(10))
    cut = int(generator.integers(1, leaves))
    return (str(generator.choice(list("+-*"))), tree(generator, cut), tree(generator, leaves - cut))


def flat(expression):
    """Returns an expression's input probes."""
    nodes = []

    def visit(part):
        if isinstance(part, int):
            nodes.append([part, len(nodes), len(nodes)])
            return len(nodes) - 1
        operator, x, y = part
        left = visit(x)
        nodes.append(node := [10 + "+-*".index(operator), left, None])
        place = len(nodes) - 1
        node[2] = visit(y)
        return place

    root = visit(expression)
    symbol, left, right = (np.array(column) for column in zip(*nodes, strict=True))
    return {"symbol": symbol, "left": left, "right": right, "root": root}


def value(expression):
    outputs = run_algorithm("expression_value", flat(expression)).outputs
    return int(outputs["value"].argmax())


@given(st.integers(1, 10), SEEDS)
@settings(deadline=None, max_examples=50)
def test_expressions_keep_the_laws_of_arithmetic(leaves, seed):
    generator = np.random.default_rng(seed)
    x, y, z = (tree(generator, leaves) for _ in range(3))
    assert (
        value(("+", x, y)) == value(("+", y, x)) == (value(("+", x, 0)) + value(("+", 0, y))) % 10
    )
    assert value(("*", x, ("+", y, z))) == value(("+", ("*", x, y), ("*", x, z)))
    assert value(("-", x, x)) == 0


@given(st.integers(1, 12), SEEDS, st.permutations(range(4)))
@settings(deadline=None, max_examples=50)
def test_renaming_variables_renames_the_answer(length, seed, names):
    (row,) = generate_batch("straight_line_program", length, count=1, seed=seed).to_pylist()
    _, program, _, _ = row["question"].split("\n")
    renamed = program.removeprefix("program: ").translate(
        {ord("abcd"[i]): "abcd"[names[i]] for i in range(4)}
    )
    held = {}
    exec(renamed, {}, held)
    before = [int(x) for x in row["answer"].strip().split(", ")]
    assert [held["abcd"[names[i]]] for i in range(4)] == before


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_traces_are_at_most_as_long_as_the_record_says(task):
    for length in (task.min_length, 5, 9):
        steps = generate_batch(task.name, length, count=100)["n_steps"].to_numpy()
        assert steps.min() >= 2
        assert steps.max() <= task.longest_trace(task.n_nodes(length))


def test_the_longest_traces_come_up():
    path = np.eye(7, k=1) + np.eye(7, k=-1)
    assert run_algorithm("connected_components", {"A": path}).n_steps == 8
    branch = 3
    for digit in range(5):
        branch = ("-", branch, digit)
    assert run_algorithm("expression_value", flat(branch)).n_steps == 6


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_sample_can_be_made_alone(task):
    whole = generate_batch(task.name, 6, count=20, use_hints=True, seed=3)
    assert generate_batch(task.name, 6, count=1, start=13, use_hints=True, seed=3).equals(
        whole.slice(13, 1)
    )
    assert len(set(whole["question"].to_pylist())) > 5


PROGRAM = {
    "symbol": [1, 2, 3, 4, 10, 12],
    "left": [0, 1, 2, 3, 0, 4],
    "right": [0, 1, 2, 3, 1, 4],
    "variable": [0, 1, 2, 3, 0, 2],
    "last": [0, 1, 0, 1, 1, 1],
}


def test_a_program_of_ones_own_is_run():
    outputs = run_algorithm("straight_line_program", PROGRAM).outputs
    assert [int(outputs[name].argmax()) for name in "abcd"] == [3, 2, 9, 4]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"symbol": [1, 2, 3, 11, 10, 12]}, "node 3 of straight_line_program must be a digit"),
        ({"symbol": [1, 2, 3, 4, 5, 12]}, "node 4 of straight_line_program must be an operator"),
        ({"left": [0, 1, 2, 3, 0, 0]}, "operands of node 5 .* must be definitions that reach it"),
        ({"left": [0, 1, 2, 3, 5, 4]}, "operands of node 4 .* must be definitions that reach it"),
        ({"left": [0, 1, 2, 3, 6, 4]}, "'left' .* must hold nodes, whole numbers from 0 to 5"),
        ({"left": [0, 1, 2, 3, 0.5, 4]}, "'left' .* must hold nodes, whole numbers from 0 to 5"),
        ({"right": [1, 1, 2, 3, 0, 4]}, "first 4 nodes of straight_line_program must be"),
        ({"last": [1, 1, 0, 1, 1, 1]}, "'last' .* must be 1 where a definition reaches"),
    ],
)
def test_what_is_no_program_is_refused(changes, sentence):
    with pytest.raises(BadInput, match=sentence):
        run_algorithm("straight_line_program", PROGRAM | changes)


EXPRESSION = {"symbol": [7, 10, 2], "left": [0, 0, 2], "right": [0, 2, 2], "root": 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"root": 0},
        {"left": [0, 2, 2], "right": [0, 0, 2]},
        {"left": [0, 1, 2]},
        {"symbol": [7, 1, 2]},
        {"symbol": [10, 10, 2]},
        {"right": [2, 2, 2]},
    ],
)
def test_what_is_no_parse_tree_is_refused(changes):
    assert run_algorithm("expression_value", EXPRESSION).outputs["value"].argmax() == 9
    with pytest.raises(BadInput, match="must be a parse tree"):
        run_algorithm("expression_value", EXPRESSION | changes)


@pytest.mark.parametrize("A", [[[0, 2], [2, 0]], [[0, 1], [0, 0]]])
def test_what_is_no_undirected_graph_is_refused(A):
    with pytest.raises(BadInput, match="'A' of connected_components must be symmetric"):
        run_algorithm("connected_components", {"A": A})


def test_nothing_is_another_for_the_thirty():
    thirty = tasks.by_plugin()["clrs30"]
    assert len(thirty) == 30
    assert NarConfig().algorithms == thirty
    assert engines.name_of(thirty) == "native"
    assert engines.name_of([thirty[0], TASKS[0].name]) == "more-tasks+native"
