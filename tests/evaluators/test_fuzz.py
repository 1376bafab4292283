"""Scoring what is no answer: many fuzzed completions of all tasks, plain and traced.

`benchmarks/fuzz.py` does the same to a million, and times it.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from clrs_text_bench import datasets, schema
from clrs_text_bench import predictions as files
from clrs_text_bench.evaluators import Scores, score_answer

from .. import command
from . import fuzz, naive_scores
from .fuzz_scoring import EVALUATORS, EXTRACTIONS, check_clrs_text, check_valid, scored

COUNT = 30_000
SEED = 20_261


@pytest.fixture(scope="module")
def fuzzed():
    references = fuzz.references(COUNT, SEED)
    return fuzz.completions(references, SEED), references


def test_a_seed_makes_the_same_completions_of_every_kind_and_task(fuzzed):
    given, references = fuzzed
    assert fuzz.references(COUNT, SEED) == references
    assert fuzz.completions(references, SEED) == given
    assert fuzz.completions(references, SEED + 1) != given
    assert set(given["kind"].to_pylist()) == set(fuzz.KINDS)
    cells = set(zip(*(references[n].to_pylist() for n in ("algo_name", "use_hints")), strict=True))
    assert len(cells) == 60


@pytest.mark.slow
@pytest.mark.parametrize("extraction", EXTRACTIONS)
def test_no_completion_breaks_scoring_or_leaves_its_range(fuzzed, extraction):
    given, references = fuzzed
    scores = scored("clrs-text", given, references, extraction)
    check_clrs_text(scores, references)
    validity = scored("valid", given, references, extraction)
    check_valid(validity, np.asarray(scores["exact"]))
    assert np.sum(validity["valid"]) > np.sum(scores["exact"])


@pytest.mark.parametrize("extraction", EXTRACTIONS)
@pytest.mark.parametrize("evaluator", ["clrs-text", "valid"])
def test_twice_the_completions_have_twice_the_scores(fuzzed, evaluator, extraction):
    given, references = (table.slice(0, 5000) for table in fuzzed)
    scores = scored(evaluator, given, references, extraction)
    twice = [pa.concat_tables([table, table]) for table in (given, references)]
    assert scored(evaluator, *twice, extraction) == pa.concat_tables([scores, scores])


@pytest.mark.parametrize("extraction", EXTRACTIONS)
def test_scores_are_those_of_the_plain_reference(fuzzed, extraction):
    given, references = fuzzed
    short = pc.less(pc.fill_null(pc.utf8_length(given["prediction"]), 0), 120)
    rows = np.flatnonzero(short.to_numpy())[:600]
    scores = scored("clrs-text", given.take(rows), references.take(rows), extraction)
    kinds = set()
    for row, answer, found in zip(
        references.take(rows).to_pylist(),
        given.take(rows).to_pylist(),
        scores.to_pylist(),
        strict=True,
    ):
        if answer["prediction"] is None:
            continue
        kinds.add(answer["kind"])
        asked = (row["algo_name"], row["length"], answer["prediction"], row["answer"])
        expected = Scores(*naive_scores.score(*asked, row["use_hints"], extraction))
        assert score_answer(*asked, row["use_hints"], extraction) == expected
        for name in ("shape", "parse", "clrs", "exact", "trace_share", "first_wrong_step"):
            assert found[name] == pytest.approx(getattr(expected, name)), asked
    assert kinds == set(fuzz.KINDS) - {"missing"}


RECIPE = """
name = "fuzzed"
description = "All tasks."
[[splits]]
name = "test"
algorithms = "all"
lengths = "5"
samples = 20
"""


@pytest.fixture(scope="module", params=[(), ("--hints",)], ids=["plain", "traced"])
def dataset(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "recipe.toml").write_text(RECIPE)
    made = ("--workers", 1, "--out", folder / "data")
    command.run("generate", folder / "recipe.toml", *request.param, *made)
    return datasets.open(folder / "data")


@pytest.mark.slow
@pytest.mark.parametrize("extraction", EXTRACTIONS)
@pytest.mark.parametrize("evaluator", ["clrs-text", "valid"])
def test_score_counts_what_failed_and_gives_it_nothing(
    dataset, evaluator, extraction, run, tmp_path
):
    samples = pa.concat_tables([dataset.read(cell) for cell in dataset.cells("test")])
    given = fuzz.completions(samples, SEED)
    failed = np.arange(len(samples)) % 7 == 3
    answers = samples.select(schema.IDENTITY).append_column("prediction", given["prediction"])
    reasons = pa.array(np.where(failed, "error", "stop"))
    pq.write_table(answers.append_column("finish_reason", reasons), tmp_path / "answers.parquet")
    code, _, error = run(
        *("score", tmp_path / "answers.parquet", "--data", dataset.url, "--results", tmp_path),
        *("--out", tmp_path / "scores.parquet", "--evaluator", evaluator),
        *("--extraction", extraction),
    )
    assert code == 0, error
    scores = pq.read_table(tmp_path / "scores.parquet")
    assert files.identity(scores) == files.identity(samples)
    expected = scored(evaluator, given, samples, extraction)
    (board,) = (tmp_path / "leaderboard").iterdir()
    board = pq.read_table(board)
    for name in EVALUATORS[evaluator].scores:
        values = np.where(failed, 0, np.asarray(expected[name]))
        assert np.array_equal(np.asarray(scores[name]), values)
        by_cell = values.reshape(len(board), -1).mean(axis=1)
        assert board[name].to_numpy() == pytest.approx(by_cell)
    missing = pc.is_null(given["prediction"]).to_numpy()
    assert pc.sum(board["n"]).as_py() == len(samples) == 600
    assert pc.sum(board["missing"]).as_py() == np.sum(missing)
    assert pc.sum(board["errors"]).as_py() == np.sum(failed & ~missing)
