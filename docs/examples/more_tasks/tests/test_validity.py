"""All answers to small samples, beside definitions that try everything out."""

from itertools import combinations, product

import numpy as np
import pytest
from more_tasks.validity import CHECKS

from clrs_text_bench import graph
from clrs_text_bench.generators import generate_batch

N = 4


def given(row):
    """Returns what a row's question shows, as whole numbers."""
    inputs = graph.unpack(row["algo_name"], N, row["graph_inputs"], "input")
    x = inputs["A"] if "A" in inputs else inputs["key"].astype(float) * 1000
    return np.round(x).astype(int)


def judged(name, shown, answers):
    """Returns whether the check takes answers, lists of a part's values each."""
    return CHECKS[name](
        np.stack([shown] * len(answers)), *map(np.array, zip(*answers, strict=True))
    )


@pytest.mark.parametrize("coarse", [False, True])
def test_subsequences(coarse):
    name = "longest_increasing_subsequence"
    for row in generate_batch(name, N, count=10).to_pylist():
        key = given(row) // 300 if coarse else given(row)
        rising = [
            c
            for size in range(1, N + 1)
            for c in combinations(range(N), size)
            if all(np.diff(key[list(c)]) > 0)
        ]
        best = [max(len(c) for c in rising if c[-1] == i) for i in range(N)]

        def told(pi, i):
            found = [i]
            while pi[found[-1]] != found[-1] and len(found) <= N:
                found.append(pi[found[-1]])
            return tuple(reversed(found))

        answers = [(pi, end) for pi in product(range(N), repeat=N) for end in range(N)]
        expected = [
            all(told(pi, i) in rising and len(told(pi, i)) == best[i] for i in range(N))
            and best[end] == max(best)
            for pi, end in answers
        ]
        assert any(expected)
        np.testing.assert_array_equal(judged(name, key, answers), expected)


def test_components():
    name = "connected_components"
    for row in generate_batch(name, N, count=20).to_pylist():
        parts = {i: {i} for i in range(N)}
        for i, j in np.argwhere(given(row)):
            together = parts[i] | parts[j]
            parts |= dict.fromkeys(together, together)
        answers = [(x,) for x in product(range(N), repeat=N)]
        expected = [
            all(x[i] in parts[i] for i in range(N))
            and all(len({x[j] for j in part}) == 1 for part in parts.values())
            for (x,) in answers
        ]
        assert any(expected)
        np.testing.assert_array_equal(judged(name, given(row), answers), expected)
