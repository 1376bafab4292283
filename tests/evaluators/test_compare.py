import itertools

import numpy as np
import pyarrow as pa
import pytest

from clrs_text_bench import schema
from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import leaderboard
from clrs_text_bench.evaluators.compare import compare, compare_runs
from clrs_text_bench.evaluators.sign_flips import exact_p, flipped_sums, holm

from . import fake_results


def scores(values, start=0):
    """Scores of answers by (algorithm, length)."""
    rows = [
        {
            "split": "test",
            "algo_name": algorithm,
            "length": length,
            "seed": 0,
            "index": start + index,
            "clrs": value,
        }
        for (algorithm, length), column in values.items()
        for index, value in enumerate(column)
    ]
    return pa.Table.from_pylist(rows, schema=schema.SCORES)


def naive_p(differences):
    observed = abs(sum(differences))
    signs = list(itertools.product([1, -1], repeat=len(differences)))
    sums = [abs(sum(s * d for s, d in zip(row, differences, strict=True))) for row in signs]
    return sum(total >= observed - 1e-9 for total in sums) / len(signs)


@pytest.mark.parametrize(
    "differences",
    [[0.5], [0.5, 0.5], [0.25, -0.5, 0.75], [0.1, 0.2, 0.3, -0.4], [0.0, 0.0], [0.5, 0.0, -0.5]],
)
def test_exact_p_by_all_sign_flips(differences):
    assert exact_p(np.array(differences)) == pytest.approx(naive_p(differences))


def test_flipped_sums_are_those_of_naive_flips():
    rng = np.random.default_rng(0)
    differences = np.round(rng.normal(0, 0.3, 40), 1)
    ours = flipped_sums(differences, np.random.default_rng(1), 20_000)
    signs = np.random.default_rng(2).choice([-1, 1], (20_000, 40))
    naive = signs @ differences
    assert ours.mean() == pytest.approx(0, abs=0.05)
    assert ours.std() == pytest.approx(naive.std(), rel=0.03)
    shares = [np.mean(np.abs(found) >= 2.0 - 1e-9) for found in (ours, naive)]
    assert shares[0] == pytest.approx(shares[1], abs=0.015)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.01, 0.02, 0.022, 0.09, 0.5], [0.05, 0.08, 0.08, 0.18, 0.5]),
        ([0.6, 0.7], [1.0, 1.0]),
        ([0.2], [0.2]),
    ],
)
def test_holm_by_hand(values, expected):
    assert holm(np.array(values)) == pytest.approx(expected)


def test_differences_by_hand():
    a = scores({("bfs", 4): [0, 0, 0, 0], ("bfs", 8): [0, 1], ("dfs", 4): [1, 1]})
    b = scores({("bfs", 4): [1, 1, 0, 0], ("bfs", 8): [1, 1], ("dfs", 4): [1, 0]})
    found = compare(a, b, "clrs")
    rows = found.rows.set_index("algorithm")
    assert rows.index.tolist() == ["dfs", "bfs"]  # catalogue order
    assert rows["n"].to_dict() == {"dfs": 2, "bfs": 6}
    assert rows["a"].to_dict() == pytest.approx({"dfs": 1.0, "bfs": 0.25})
    assert rows["b"].to_dict() == pytest.approx({"dfs": 0.5, "bfs": 0.75})
    assert rows["difference"].to_dict() == pytest.approx({"dfs": -0.5, "bfs": 0.5})
    # Weighted differences of bfs are 1/8, 1/8 and 1/4: two of eight flips reach 1/2.
    assert rows["p"].to_dict() == pytest.approx({"dfs": 1.0, "bfs": 0.25})
    assert rows["p_holm"].to_dict() == pytest.approx({"dfs": 1.0, "bfs": 0.5})
    assert found.overall["difference"] == pytest.approx(0.0)
    assert found.overall["n"] == 8
    assert (found.only_a, found.only_b, found.unpaired) == (0, 0, ())


def test_equal_runs_do_not_differ():
    a = scores({("bfs", 4): [0, 1] * 30})
    (row,) = compare(a, a, "clrs").rows.to_dict("records")
    assert (row["difference"], row["low"], row["high"], row["p"]) == (0, 0, 0, 1)


