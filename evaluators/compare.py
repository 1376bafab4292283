"""Paired comparison of two runs on the same samples."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from clrs_text_bench import schema, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.storage import Folder

from . import bootstrap, leaderboard

if TYPE_CHECKING:
    import pandas as pd

FLIPS = 9999

# Up to so many differences other than 0, all ways to flip their signs are tried.
_EXACT = 14
_CHUNK = 1 << 22

# Scores are stored as float32: differences that are equal but for its noise must tie.
_DECIMALS = 6
_TIE = 1e-10

# Drawing one binomial number costs about as much as drawing so many signs.
_COUNT_COST = 40


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


def compare(a: pa.Table, b: pa.Table, score: str, *, seed: int = 0) -> Comparison:
    """Compares the scores of two runs, sample by sample.

    Means are over answers within a length, over lengths within an algorithm, and over algorithms.
    Intervals are percentile bootstrap, resampling the pairs within each (algorithm, length).
    p-values are of the two-sided sign-flip test: under the null hypothesis that the runs do not
    differ, each pair's difference is as likely to be turned round (Fisher's randomisation test;
    exact for few pairs that differ, else over 9,999 random flips). Holm's step-down method
    corrects them for the number of algorithms.

    Args:
      a: scores of a run's answers, as `leaderboard.read_scores` gives them.
      b: the other's.
      score: which score.
      seed: of the resamples and flips.

    Raises:
      BadInput: if they share no sample, or one has no such score.
    """
    for table in (a, b):
        if score not in table.column_names:
            raise BadInput(f"one of the runs has no score {score!r}")
    pairs, only_a, only_b = _pair(a, b, score)
    present = set(pairs["algo_name"])
    names = [name for name in tasks.names() if name in present]
    rng = np.random.default_rng(seed)
    parts = [
        _Part.of(name, pairs[pairs["algo_name"] == name], rng)
        for name in names + sorted(present - set(names))
    ]
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
    def of(cls, algorithm: str, pairs: "pd.DataFrame", rng: np.random.Generator) -> "_Part":
        lengths = [part for _, part in pairs.groupby("length", sort=True)]
        differences = [(part["b"] - part["a"]).to_numpy() for part in lengths]
        resampled = _mean([bootstrap.resampled_means(d, rng) for d in differences])
        low, high = bootstrap.percentiles(resampled)
        rounded = [np.round(d, _DECIMALS) for d in differences]
        flipped = _mean([flipped_sums(d, rng) / len(d) for d in rounded])
        weighted = np.concatenate([d / (len(d) * len(lengths)) for d in rounded])
        row = {
            "algorithm": algorithm,
            "n": len(pairs),
            "a": _mean([part["a"].mean() for part in lengths]),
            "b": _mean([part["b"].mean() for part in lengths]),
            "difference": _mean([d.mean() for d in differences]),
            "low": low,
            "high": high,
            "p": _p_value(weighted, flipped),
        }
        return cls(row, resampled, float(weighted.sum()), flipped)


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
        "p": _random_p(
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
    return compare(*tables, score), *runs


def _of_cells(scores: pa.Table, rows: "pd.DataFrame") -> pa.Table:
    """Keeps the scores of the algorithms and lengths that a run's rows are of."""
    keys = pa.table({"algo_name": list(rows["algorithm"]), "length": list(rows["length"])})
    keys = keys.cast(pa.schema([("algo_name", pa.string()), ("length", pa.int32())]))
    return scores.join(keys, ["algo_name", "length"], join_type="left semi")


def _mean(arrays: list) -> np.ndarray | float:
    return sum(arrays) / len(arrays)


def _pair(
    a: pa.Table, b: pa.Table, score: str
) -> tuple["pd.DataFrame", "pd.DataFrame", "pd.DataFrame"]:
    """Returns the samples that both answered, with scores `a` and `b`, and those of one only."""
    identity = list(schema.IDENTITY)
    left, right = (
        table.select([*identity, score]).rename_columns([*identity, name]).to_pandas()
        for table, name in ((a, "a"), (b, "b"))
    )
    merged = left.merge(right, on=identity, how="outer", indicator=True, validate="one_to_one")
    both = merged[merged["_merge"] == "both"]
    if both.empty:
        raise BadInput("the two runs have no sample in common, so they cannot be compared")
    both = both.astype({"a": np.float64, "b": np.float64})
    return both, merged[merged["_merge"] == "left_only"], merged[merged["_merge"] == "right_only"]


def flipped_sums(
    differences: np.ndarray, rng: np.random.Generator, flips: int = FLIPS
) -> np.ndarray:
    """Returns the sums of `[n]` differences under random flips of their signs: `[flips]`.

    Of c differences of one size, the number left as they are is binomial (c, 1/2): where sizes
    repeat a lot, drawing these numbers is the cheaper way to the same distribution.
    """
    sizes, counts = np.unique(np.abs(differences), return_counts=True)
    sizes, counts = sizes[sizes > 0], counts[sizes > 0]
    n = counts.sum()
    by_counts = len(sizes) * _COUNT_COST < n
    repeated = np.repeat(sizes, counts)
    sums = np.zeros(flips)
    step = max(1, _CHUNK // max(1, len(sizes) if by_counts else n))
    for start in range(0, flips if n else 0, step):
        size = min(step, flips - start)
        if by_counts:
            kept = rng.binomial(counts, 0.5, (size, len(sizes))) @ sizes
        else:
            bits = np.frombuffer(rng.bytes(size * -(-n // 8)), np.uint8).reshape(size, -1)
            kept = np.unpackbits(bits, axis=1, count=n).astype(np.float64) @ repeated
        sums[start : start + size] = 2.0 * kept - counts @ sizes
    return sums


def exact_p(differences: np.ndarray) -> float:
    """Returns the share of all sign flips whose sum is at least as far from 0 as the observed."""
    values = differences[differences != 0]
    places = np.arange(2 ** len(values))[:, None] >> np.arange(len(values)) & 1
    sums = (1.0 - 2.0 * places) @ values
    return float(np.mean(_as_far(sums, values.sum())))


def _p_value(weighted: np.ndarray, flipped: np.ndarray) -> float:
    if np.count_nonzero(weighted) <= _EXACT:
        return exact_p(weighted)
    return _random_p(float(weighted.sum()), flipped)


def _random_p(observed: float, flipped: np.ndarray) -> float:
    """Counts the observed sum as one of the flips, so that p is never 0 (Phipson & Smyth 2010)."""
    return float((1 + np.count_nonzero(_as_far(flipped, observed))) / (1 + len(flipped)))


def _as_far(sums: np.ndarray, observed: float) -> np.ndarray:
    return np.abs(sums) >= abs(observed) - _TIE


def holm(p_values: np.ndarray) -> np.ndarray:
    """Corrects p-values for their number: Holm's step-down method (Holm 1979).

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    count = len(p_values)
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * (count - np.arange(count))
    corrected = np.empty(count)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected
