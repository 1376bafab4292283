"""Paired comparison of two runs on the same samples."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from clrs_text_bench import registry, schema, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import PoolingEvaluator
from clrs_text_bench.storage import Folder

from . import bootstrap, leaderboard
from .pairs import Means, Pairs, Pooled
from .sign_flips import holm, p_value, random_p

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Comparison:
    """How run B differs from run A.

    Attributes:
      rows: one per algorithm in catalogue order: `algorithm`, `n` (paired samples), `a`, `b`
        (means), `difference` (b - a), `low`, `high` (its 95% interval), `p`, `p_holm` (corrected
        for the number of algorithms).
      overall: the same over all algorithms alike, as a dict without the correction.
      only_a: how many samples only run A answered; `only_b` likewise.
      unpaired: the (algorithm, length) that they are of.
    """

    rows: "pd.DataFrame"
    overall: dict[str, float | int]
    only_a: int
    only_b: int
    unpaired: tuple[tuple[str, int], ...]


def compare(
    a: pa.Table, b: pa.Table, score: str, *, seed: int = 0, judge: PoolingEvaluator | None = None
) -> Comparison:
    """Compares the scores of two runs, sample by sample.

    Scores are of the answers of a length, then means over lengths within an algorithm, and over
    algorithms. Intervals are percentile bootstrap, resampling the pairs within each (algorithm,
    length). p-values are of the two-sided sign-flip test, exact for few pairs that differ, else
    over 9,999 random flips (see `sign_flips`). Holm's step-down method corrects them for the number
    of algorithms.

    Args:
      a: scores of a run's answers, as `leaderboard.read_scores` gives them.
      b: the other's.
      score: which score.
      seed: of the resamples and flips.
      judge: the evaluator, if its score of several answers is not the mean of each one's.

    Raises:
      BadInput: if they share no sample, or one has no such score.
    """
    for table in (a, b):
        if score not in table.column_names:
            raise BadInput(f"one of the runs has no score {score!r}")
    both, only_a, only_b = _pair(a, b)

    def paired(part: "pd.DataFrame") -> Pairs:
        chosen = a.take(part["row_a"].to_numpy()), b.take(part["row_b"].to_numpy())
        if judge is not None:
            return Pooled(judge, score, *chosen)
        return Means(*(x[score].to_numpy().astype(np.float64) for x in chosen))

    present = set(both["algo_name"])
    names = [name for name in tasks.names() if name in present]
    rng = np.random.default_rng(seed)
    parts = []
    for name in names + sorted(present - set(names)):
        lengths = both[both["algo_name"] == name].groupby("length", sort=True)
        parts.append(_Part.of(name, [paired(part) for _, part in lengths], rng))
    return _conclude(parts, only_a, only_b)


@dataclass(frozen=True)
class _Part:
    """The comparison of one algorithm.

    Attributes:
      row: its row of the result.
      resampled: differences of resampled pairs, `[RESAMPLES]`.
      observed: the difference, up to the noise of float32.
      flipped: differences under random flips of signs, `[FLIPS]`.
    """

    row: dict[str, Any]
    resampled: np.ndarray
    observed: float
    flipped: np.ndarray

    @classmethod
    def of(cls, algorithm: str, lengths: list[Pairs], rng: np.random.Generator) -> "_Part":
        resampled = _mean([pairs.resampled(rng) for pairs in lengths])
        low, high = bootstrap.percentiles(resampled)
        flipped = _mean([pairs.flipped(rng) for pairs in lengths])
        a, b = _mean([pairs.a for pairs in lengths]), _mean([pairs.b for pairs in lengths])
        if any(pairs.terms_n is None for pairs in lengths):
            observed = b - a
            p = random_p(observed, flipped)
        else:
            terms = np.concatenate([pairs.terms_n / len(lengths) for pairs in lengths])
            observed = float(terms.sum())
            p = p_value(terms, flipped)
        row = {
            "algorithm": algorithm,
            "n": sum(pairs.n for pairs in lengths),
            "a": a,
            "b": b,
            "difference": b - a,
            "low": low,
            "high": high,
            "p": p,
        }
        return cls(row, resampled, observed, flipped)


def _conclude(parts: list[_Part], only_a: "pd.DataFrame", only_b: "pd.DataFrame") -> Comparison:
    import pandas as pd

    rows = pd.DataFrame([part.row for part in parts])
    rows["p_holm"] = holm(rows["p"].to_numpy())
    low, high = bootstrap.percentiles(_mean([part.resampled for part in parts]))
    overall = {
        "n": int(rows["n"].sum()),
        **{column: float(rows[column].mean()) for column in ("a", "b", "difference")},
        "low": low,
        "high": high,
        "p": random_p(
            _mean([part.observed for part in parts]), _mean([part.flipped for part in parts])
        ),
    }
    unpaired = pd.concat([only_a, only_b])[["algo_name", "length"]].drop_duplicates()
    cells = tuple(sorted(unpaired.itertuples(index=False, name=None)))
    return Comparison(rows, overall, len(only_a), len(only_b), cells)


def compare_runs(
    results: Folder, frame: "pd.DataFrame", a: str, b: str, score: str
) -> tuple[Comparison, str, str]:
    """Compares two runs of a results folder on the algorithms and lengths of a leaderboard.

    Args:
      results: where the scores of their answers are.
      frame: rows as `leaderboard.read` gives them, all or selected.
      a: a run id, the beginning of one, or a model's name.
      b: likewise.
      score: which score.

    Returns:
      The comparison, and the ids of both runs.

    Raises:
      BadInput: if there are no such runs, they answered different data sets, or as `compare` does.
    """
    leaderboard.check_score(frame, score)
    runs = [leaderboard.find_run(frame, name) for name in (a, b)]
    chosen = [frame[frame["run"] == run] for run in runs]
    data = [rows["dataset_hash"].iloc[0] for rows in chosen]
    if data[0] != data[1]:
        raise BadInput(
            f"{runs[0]} and {runs[1]} answered different data sets "
            f"({' and '.join(rows['dataset'].iloc[0] for rows in chosen)}), so their answers "
            "cannot be paired"
        )
    tables = [
        _of_cells(leaderboard.read_scores(results, run), rows)
        for run, rows in zip(runs, chosen, strict=True)
    ]
    return compare(*tables, score, judge=_pooling(chosen[0])), *runs


def _pooling(rows: "pd.DataFrame") -> PoolingEvaluator | None:
    """Returns a run's evaluator if its score of several answers is not the mean of each one's."""
    judge = registry.load("evaluators", rows["evaluator"].iloc[0])
    return judge if isinstance(judge, PoolingEvaluator) else None


def _of_cells(scores: pa.Table, rows: "pd.DataFrame") -> pa.Table:
    """Keeps the scores of the algorithms and lengths that a run's rows are of."""
    import pandas as pd

    cells = scores.select(["algo_name", "length"]).to_pandas()
    wanted = pd.MultiIndex.from_frame(rows[["algorithm", "length"]])
    return scores.filter(pa.array(pd.MultiIndex.from_frame(cells).isin(wanted)))


def _mean(arrays: list) -> np.ndarray | float:
    return sum(arrays) / len(arrays)


def _pair(a: pa.Table, b: pa.Table) -> tuple["pd.DataFrame", "pd.DataFrame", "pd.DataFrame"]:
    """Returns the samples that both answered, as `row_a` and `row_b`, and those of one only."""
    identity = list(schema.IDENTITY)
    left, right = (
        table.select(identity).append_column(name, [np.arange(table.num_rows)]).to_pandas()
        for table, name in ((a, "row_a"), (b, "row_b"))
    )
    merged = left.merge(right, on=identity, how="outer", indicator=True, validate="one_to_one")
    both = merged[merged["_merge"] == "both"]
    if both.empty:
        raise BadInput("the two runs have no sample in common, so they cannot be compared")
    both = both.astype({"row_a": np.int64, "row_b": np.int64})
    return both, merged[merged["_merge"] == "left_only"], merged[merged["_merge"] == "right_only"]
