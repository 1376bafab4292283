"""Percentile bootstrap of means (Efron 1979).

The mean of a resample depends only on how often each distinct value was drawn, and these counts
are multinomial. Where values repeat a lot, as scores do, drawing the counts instead of the indices
gives the same distribution at a fraction of the cost.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from clrs_text_bench.errors import BadInput

RESAMPLES = 2000
LEVEL = 0.95

# Resamples are drawn in chunks of so many counts or indices, so that memory is bounded (32 MB).
_CHUNK = 1 << 22

# Drawing one count costs about as much as drawing so many indices.
_COUNT_COST = 20


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the ends of its interval."""

    mean: float
    low: float
    high: float


def mean_interval(values: ArrayLike, *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """Returns the mean of scores and its percentile bootstrap interval of 95%.

    Args:
      values: `[n]`, finite.
      seed: of the resamples.
      resamples: how many.

    Raises:
      BadInput: if there are no values, or one is NaN or infinite.
    """
    means = resampled_means(values, np.random.default_rng(seed), resamples)
    low, high = percentiles(means)
    return Interval(_mean(*_distinct(values)), low, high)


def pooled_interval(
    score: Callable[[np.ndarray], np.ndarray],
    n: int,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """Returns a score of many answers and its percentile bootstrap interval of 95%.

    Args:
      score: takes how often each answer is taken, `[samples, n]`, and returns `[samples]`.
      n: number of answers.
      seed: of the resamples.
      resamples: how many.

    Raises:
      BadInput: if there are no answers.
    """
    if not n:
        raise BadInput("no scores to average")
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK // n)
    found = [
        score(rng.multinomial(n, np.full(n, 1 / n), min(step, resamples - start)))
        for start in range(0, resamples, step)
    ]
    return Interval(float(score(np.ones((1, n), np.int64))[0]), *percentiles(np.concatenate(found)))


def resampled_means(
    values: ArrayLike, rng: np.random.Generator, resamples: int = RESAMPLES
) -> np.ndarray:
    """Returns the means of resamples with replacement of `[n]` values: float64 `[resamples]`.

    Raises:
      BadInput: as `mean_interval` does.
    """
    distinct, counts = _distinct(values)
    if len(distinct) == 1:
        return np.full(resamples, distinct[0])
    n = counts.sum()
    by_counts = len(distinct) * _COUNT_COST < n
    values = np.repeat(distinct, counts)
    means = np.empty(resamples)
    step = max(1, _CHUNK // (len(distinct) if by_counts else n))
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        if by_counts:
            sums = rng.multinomial(n, counts / n, size) @ distinct
        else:
            sums = values[rng.integers(n, size=(size, n), dtype=np.int32)].sum(axis=1)
        means[start : start + size] = sums / n
    return means


def percentiles(means: np.ndarray, level: float = LEVEL) -> tuple[float, float]:
    """Returns the ends of the central interval of resampled means."""
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _distinct(values: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Returns the distinct values, sorted, and how often each occurs."""
    flat = np.asarray(values, np.float64).reshape(-1)
    if not flat.size:
        raise BadInput("no scores to average")
    if not np.isfinite(flat).all():
        raise BadInput("a score is NaN or infinite, which has no mean")
    return np.unique(flat, return_counts=True)


def _mean(distinct: np.ndarray, counts: np.ndarray) -> float:
    if len(distinct) == 1:
        return float(distinct[0])
    return float(counts @ distinct / counts.sum())
