"""Every task's answers and traces against something slower that shares no code with it."""

import ast
import itertools
import re

import numpy as np
import pytest
from more_tasks.tasks import TASKS

from clrs_text_bench import graph
from clrs_text_bench.generators import generate_batch

LENGTHS = (2, 3, 5, 8)
COUNT = 60


def samples(name, length, count=COUNT):
    """Yields samples: what is asked, what is answered, and the arrays by stage."""
    for row in generate_batch(name, length, count=count, graph_hints=True).to_pylist():
        title, question, asked, end = row["question"].split("\n")
        assert (title, end) == (f"{name}:", "")
        assert row["answer"].endswith("\n\n")
        columns = {"input": "graph_inputs", "output": "graph_outputs", "hint": "graph_hints"}
        arrays = {
            stage: graph.unpack(name, length, row[column], stage)
            for stage, column in columns.items()
        }
        assert all(len(hint) == row["n_steps"] for hint in arrays["hint"].values())
        yield question, asked.removesuffix(":"), row["answer"].strip(), arrays


def increasing(keys):
    """Yields the indices of every increasing subsequence, by trying out all subsets."""
    for size in range(1, len(keys) + 1):
        for chosen in itertools.combinations(range(len(keys)), size):
            if all(keys[i] < keys[j] for i, j in itertools.pairwise(chosen)):
                yield chosen


def best_subsequences(keys):
    """Returns predecessors, the end and how long the longest is that ends at each element."""
    found = list(increasing(keys))
    longest = [max(len(c) for c in found if c[-1] == i) for i in range(len(keys))]
    before = [
        min([i, *c][-2] for c in found if c[-1] == i and len(c) == longest[i])
        for i in range(len(keys))
    ]
    return before, longest.index(max(longest)), longest


@pytest.mark.parametrize("length", LENGTHS)
def test_no_subsequence_is_longer_and_none_before_in_order(length):
    for question, asked, answer, arrays in samples("longest_increasing_subsequence", length):
        keys = ast.literal_eval(question.removeprefix("key: ").replace(" ", ", "))
        before, end, longest = best_subsequences(keys)
        assert asked == "pi, end"
        assert answer == f"[{' '.join(map(str, before))}], {end}"
        for i in range(length):
            before, end, longest = best_subsequences(keys[: i + 1])
            rest = list(range(i + 1, length))
            assert arrays["hint"]["pi_h"][i].tolist() == before + rest
            assert arrays["hint"]["end_h"][i].argmax() == end
            np.testing.assert_allclose(
                arrays["hint"]["share"][i] * length, longest + [0] * len(rest), atol=1e-5
            )


def reached(adjacency, node, steps):
    """Returns the nodes within so many steps of a node."""
    found = {node}
    for _ in range(steps):
        found |= {j for i in found for j in range(len(adjacency)) if adjacency[i][j]}
    return found


@pytest.mark.parametrize("length", LENGTHS)
def test_a_component_is_all_that_is_reached(length):
    for question, asked, answer, arrays in samples("connected_components", length):
        shown = re.sub(r"(?<=\d) ", ", ", question.removeprefix("A: "))
        adjacency = ast.literal_eval(shown)
        labels = [min(reached(adjacency, i, length)) for i in range(length)]
        assert asked == "component"
        assert answer == f"[{' '.join(map(str, labels))}]"
        for steps, found in enumerate(arrays["hint"]["component_h"]):
            assert found.tolist() == [min(reached(adjacency, i, steps)) for i in range(length)]


def in_order(node):
    """Yields the nodes of an expression as they are written, with their heights and values."""
    if isinstance(node, ast.Constant):
        yield 0, node.value
        return
    left, right = list(in_order(node.left)), list(in_order(node.right))
    height = 1 + max(height for height, _ in left + right)
    yield from left
    yield height, eval(compile(ast.Expression(node), "", "eval")) % 10
    yield from right


@pytest.mark.parametrize("length", LENGTHS)
def test_an_expression_is_worth_what_python_says(length):
    for question, asked, answer, arrays in samples("expression_value", length):
        code = question.removeprefix("expression: ")
        assert asked == "value"
        assert int(answer) == eval(code)
        nodes = list(in_order(ast.parse(code, mode="eval").body.left))
        for t, found in enumerate(arrays["hint"]["value_h"]):
            assert found.argmax(1).tolist() == [v if height <= t else 10 for height, v in nodes]
        heights = [height for height, _ in nodes]
        assert len(arrays["hint"]["value_h"]) == max(heights) + 1
        assert arrays["input"]["root"].argmax() == heights.index(max(heights))


@pytest.mark.parametrize("length", [1, *LENGTHS])
def test_variables_hold_what_python_says(length):
    for question, asked, answer, arrays in samples("straight_line_program", length):
        lines = question.removeprefix("program: ").split("; ")
        assert asked == "a, b, c, d"
        assert len(lines) == length + 4
        held = {}
        for t, line in enumerate(lines):
            exec(line, {}, held)
            if t >= 3:
                hints = [arrays["hint"][f"{name}_h"][t - 3].argmax() for name in "abcd"]
                assert hints == [held[name] for name in "abcd"]
                assert arrays["hint"]["line"][t - 3].argmax() == t
                values = arrays["hint"]["value_h"][t - 3].argmax(1)
                assert values[t] == held[line[0]]
                assert (values[t + 1 :] == 10).all()
        assert answer == ", ".join(str(held[name]) for name in "abcd")


def test_operands_are_the_definitions_that_reach_a_line():
    for question, _, _, arrays in samples("straight_line_program", 8):
        reaching = {}
        for i, line in enumerate(question.removeprefix("program: ").split("; ")):
            variable, *operands = re.findall("[abcd]", line)
            for side, name in zip(("left", "right"), operands, strict=False):
                assert arrays["input"][side][i] == reaching[name]
            reaching[variable] = i
        assert np.flatnonzero(arrays["input"]["last"]).tolist() == sorted(reaching.values())


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_traced_text_is_its_hints_in_words(task):
    """The trace's first step is in the question; the final answer stands in for its last."""
    shown = {row["index"]: row for row in generate_batch(task.name, 6, count=20).to_pylist()}
    for row in generate_batch(task.name, 6, count=20, use_hints=True).to_pylist():
        plain = shown[row["index"]]
        question, _, _ = plain["question"].rpartition("\n" + plain["question"].split("\n")[2])
        assert row["question"].startswith(f"{question}, initial_trace: ")
        trace, final = row["answer"].split(" | ")
        assert final == plain["answer"]
        steps = re.findall(r"\[[^]]*\](?:, \d+)?|\d+, \d+, \d+, \d+", trace)
        assert len(steps) == row["n_steps"] - 2
        assert ", ".join(steps) == trace
        if task.name != "expression_value" and steps and row["n_steps"] > 2:
            hints = graph.unpack(task.name, 6, row["graph_hints"], "hint")
            assert re.findall(r"\d+", steps[-1]) == [
                str(int(x)) for x in in_words(task, hints, row["n_steps"] - 2)
            ]


def in_words(task, hints, t):
    """Returns the numbers of a step of the trace."""
    for name in task.trace:
        probe, x = task.probe(name), hints[name][t]
        if probe.type in ("mask_one", "categorical"):
            yield from np.atleast_1d(x.argmax(-1))
        else:
            yield from x
