"""Paired comparison by a score that is of all answers together."""

import itertools

import numpy as np
import pyarrow as pa
import pytest

from clrs_text_bench.evaluators import leaderboard
from clrs_text_bench.evaluators.clrs_metric import EVALUATOR
from clrs_text_bench.evaluators.compare import compare, compare_runs
from clrs_text_bench.evaluators.evaluate import evaluate

from .. import command

SCORE = "clrs_metric"


def scores(cells):
    """Scores of answers whose F1 is `hits / of`, by (algorithm, length)."""
    rows = [
        {
            "split": "test",
            "algo_name": algorithm,
            "length": length,
            "seed": 0,
            "index": index,
            SCORE: hits / of,
            "metric_right": [float(hits)],
            "metric_all": [float(of)],
        }
        for (algorithm, length), answers in cells.items()
        for index, (hits, of) in enumerate(answers)
    ]
    return pa.Table.from_pylist(rows)


def drawn(rng, n):
    of = rng.integers(2, 9, n)
    return [(int(rng.integers(0, k + 1)), int(k)) for k in of]


def f1(answers):
    hits, of = np.sum(answers, axis=0)
    return hits / of


def test_the_difference_is_that_of_all_answers_together():
    a = {("bfs", 4): [(1, 1), (0, 9)], ("bfs", 8): [(1, 2)]}
    b = {("bfs", 4): [(1, 1), (9, 9)], ("bfs", 8): [(0, 2)]}
    (row,) = compare(scores(a), scores(b), SCORE, judge=EVALUATOR).rows.to_dict("records")
    assert row["a"] == pytest.approx((0.1 + 0.5) / 2)
    assert row["b"] == pytest.approx((1.0 + 0.0) / 2)
    assert row["difference"] == pytest.approx(0.2)


def test_p_is_the_share_of_exchanges_as_far_apart():
    rng = np.random.default_rng(3)
    a, b = drawn(rng, 9), drawn(rng, 9)
    observed = abs(f1(b) - f1(a))
    far = []
    for turned in itertools.product([False, True], repeat=9):
        one = [y if t else x for x, y, t in zip(a, b, turned, strict=True)]
        other = [x if t else y for x, y, t in zip(a, b, turned, strict=True)]
        far.append(abs(f1(other) - f1(one)) >= observed - 1e-9)
    found = compare(scores({("bfs", 4): a}), scores({("bfs", 4): b}), SCORE, judge=EVALUATOR)
    assert found.rows["p"][0] == pytest.approx(np.mean(far), abs=0.02)
    assert found.overall["p"] == found.rows["p"][0]


def test_the_interval_is_of_resampled_pairs():
    rng = np.random.default_rng(4)
    a, b = np.array(drawn(rng, 60)), np.array(drawn(rng, 60))
    naive = []
    for _ in range(4000):
        rows = rng.integers(60, size=60)
        naive.append(f1(b[rows]) - f1(a[rows]))
    low, high = np.quantile(naive, [0.025, 0.975])
    made = [scores({("bfs", 4): x.tolist()}) for x in (a, b)]
    (row,) = compare(*made, SCORE, judge=EVALUATOR).rows.to_dict("records")
    assert (row["low"], row["high"]) == pytest.approx((low, high), abs=0.015)


def test_runs_are_compared_as_their_leaderboard_scores_them(tmp_path):
    data = tmp_path / "set"
    command.run("generate", "-a", "activity_selector", "-l", "4,6", "-n", 20, "--out", data)
    for model in ("majority", "solver"):
        evaluate(model, str(data), evaluator="clrs-metric", results=str(tmp_path / "results"))
    folder = leaderboard.results_folder(tmp_path / "results")
    frame = leaderboard.read(folder)
    found, a, _ = compare_runs(folder, frame, "majority", "solver", SCORE)
    assert found.rows["a"][0] == pytest.approx(frame[frame["run"] == a][SCORE].mean())
    assert found.rows["b"][0] == 1
    assert found.rows["n"][0] == 40
    assert 0 < found.rows["low"][0] <= found.rows["difference"][0] <= found.rows["high"][0]
