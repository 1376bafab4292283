"""The score `valid` of all answers that there are to small problems, beside the definitions."""

import itertools
import random

import numpy as np
import pytest

from clrs_text_bench import graph, tasks
from clrs_text_bench.evaluators.validity import CHECKS
from clrs_text_bench.generators import generate_batch

from . import naive_valid
from .valid_samples import given, parts_of, score, spelt, tied

# Of a table, all answers up to this number are tried; beyond, fillings of the cells that mean
# something, all or a sample of them, and as many with one cell spoilt.
MOST, SAMPLE = 20_000, 1500

# Lengths, and how many rows of each: half as they are drawn, half of few distinct values.
PROBLEMS = {name: {4: 20} for name in tasks.by_plugin()["clrs30"]} | {
    "activity_selector": {4: 8, 6: 12},
    "task_scheduling": {4: 8, 6: 12},
    "binary_search": {4: 10, 5: 10},
    "find_maximum_subarray_kadane": {4: 10, 7: 10},
    "naive_string_matcher": {4: 10, 10: 40},
    "kmp_matcher": {4: 10, 10: 40},
    "matrix_chain_order": {3: 2, 4: 8, 5: 2},
    "optimal_bst": {2: 2, 3: 4},
    "lcs_length": {2: 4, 4: 8, 5: 2},
    "dfs": {4: 20, 5: 4},
    "strongly_connected_components": {4: 60, 5: 6},
    "bfs": {4: 120, 5: 6},
    "mst_kruskal": {3: 2, 4: 20},
    "mst_prim": {4: 20, 5: 6},
    "dijkstra": {4: 80, 5: 6},
    "bellman_ford": {4: 80, 5: 6},
    "dag_shortest_paths": {4: 20, 5: 10},
    "floyd_warshall": {2: 8, 3: 2, 4: 8},
    "bridges": {4: 8},
    "insertion_sort": {4: 6},
    "bubble_sort": {4: 6},
    "heapsort": {4: 6},
    "quicksort": {4: 6},
    "graham_scan": {4: 4, 6: 4},
    "jarvis_march": {4: 4, 6: 4},
}


def domain(task, n):
    """Returns the values that each element of an answer may hold, and one that it may not."""
    found = []
    for probe, part in zip(task.stage("output"), task.answer_parts(False), strict=True):
        if probe.type in ("pointer", "mask_one"):
            values = range(n)
        else:
            values = range(-1, probe.n_classes or 2) if part.rank == 2 else range(2)
        found += [list(values)] * n**part.rank
    return found


def candidates(task, n, true):
    """Yields answers as flat lists: all, or those that differ in cells that mean something."""
    choices, stream = domain(task, n), random.Random(0)
    if np.prod([float(len(c)) for c in choices]) <= MOST:
        yield from map(list, itertools.product(*choices))
        return
    free = [i for i in range(n * n) if meant(task.name, n, *divmod(i, n), true)]
    fillings = itertools.product(*(choices[i] for i in free))
    if np.prod([float(len(choices[i])) for i in free]) > MOST:
        fillings = (changed(true, free, choices, stream) for _ in range(SAMPLE))
    for filling in fillings:
        x = list(true)
        for i, value in zip(free, filling, strict=True):
            x[i] = value
        yield list(x)
        spoilt = stream.randrange(n * n)
        x[spoilt] = stream.choice(choices[spoilt])
        yield x


def meant(name, n, i, j, true):
    if name == "matrix_chain_order":
        return 1 <= i < j
    if name == "optimal_bst":
        return i < j
    if name == "lcs_length":
        return true[n * i + j] != -1
    return True


def changed(true, free, choices, stream):
    """Returns the true values of cells with one or two drawn anew."""
    values = [true[i] for i in free]
    for _ in range(stream.randint(1, 2)):
        k = stream.randrange(len(free))
        values[k] = stream.choice(choices[free[k]])
    return values


def sorts(task):
    return any(p.type == "should_be_permutation" for p in task.stage("output"))


def answers(row):
    """Returns parts of answers to a row."""
    task, n = tasks.get(row["algo_name"]), tasks.get(row["algo_name"]).n_nodes(row["length"])
    if sorts(task):
        (key,) = given(row)
        return [[list(order)] for order in itertools.product(key, repeat=n)]
    if task.name == "mst_kruskal" and n == 4:
        # All symmetric ones, and as many that are not.
        return [[x] for x in matrices(n)]
    values = np.array(reference(row))
    return [parts_of(task, n, x) for x in candidates(task, n, values.tolist())]


def matrices(n):
    stream = random.Random(1)
    for bits in itertools.product((0, 1), repeat=n * (n + 1) // 2):
        x = np.zeros((n, n), int)
        x[np.triu_indices(n)] = bits
        x |= x.T
        yield x.tolist()
        x[stream.randrange(n), stream.randrange(n)] ^= 1
        yield x.tolist()


def reference(row):
    """Returns the elements of a true answer."""
    words = row["answer"].translate(str.maketrans("[],", "   ")).split()
    return [int(word) for word in words]


@pytest.mark.parametrize("name", PROBLEMS)
def test_an_answer_is_valid_just_if_it_solves_the_problem(name):
    several = sum(
        rows_with_several(name, length, count) for length, count in PROBLEMS[name].items()
    )
    assert (several > 0) == (name in CHECKS)


def rows_with_several(name, length, count):
    """Compares all answers to some rows; returns how many rows have several valid ones."""
    task, several = tasks.get(name), 0
    rows = generate_batch(name, length, count=count // 2, seed=1).to_pylist()
    for row in rows + tied(name, length, count // 2, seed=2):
        solves = naive_valid.ANSWERS[name](*given(row))
        parts = answers(row)
        expected = np.array([solves(*x) for x in parts], np.float32)
        exact, valid = score([row] * len(parts), [spelt(task, x) for x in parts])
        odd = np.flatnonzero(valid != expected)
        assert not len(odd), (row["question"], parts[odd[0]], valid[odd[0]])
        assert exact.max() == 1
        assert np.all(valid >= exact)
        several += np.any(valid > exact)
    return several


def test_the_definitions_are_of_all_thirty():
    assert set(naive_valid.ANSWERS) == set(tasks.by_plugin()["clrs30"])
    assert set(CHECKS) < set(naive_valid.ANSWERS)


def test_samples_with_ties_are_what_their_question_says():
    (row,) = tied("dijkstra", 5, 1)
    source, weights = given(row)
    assert row["question"].startswith(f"dijkstra:\ns: {source}, A: [[")
    assert {w for line in weights for w in line} <= {0, 100, 200, 300}
    assert graph.unpack("dijkstra", 5, row["graph_inputs"], "input")["s"][source] == 1
