import math
from datetime import UTC, datetime

import numpy as np
import pytest

from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import aggregate, bootstrap, entries, leaderboard

from . import fake_results

TABLE = {("bfs", 4): 0.9, ("bfs", 8): 0.5, ("dfs", 4): 0.3, ("minimum", 8): 1.0}


def scored(table, **columns):
    return fake_results.run(cells=list(table), score=lambda a, n: table[a, n], **columns)


def frame(*runs):
    return leaderboard.frame_of(runs)


def column(rows, key, score="clrs"):
    return dict(zip(rows[key], rows[score], strict=True))


def test_macro_averages_by_hand():
    runs = frame(scored(TABLE, train_lengths=(4, 5)))
    assert aggregate.means(runs)["clrs"].tolist() == pytest.approx([(0.7 + 0.3 + 1.0) / 3])
    by_algorithm = column(aggregate.means(runs, ["algorithm"]), "algorithm")
    assert by_algorithm == pytest.approx({"bfs": 0.7, "dfs": 0.3, "minimum": 1.0})
    by_family = column(aggregate.means(runs, ["family"]), "family")
    assert by_family == pytest.approx({"graphs": (0.7 + 0.3) / 2, "searching": 1.0})
    by_length = column(aggregate.means(runs, ["length"]), "length")
    assert by_length == pytest.approx({4: (0.9 + 0.3) / 2, 8: (0.5 + 1.0) / 2})
    by_regime = column(aggregate.means(runs, ["regime"]), "regime")
    assert by_regime == pytest.approx({"in-distribution": 0.6, "extrapolation": 0.75})


def test_cells_weigh_alike_whatever_their_size():
    runs = frame(
        scored({("bfs", 4): 1.0}, n=1000, limit=None), scored({("bfs", 8): 0.0}, n=10, limit=None)
    )
    rows = aggregate.means(runs)
    assert rows["clrs"].tolist() == [0.5]
    assert rows["n"].tolist() == [1010]


def test_counts_and_incompleteness_are_carried():
    runs = frame(scored(TABLE, missing=2, errors=1, incomplete=True, n=50))
    (row,) = aggregate.means(runs).to_dict("records")
    found = {k: row[k] for k in ("n", "missing", "errors", "incomplete", "algorithms", "lengths")}
    assert found == {
        "n": 200,
        "missing": 8,
        "errors": 4,
        "incomplete": True,
        "algorithms": 3,
        "lengths": 2,
    }


def test_half_widths_add_up_as_weighted_squares():
    runs = frame(scored({("bfs", 4): 0.5, ("dfs", 4): 0.5, ("dfs", 8): 0.5}, width=0.1))
    (row,) = aggregate.means(runs).to_dict("records")
    half = 0.1 * math.sqrt(0.5**2 + 0.25**2 + 0.25**2)
    assert row["clrs_low"] == pytest.approx(0.5 - half)
    assert row["clrs_high"] == pytest.approx(0.5 + half)


def test_the_interval_of_a_mean_is_near_that_of_a_stratified_bootstrap():
    rng = np.random.default_rng(0)
    cells = {("bfs", 4): 0.9, ("bfs", 8): 0.6, ("dfs", 4): 0.3, ("minimum", 8): 0.75}
    answers = {cell: (rng.random(200) < mean).astype(float) for cell, mean in cells.items()}
    rows = scored(cells).to_pylist()
    for row in rows:
        found = bootstrap.mean_interval(answers[row["algorithm"], row["length"]])
        row |= {"clrs": found.mean, "clrs_low": found.low, "clrs_high": found.high}
    runs = frame(scored(cells).from_pylist(rows, schema=scored(cells).schema))
    (row,) = aggregate.means(runs).to_dict("records")
    means = {cell: bootstrap.resampled_means(a, rng, 4000) for cell, a in answers.items()}
    macro = ((means["bfs", 4] + means["bfs", 8]) / 2 + means["dfs", 4] + means["minimum", 8]) / 3
    low, high = bootstrap.percentiles(macro)
    assert (row["clrs_low"], row["clrs_high"]) == pytest.approx((low, high), abs=0.006)


def test_seeds_give_mean_and_standard_deviation():
    runs = frame(
        *(
            scored({("bfs", 4): value}, train_seed=seed, checkpoint=str(seed), width=0.1)
            for seed, value in enumerate([0.2, 0.4, 0.9])
        )
    )
    (row,) = aggregate.means(runs).to_dict("records")
    assert row["seeds"] == 3
    assert row["clrs"] == pytest.approx(0.5)
    assert row["clrs_sd"] == pytest.approx(math.sqrt((0.09 + 0.01 + 0.16) / 2))
    assert row["clrs_low"] == pytest.approx(0.4)
    assert row["clrs_high"] == pytest.approx((0.3 + 0.5 + 1.0) / 3)


