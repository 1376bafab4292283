"""Means over a leaderboard, macro-averaged as the papers do.

Within a group, a mean is taken over the answers of each (algorithm, length), over the lengths of
each algorithm, and over algorithms (Markeeva et al. 2024; Bounsi et al. 2024), so that neither a
long list of lengths nor a large cell outweighs another algorithm.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from clrs_text_bench.errors import BadInput

from . import entries, leaderboard

if TYPE_CHECKING:
    import pandas as pd

Key = Literal["algorithm", "family", "length", "regime"]

NO_REGIME = "no train lengths"

_COUNTS = ("n", "errors", "missing")
_SPENT = tuple(name for name, _ in leaderboard.PROMPT_FIELDS)


def means(frame: "pd.DataFrame", by: Sequence[Key] = ()) -> "pd.DataFrame":
    """Averages a leaderboard's rows within groups, for every entry.

    Intervals: the cells' 95% intervals are of independent answers, so the deviations of their ends
    from their means add up as weighted squares, each side for itself. Over several train seeds the
    ends are averaged, as if the seeds erred alike on the samples that they share; what they differ
    in is the standard deviation.

    Args:
      frame: rows as `leaderboard.read` gives them.
      by: what to group by; nothing for one mean over all.

    Returns:
      One row per (entry, *by), in order of first appearance: `entry`, the keys, `seeds` (trainings
      averaged over), `algorithms` and `lengths` (how many), `n`, `errors`, `missing` (in all),
      `incomplete`, and for each score its mean, `_low`, `_high` and `_sd` (over seeds; NaN for
      one). A missing regime is `NO_REGIME`. Scores that an entry does not have are NaN. Behind them
      stand prompt_tokens and dollars, in all, if any row has them; null unless all of a group's do.

    Raises:
      BadInput: if there are no rows to average.
    """
    scores = leaderboard.score_names(frame)
    if frame.empty or not scores:
        raise BadInput("no scores to average")
    spent = [name for name in _SPENT if name in frame.columns and frame[name].notna().any()]
    cells = entries.enter(frame)
    cells["regime"] = cells["regime"].astype(object).where(cells["regime"].notna(), NO_REGIME)
    of_training = _within_trainings(cells, ["entry", "training", *by], scores)
    averages = _over_trainings(of_training, ["entry", *by], scores)
    return _with_sums(averages, cells, ["entry", *by], spent) if spent else averages


def _with_sums(
    averages: "pd.DataFrame", cells: "pd.DataFrame", keys: list[str], columns: list[str]
) -> "pd.DataFrame":
    """Adds the sums of columns over the cells of each group."""
    sums = cells.groupby(keys, sort=False)[columns].agg(lambda part: part.sum(skipna=False))
    return averages.join(sums, on=keys)


def _within_trainings(cells: "pd.DataFrame", keys: list[str], scores: list[str]) -> "pd.DataFrame":
    """Macro-averages the cells of every training of an entry."""
    lengths = cells.groupby([*keys, "algorithm"], sort=False)["length"].transform("size")
    algorithms = cells.groupby(keys, sort=False)["algorithm"].transform("nunique")
    weight = 1.0 / (lengths * algorithms)
    kept = dict.fromkeys([*keys, *_COUNTS, "algorithm", "length", "incomplete"])
    parts = cells[list(kept)].copy()
    absent = [f"{score}_absent" for score in scores]
    for score in scores:
        mean = cells[score]
        parts[f"{score}_absent"] = mean.isna()
        parts[score] = weight * mean
        for end in ("_low", "_high"):
            parts[score + end] = (weight * (cells[score + end] - mean)) ** 2
    columns = [score + suffix for score in scores for suffix in leaderboard.SUFFIXES]
    groups = parts.groupby(keys, sort=False)
    sums, lacking = groups[columns].sum(), groups[absent].any()
    for score in scores:
        # Cells without a score make a group's mean NaN, not smaller.
        sums[score] = sums[score].mask(lacking[f"{score}_absent"])
        sums[score + "_low"] = sums[score] - np.sqrt(sums[score + "_low"])
        sums[score + "_high"] = sums[score] + np.sqrt(sums[score + "_high"])
    counts = groups[list(_COUNTS)].sum()
    counts["incomplete"] = groups["incomplete"].any()
    counts["algorithms"] = groups.agg(algorithms=("algorithm", "nunique"))["algorithms"]
    counts["lengths"] = groups.agg(lengths=("length", "nunique"))["lengths"]
    return counts.join(sums).reset_index()


def _over_trainings(frame: "pd.DataFrame", keys: list[str], scores: list[str]) -> "pd.DataFrame":
    """Averages the trainings of every entry."""
    groups = frame.groupby(keys, sort=False)
    result = groups.size().rename("seeds").to_frame()
    for count in ("algorithms", "lengths"):
        result[count] = groups[count].max()
    for count in _COUNTS:
        result[count] = groups[count].sum()
    result["incomplete"] = groups["incomplete"].any()
    for score in scores:
        for suffix in leaderboard.SUFFIXES:
            result[score + suffix] = groups[score + suffix].mean()
        result[score + "_sd"] = groups[score].std(ddof=1)
    return result.reset_index()
