"""Reports on ablations, on made-up answers to a data set of the core's own."""

import json
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clrs_text_bench.ablation import Ablation, Asked, Trained, Variant
from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import leaderboard
from clrs_text_bench.evaluators.ablation import measures, runs, sheets
from clrs_text_bench.evaluators.ablation.report import REPORTER
from clrs_text_bench.evaluators.compare import compare, compare_runs
from clrs_text_bench.evaluators.sign_flips import holm
from clrs_text_bench.storage import Folder

from .. import tiny_data
from . import fake_results

TRAINED_ON = (4, 6)
SAMPLES = 40
VARIANTS = (
    Variant("base", "as it is", 1000, 800),
    Variant("better", "somewhat better", 1000, 900),
    Variant("worse", "much worse", 2000, 2000),
)
SKILL = {"base": 0.6, "better": 0.7, "worse": 0.2}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    lengths = {"train": TRAINED_ON, "test": [5, 6, 8]}
    return tiny_data.write(tmp_path_factory.mktemp("data") / "set", lengths, samples=SAMPLES)


@pytest.fixture(scope="module")
def asked(dataset):
    return Asked(dataset, "test", (), None)


@pytest.fixture
def results(tmp_path):
    return leaderboard.results_folder(tmp_path / "out")


def add(results, asked, variant, seed, **columns):
    """Adds a model's answers as `evaluate` would; returns what was trained."""
    lengths = columns.pop("lengths", [5, 6, 8])
    rows = fake_results.run(
        variant,
        cells=[(algorithm, n) for algorithm in tiny_data.ALGORITHMS for n in lengths],
        score=lambda _, n: SKILL[variant] - 0.02 * n - 0.01 * seed,
        n=SAMPLES,
        **{
            "dataset_hash": asked.dataset.hash,
            "train_lengths": TRAINED_ON,
            "train_seed": seed,
            "checkpoint": f"{variant}-{seed}",
            # Which step was the best differs from seed to seed.
            "settings": json.dumps({"step": 100 + seed}),
            **columns,
        },
    )
    answers = fake_results.answers(rows, seed=sum(map(ord, variant)) + seed)
    leaderboard.append(results, _with_means(rows, answers), answers)
    return Trained(variant, seed, columns.get("checkpoint", f"{variant}-{seed}"))


def _with_means(rows, answers):
    """Returns the rows with the means of the answers themselves, of one score, for speed."""
    means = answers.to_pandas().groupby(["algo_name", "length"])["clrs"].mean()
    schema = leaderboard.row_schema(["clrs"])
    records = [{name: row.get(name) for name in schema.names} for row in rows.to_pylist()]
    for row in records:
        row["clrs"] = float(means[row["algorithm"], row["length"]])
    return pa.Table.from_pylist(records, schema=schema)


def ablation(asked, seeds=(0, 1)):
    return Ablation("tiny", "Which is better?", "base", seeds, VARIANTS, asked)


class Filled(NamedTuple):
    """A folder of answers of two seeds of each variant, but for one of the worse."""

    results: Folder
    models: set[Trained]
    measured: pd.DataFrame


@pytest.fixture(scope="module")
def filled(asked, tmp_path_factory):
    results = leaderboard.results_folder(tmp_path_factory.mktemp("filled") / "out")
    keys = [(v.name, seed) for seed in (0, 1) for v in VARIANTS][:-1]
    models = {add(results, asked, *key) for key in keys}
    return Filled(results, models, measured(results, asked, models))


def measured(results, asked, models):
    frame = runs.find(results, asked, models)
    return measures.measure(results, ablation(asked), frame)


def row(found, variant, part, score="clrs"):
    chosen = found[(found["variant"] == variant) & (found["part"] == part)]
    return chosen[chosen["score"] == score].iloc[0]


PARTS = {
    "in-distribution": (6,),
    "out of distribution": (5, 8),
    "length 5": (5,),
    "length 6": (6,),
    "length 8": (8,),
}


