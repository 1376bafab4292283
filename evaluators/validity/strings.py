"""Valid answers of string matchers.

Legend: R rows, n nodes: the text's characters first, then the pattern's.
"""

import numpy as np

from clrs_text_bench.compiled import jit


@jit
def matcher(string_Rxn, key_Rxn, match_R):
    """Returns whether the pattern stands at `match`, or, where it stands nowhere, begins there."""
    R, n = key_Rxn.shape
    valid_R = np.zeros(R, np.bool_)
    for r in range(R):
        first = n - np.sum(string_Rxn[r])
        text, pattern = key_Rxn[r, :first], key_Rxn[r, first:]
        if match_R[r] == first:
            valid_R[r] = not _occurs(text, pattern)
        else:
            valid_R[r] = _stands_at(text, pattern, match_R[r])
    return valid_R


@jit
def _occurs(text, pattern):
    for place in range(len(text)):  # noqa: SIM110 (Numba compiles loops, not generators)
        if _stands_at(text, pattern, place):
            return True
    return False


@jit
def _stands_at(text, pattern, place):
    if place + len(pattern) > len(text):
        return False
    for k in range(len(pattern)):  # noqa: SIM110
        if text[place + k] != pattern[k]:
            return False
    return True
