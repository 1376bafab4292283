"""The two-sided sign-flip test of paired differences (Fisher's randomisation test).

Under the null hypothesis that two runs do not differ, each pair is as likely to be turned round.
"""

import numpy as np

FLIPS = 9999

# Up to so many differences other than 0, all ways to flip their signs are tried.
_EXACT = 14
_CHUNK = 1 << 22
_TIE = 1e-10

# Drawing one binomial number costs about as much as drawing so many signs.
_COUNT_COST = 40


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


def p_value(terms: np.ndarray, flipped: np.ndarray) -> float:
    """Returns the p-value of a sum: exact if few terms are not 0, else by random flips.

    Args:
      terms: what the observed difference is the sum of.
      flipped: differences under random flips, see `flipped_sums`.
    """
    if np.count_nonzero(terms) <= _EXACT:
        return exact_p(terms)
    return random_p(float(terms.sum()), flipped)


def random_p(observed: float, flipped: np.ndarray) -> float:
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