def test_with_one_seed_differences_are_those_of_the_leaderboards_comparison(filled):
    found = filled.measured
    frame = leaderboard.read(filled.results)
    for part, lengths in PARTS.items():
        chosen = leaderboard.select(
            frame[frame["train_seed"] == 0].reset_index(drop=True), lengths=lengths
        )
        expected = compare_runs(filled.results, chosen, "base", "worse", "clrs")[0].overall
        own = row(found, "worse", part)
        assert own["paired_seeds"] == [0]
        assert own["difference"] == pytest.approx(expected["difference"], abs=1e-12)
        assert own["difference_low"] == pytest.approx(expected["low"], abs=1e-12)
        assert own["difference_high"] == pytest.approx(expected["high"], abs=1e-12)
        assert own["p"] == expected["p"]
        assert np.isnan(own["difference_sd"])


def answers_of(results, variant, seed):
    frame = leaderboard.read(results)
    (run,) = set(frame.loc[(frame["model"] == variant) & (frame["train_seed"] == seed), "run"])
    return leaderboard.read_scores(results, run)


def test_with_several_seeds_they_are_of_the_means_of_each_sample(filled):
    found = filled.measured
    for part, lengths in PARTS.items():
        tables, by_seed = {}, {}
        for variant in ("base", "better"):
            frames = [answers_of(filled.results, variant, s).to_pandas() for s in (0, 1)]
            frames = [f[f["length"].isin(lengths)] for f in frames]
            by_seed[variant] = [
                f.groupby(["algo_name", "length"])["clrs"].mean().groupby("algo_name").mean().mean()
                for f in frames
            ]
            means = frames[0].assign(clrs=(frames[0]["clrs"] + frames[1]["clrs"].to_numpy()) / 2)
            tables[variant] = pa.Table.from_pandas(means, preserve_index=False)
        expected = compare(tables["base"], tables["better"], "clrs").overall
        own = row(found, "better", part)
        assert own["paired_seeds"] == [0, 1]
        assert own["difference"] == pytest.approx(expected["difference"], abs=1e-6)
        assert own["difference_low"] == pytest.approx(expected["low"], abs=1e-9)
        assert own["difference_high"] == pytest.approx(expected["high"], abs=1e-9)
        differences = np.subtract(by_seed["better"], by_seed["base"])
        assert own["difference_sd"] == pytest.approx(np.std(differences, ddof=1), abs=1e-6)
        assert own["mean"] == pytest.approx(np.mean(by_seed["better"]), abs=1e-6)
        assert own["sd"] == pytest.approx(np.std(by_seed["better"], ddof=1), abs=1e-6)
        assert own["low"] < own["mean"] < own["high"]


def test_parts_and_counts(filled):
    found = filled.measured
    assert {p: tuple(found[found["part"] == p].iloc[0]["lengths"]) for p in PARTS} == PARTS
    assert row(found, "better", "out of distribution")["n"] == 2 * 2 * 2 * SAMPLES
    assert row(found, "worse", "length 8")["n"] == 2 * SAMPLES
    assert row(found, "worse", "length 8")["seeds"] == [0]
    assert set(found["score"]) == {"clrs"}
    base = found[found["variant"] == "base"]
    assert base[["difference", "difference_low", "p", "p_holm"]].isna().all(axis=None)
    assert base["mean"].notna().all()


def test_p_values_are_corrected_for_the_number_of_variants(filled):
    found = filled.measured
    pair = [row(found, name, "in-distribution") for name in ("better", "worse")]
    expected = holm(np.array([one["p"] for one in pair]))
    assert [one["p_holm"] for one in pair] == pytest.approx(expected.tolist())


def test_without_the_base_there_are_scores_and_no_differences(results, asked):
    model = add(results, asked, "better", 0)
    found = measured(results, asked, {model})
    assert found["mean"].notna().all()
    assert found[["difference", "p", "p_holm"]].isna().all(axis=None)


def test_models_are_evaluated_once_all_that_is_asked_is_answered(filled, asked):
    results, models, _ = filled
    assert REPORTER.evaluated(results, asked, models) == models
    absent = Trained("worse", 1, "worse-1")
    assert REPORTER.evaluated(results, asked, {*models, absent}) == models


def test_an_empty_folder_holds_nothing(results, asked):
    assert REPORTER.evaluated(results, asked, {Trained("base", 0, "base-0")}) == set()