def test_one_seed_has_no_standard_deviation():
    (row,) = aggregate.means(frame(scored(TABLE, train_seed=0))).to_dict("records")
    assert row["seeds"] == 1
    assert math.isnan(row["clrs_sd"])


def test_models_without_train_lengths_have_a_regime_of_their_own():
    rows = aggregate.means(frame(scored(TABLE)), ["regime"])
    assert rows["regime"].tolist() == [aggregate.NO_REGIME]


def test_no_rows_have_no_mean():
    runs = frame(scored(TABLE))
    with pytest.raises(BadInput, match="no scores to average"):
        aggregate.means(runs[runs["length"] == 99])


def test_an_entry_keeps_its_missing_scores_missing():
    other = fake_results.run("other", evaluator="mine")
    names = [n for n in other.column_names if not n.startswith("clrs")]
    runs = frame(scored(TABLE), other.select(names))
    found = column(aggregate.means(runs), "entry")
    assert found["transformer"] == pytest.approx(2 / 3)
    assert math.isnan(found["other"])


def entered(*runs):
    return entries.enter(frame(*runs))


def test_parts_of_one_evaluation_are_one_entry():
    found = entered(scored({("bfs", 4): 0.1}), scored({("bfs", 8): 0.2}, spec="transformer:moved"))
    assert set(found["entry"]) == {"transformer"}
    assert found["training"].nunique() == 1


def test_of_two_rows_for_a_cell_the_larger_then_the_newer_counts():
    new, old = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    few = scored({("bfs", 4): 0.1}, n=5, limit=5, created=new)
    first = scored({("bfs", 4): 0.2}, n=50, created=old, command="first")
    second = scored({("bfs", 4): 0.3}, n=50, created=new, command="second")
    assert entered(few, first)["clrs"].tolist() == [0.2]
    assert entered(second, few, first)["clrs"].tolist() == [0.3]


def test_seeds_are_one_entry_and_two_trainings():
    found = entered(*(scored(TABLE, train_seed=s, checkpoint=f"c{s}") for s in (0, 1)))
    assert set(found["entry"]) == {"transformer"}
    assert found["training"].nunique() == 2


def test_two_checkpoints_of_one_seed_are_two_entries():
    found = entered(*(scored(TABLE, train_seed=0, checkpoint=c * 64) for c in "ab"))
    assert set(found["entry"]) == {
        "transformer (checkpoint aaaaaaaa)",
        "transformer (checkpoint bbbbbbbb)",
    }


@pytest.mark.parametrize(
    ("column", "values", "names"),
    [
        ("use_hints", (True, False), ("traced", "plain")),
        ("extraction", ("strict", "lenient"), ("strict", "lenient")),
        ("split", ("test", "validation"), ("test", "validation")),
        ("dataset_hash", ("a" * 64, "b" * 64), ("data aaaaaaaa", "data bbbbbbbb")),
        ("n_parameters", (1000, 2000), ("1,000 parameters", "2,000 parameters")),
        ("train_lengths", ((4, 5), (4, 5, 6)), ("trained on 4-5", "trained on 4-6")),
    ],
)
def test_entries_of_one_name_are_told_apart_by_what_differs(column, values, names):
    found = entered(*(scored(TABLE, **{column: value}) for value in values))
    assert set(found["entry"]) == {f"transformer ({name})" for name in names}


def test_seeds_whose_best_steps_and_reasoners_differ_are_one_entry():
    runs = [
        scored(TABLE, settings=s, run=f"transnar-{seed}", train_seed=seed, checkpoint=str(seed))
        for seed, s in enumerate(('{"step": 10, "nar": "a"}', '{"step": 20, "nar": "b"}'))
    ]
    found = entered(*runs)
    assert found["entry"].nunique() == 1
    assert found["training"].nunique() == 2


def test_entries_that_differ_in_settings_are_told_apart_by_those():
    settings = ('{"steps": "trace", "step": 1}', '{"steps": "bound", "step": 2}', "{}")
    found = entered(*(scored(TABLE, settings=x, run=x) for x in settings))
    names = {f"transformer (steps {steps})" for steps in ("trace", "bound", "none")}
    assert set(found["entry"]) == names


def test_other_models_keep_their_plain_names():
    found = entered(scored(TABLE, use_hints=True), scored(TABLE), fake_results.run("other"))
    assert set(found["entry"]) == {"transformer (traced)", "transformer (plain)", "other"}
