"""Which answers are valid, whatever the ties: what `clrs_text_bench.checks` names.

Legend: R rows, n nodes. Keys are in thousandths. The tasks that are not here have one answer each.
"""

import numpy as np


def longest_increasing_subsequence(
    key_Rxn: np.ndarray, pi_Rxn: np.ndarray, end_R: np.ndarray
) -> np.ndarray:
    """Returns whether predecessors are of the longest subsequences, and `end` ends one of all."""
    R, n = key_Rxn.shape
    rows, nodes = np.arange(R)[:, None], np.arange(n)
    longest_Rxn = np.ones((R, n), int)
    for i in range(n):
        before = np.where(key_Rxn[:, :i] < key_Rxn[:, i : i + 1], longest_Rxn[:, :i], 0)
        longest_Rxn[:, i] += before.max(axis=1, initial=0)
    follows = (pi_Rxn < nodes) & (key_Rxn[rows, pi_Rxn] < key_Rxn)
    longest = longest_Rxn[rows, pi_Rxn] == longest_Rxn - 1
    right = np.where(longest_Rxn == 1, pi_Rxn == nodes, follows & longest)
    return right.all(axis=1) & (longest_Rxn[rows[:, 0], end_R] == longest_Rxn.max(axis=1))


def connected_components(A_Rxnxn: np.ndarray, name_Rxn: np.ndarray) -> np.ndarray:
    """Returns whether each component is named by one of its nodes."""
    R, n = name_Rxn.shape
    together = (A_Rxnxn != 0) | np.eye(n, dtype=bool)
    for _ in range(n.bit_length()):
        together = together @ together
    same = name_Rxn[:, :, None] == name_Rxn[:, None]
    own = together[np.arange(R)[:, None], np.arange(n), name_Rxn]
    return own.all(axis=1) & (same == together).all(axis=(1, 2))


CHECKS = {
    "longest_increasing_subsequence": longest_increasing_subsequence,
    "connected_components": connected_components,
}