@pytest.mark.parametrize(
    "other",
    [
        {"checkpoint": "trained anew"},
        {"dataset_hash": "e" * 64},
        {"split": "validation"},
        {"limit": 7},
        {"evaluator": "clrs-metric"},
        {"extraction": "lenient"},
        {"lengths": [5, 6]},
        {"train_seed": 5},
    ],
)
def test_answers_to_anything_else_do_not_count(results, asked, other):
    add(results, asked, "base", 0, **other)
    assert REPORTER.evaluated(results, asked, {Trained("base", 0, "base-0")}) == set()


def test_a_limit_and_lengths_are_part_of_what_is_asked(results, dataset):
    asked = Asked(dataset, "test", (5, 8), 7)
    model = add(results, asked, "base", 0, limit=7, lengths=[5, 8])
    assert REPORTER.evaluated(results, asked, {model}) == {model}
    assert REPORTER.evaluated(results, Asked(dataset, "test", (5, 8), None), {model}) == set()


def test_the_newest_of_several_evaluations_counts(results, asked):
    add(results, asked, "base", 0, run="old", created=datetime(2025, 1, 1, tzinfo=UTC))
    model = add(results, asked, "base", 0, run="new", created=datetime(2026, 1, 1, tzinfo=UTC))
    assert set(runs.find(results, asked, {model})["run"]) == {"new"}


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"split": "tset"}, "'tset'; did you mean 'test'"),
        ({"lengths": (5, 7)}, "has no length 7; it has 5-6,8"),
    ],
)
def test_what_the_data_set_lacks_is_refused(dataset, chosen, sentence):
    values = {"split": "test", "lengths": (), **chosen}
    with pytest.raises(BadInput, match=sentence):
        REPORTER.check(Asked(dataset, limit=None, **values))


def test_the_tables_say_what_was_measured(filled, asked):
    found = filled.measured
    sheet = sheets.scores(ablation(asked), found, "clrs")
    assert sheet.header == [
        "variant", "what it is", "trained parameters", "seeds",
        "in-distribution (6)", "out of distribution (5,8)",
    ]  # fmt: skip
    assert [line[:4] for line in sheet.rows] == [
        ["base (base)", "as it is", "800", "2"],
        ["better", "somewhat better", "900", "2"],
        ["worse", "much worse", "2,000", "1 of 2"],
    ]
    one = row(found, "worse", "in-distribution")
    assert sheet.rows[2][4] == f"{one['mean']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"
    two = row(found, "base", "out of distribution")
    assert sheet.rows[0][5].endswith(f"{two['high']:.3f}] ± {two['sd']:.3f}")
    by_length = sheets.differences(ablation(asked), found, "clrs", by_length=True)
    assert by_length.header == ["variant - base", "length 5", "length 6", "length 8"]
    assert [line[0] for line in by_length.rows] == ["better", "worse"]
    assert by_length.rows[1][3].startswith(
        f"{row(found, 'worse', 'length 8')['difference']:+.3f} ["
    )


def test_what_is_missing_is_named(filled, asked):
    models = filled.models
    assert sheets.missing(ablation(asked), models) == ["Missing: worse, seed 1."]
    assert sheets.missing(ablation(asked, (0, 1, 2)), models) == [
        "Missing: base, seed 2.",
        "Missing: better, seed 2.",
        "Missing: worse, seeds 1, 2.",
    ]


def test_the_report_is_printed_and_put_into_the_folder(filled, asked, capsys):
    results, models, found = filled
    REPORTER.write(results, ablation(asked), models)
    shown = capsys.readouterr()
    assert "base (base)" in shown.out
    assert "Missing: worse, seed 1." in shown.err
    page = results.read("ablation.md").decode()
    assert page.startswith(
        "# tiny\n\nWhich is better?\n\nAnswers to all samples of each length (5-6,"
    )
    assert "Missing: worse, seed 1." in page
    assert "| better | somewhat better | 900 | 2 |" in page
    figures = pq.read_table(pa.BufferReader(results.read("ablation.parquet"))).to_pandas()
    lists = ["lengths", "seeds", "paired_seeds"]
    pd.testing.assert_frame_equal(figures.drop(columns=lists), found.drop(columns=lists))
    for name in lists:
        assert [list(x) for x in figures[name]] == [list(x) for x in found[name]]
    assert results.read("ablation.png").startswith(b"\x89PNG")
    assert b"difference to base" in results.read("ablation.svg")