def test_a_clear_difference_is_found_and_a_fluke_is_not():
    rng = np.random.default_rng(0)
    base = (rng.random(400) < 0.5).astype(float)
    better = np.maximum(base, rng.random(400) < 0.3)
    noise = (rng.random(400) < 0.5).astype(float)
    found = compare(
        scores({("bfs", 4): base, ("dfs", 4): base}),
        scores({("bfs", 4): better, ("dfs", 4): noise}),
        "clrs",
    )
    rows = found.rows.set_index("algorithm")
    assert rows.loc["bfs", "p_holm"] < 0.001
    assert rows.loc["bfs", "low"] > 0.08
    assert rows.loc["dfs", "p"] > 0.05
    assert rows.loc["dfs", "low"] < 0 < rows.loc["dfs", "high"]
    assert found.overall["p"] < 0.01


def test_p_values_of_equal_models_are_uniform():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(60):
        a, b = ((rng.random(100) < 0.5).astype(float) for _ in range(2))
        found.append(compare(scores({("bfs", 4): a}), scores({("bfs", 4): b}), "clrs").overall["p"])
    assert np.mean(np.array(found) < 0.5) == pytest.approx(0.5, abs=0.2)
    assert np.mean(np.array(found) < 0.1) < 0.25


def test_the_same_comparison_gives_the_same_figures():
    rng = np.random.default_rng(0)
    a, b = (scores({("bfs", 4): rng.random(80)}) for _ in range(2))
    assert compare(a, b, "clrs").rows.equals(compare(a, b, "clrs").rows)


def test_unpaired_samples_are_counted_and_named():
    a = scores({("bfs", 4): [1, 1, 1], ("dfs", 4): [1]})
    b = scores({("bfs", 4): [1, 0], ("minimum", 8): [1, 1]})
    found = compare(a, b, "clrs")
    assert (found.only_a, found.only_b) == (2, 2)
    assert found.unpaired == (("bfs", 4), ("dfs", 4), ("minimum", 8))
    assert found.rows["n"].tolist() == [2]


def test_nothing_in_common_is_an_error():
    with pytest.raises(BadInput, match="no sample in common"):
        compare(scores({("bfs", 4): [1]}), scores({("bfs", 4): [1]}, start=7), "clrs")


def test_a_score_that_a_run_lacks_is_an_error():
    with pytest.raises(BadInput, match="no score 'flair'"):
        compare(scores({("bfs", 4): [1]}), scores({("bfs", 4): [1]}), "flair")


@pytest.fixture
def results(tmp_path):
    folder = leaderboard.results_folder(tmp_path / "results")
    cells = [("bfs", 4), ("bfs", 8), ("dfs", 4)]
    for seed, model in enumerate(["good", "bad"]):
        rows = fake_results.run(model, cells=cells, score=lambda a, n, s=seed: 0.9 - 0.5 * s)
        leaderboard.append(folder, rows, fake_results.answers(rows, seed))
    other = fake_results.run("other-data", dataset_hash="e" * 64, dataset="elsewhere")
    leaderboard.append(folder, other, fake_results.answers(other))
    return folder


def test_runs_are_compared_by_name_on_the_chosen_cells(results):
    frame = leaderboard.read(results)
    found, a, b = compare_runs(results, frame, "good", "bad", "clrs")
    assert a.startswith("good-")
    assert b.startswith("bad-")
    assert found.rows["n"].tolist() == [100, 200]
    assert found.overall["difference"] == pytest.approx(-0.5, abs=0.1)
    chosen = leaderboard.select(frame, algorithms=["bfs"], lengths=[8])
    assert compare_runs(results, chosen, a, b[:6], "clrs")[0].rows["n"].tolist() == [100]


@pytest.mark.parametrize(
    ("name", "message"),
    [("goood", "did you mean 'good'"), ("other-data", "different data sets .data and elsewhere.")],
)
def test_runs_that_cannot_be_compared(results, name, message):
    with pytest.raises(BadInput, match=message):
        compare_runs(results, leaderboard.read(results), "bad", name, "clrs")


def test_a_name_of_several_runs_lists_them(results):
    rows = fake_results.run("good", cells=[("bfs", 4)], extraction="lenient")
    leaderboard.append(results, rows, fake_results.answers(rows))
    with pytest.raises(BadInput, match="'good' stands for 2 runs; choose one of good-"):
        compare_runs(results, leaderboard.read(results), "good", "bad", "clrs")


def test_scores_that_are_gone_are_named(results):
    results.remove(f"scores/{leaderboard.find_run(leaderboard.read(results), 'good')}.parquet")
    with pytest.raises(BadInput, match="has no scores/good-"):
        compare_runs(results, leaderboard.read(results), "good", "bad", "clrs")
