"""The pairs of answers that two runs gave to one algorithm and length: how far apart, by chance.

A score that is a mean of each answer's own has differences that add up. Of one that is not, such
as F1, the score of all answers together is computed anew for every resample and every exchange of
the two runs' answers.
"""

from typing import Protocol

import numpy as np
import pyarrow as pa

from clrs_text_bench.protocols import PoolingEvaluator

from . import bootstrap
from .sign_flips import FLIPS, flipped_sums

# Scores are stored as float32: differences that are equal but for its noise must tie.
_DECIMALS = 6
# Pooled scores are computed of so many counts at once.
_CHUNK = 1 << 22


class Pairs(Protocol):
    """Pairs of answers of one algorithm and length.

    Attributes:
      n: how many.
      a: score of the first run.
      b: of the second.
      terms_n: what the difference b - a is the sum of, a term for each pair, up to the noise of
        float32; None if it is no such sum.
    """

    n: int
    a: float
    b: float
    terms_n: np.ndarray | None

    def resampled(self, rng: np.random.Generator) -> np.ndarray:
        """Returns the differences of resampled pairs, `[RESAMPLES]`."""

    def flipped(self, rng: np.random.Generator) -> np.ndarray:
        """Returns the differences where each pair is turned round or not, `[FLIPS]`."""


class Means:
    """Pairs of a score that is a mean of each answer's own."""

    def __init__(self, a_n: np.ndarray, b_n: np.ndarray) -> None:
        """Takes the scores of each run's answers."""
        self.n = len(a_n)
        self.a, self.b = float(a_n.mean()), float(b_n.mean())
        self._differences_n = b_n - a_n
        self.terms_n = np.round(self._differences_n, _DECIMALS) / self.n

    def resampled(self, rng: np.random.Generator) -> np.ndarray:
        """See `Pairs`."""
        return bootstrap.resampled_means(self._differences_n, rng)

    def flipped(self, rng: np.random.Generator) -> np.ndarray:
        """See `Pairs`."""
        return flipped_sums(np.round(self._differences_n, _DECIMALS), rng) / self.n


class Pooled:
    """Pairs of a score that is of all answers together."""

    terms_n = None

    def __init__(self, judge: PoolingEvaluator, score: str, a: pa.Table, b: pa.Table) -> None:
        """Takes what the evaluator found in each run's answers, in the same order."""
        self.n = a.num_rows
        self._judge, self._score = judge, score
        self._both = pa.concat_tables([a, b])
        none, all_ = np.zeros((1, self.n), np.int64), np.ones((1, self.n), np.int64)
        self.a, self.b = float(self._of(all_, none)[0]), float(self._of(none, all_)[0])

    def _of(self, times_of_a: np.ndarray, times_of_b: np.ndarray) -> np.ndarray:
        times = np.concatenate([times_of_a, times_of_b], axis=1)
        return self._judge.pooled(self._both, times)[self._score]

    def resampled(self, rng: np.random.Generator) -> np.ndarray:
        """See `Pairs`."""
        share = np.full(self.n, 1 / self.n)

        def differences(size: int) -> np.ndarray:
            times = rng.multinomial(self.n, share, size)
            none = np.zeros_like(times)
            return self._of(none, times) - self._of(times, none)

        return self._repeated(differences, bootstrap.RESAMPLES)

    def flipped(self, rng: np.random.Generator) -> np.ndarray:
        """See `Pairs`."""

        def differences(size: int) -> np.ndarray:
            turned = rng.integers(2, size=(size, self.n))
            return self._of(turned, 1 - turned) - self._of(1 - turned, turned)

        return self._repeated(differences, FLIPS)

    def _repeated(self, differences, count: int) -> np.ndarray:
        step = max(1, _CHUNK // (2 * self.n))
        sizes = [min(step, count - start) for start in range(0, count, step)]
        return np.concatenate([differences(size) for size in sizes])
