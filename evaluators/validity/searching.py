"""Valid answers of searches and of the maximum subarray.

Legend: R rows, n nodes. Keys and targets are in thousandths.
"""

import numpy as np


def minimum(key_Rxn: np.ndarray, min_R: np.ndarray) -> np.ndarray:
    """Returns whether no key is below the one at `min`."""
    return _at(key_Rxn, min_R) == key_Rxn.min(axis=1)


def quickselect(key_Rxn: np.ndarray, median_R: np.ndarray) -> np.ndarray:
    """Returns whether the key at `median` is the one of rank n // 2, from 0."""
    rank = key_Rxn.shape[1] // 2
    return _at(key_Rxn, median_R) == np.partition(key_Rxn, rank, axis=1)[:, rank]


def binary_search(
    key_Rxn: np.ndarray, target_R: np.ndarray, low_R: np.ndarray, high_R: np.ndarray | None = None
) -> np.ndarray:
    """Returns whether the target is at `low`, or is to be put there if it is nowhere.

    To be put there means: before the first larger key, or at the last node if none is larger. A
    traced search ends in two numbers, both of that place.
    """
    n = key_Rxn.shape[1]
    larger_Rxn = key_Rxn > target_R[:, None]
    place_R = np.where(larger_Rxn.any(axis=1), larger_Rxn.argmax(axis=1), n - 1)
    present_R = np.any(key_Rxn == target_R[:, None], axis=1)
    found_R = np.where(present_R, _at(key_Rxn, low_R) == target_R, low_R == place_R)
    return found_R if high_R is None else found_R & (low_R == high_R)


def find_maximum_subarray(
    key_Rxn: np.ndarray, start_R: np.ndarray, end_R: np.ndarray
) -> np.ndarray:
    """Returns whether no other subarray, of at least one element, has a larger sum."""
    sums_Rxm = np.pad(np.cumsum(key_Rxn, axis=1), ((0, 0), (1, 0)))
    least_Rxn = np.minimum.accumulate(sums_Rxm[:, :-1], axis=1)
    best_R = np.max(sums_Rxm[:, 1:] - least_Rxn, axis=1)
    sum_R = _at(sums_Rxm, end_R + 1) - _at(sums_Rxm, start_R)
    return (start_R <= end_R) & (sum_R == best_R)


def _at(x_Rxn: np.ndarray, place_R: np.ndarray) -> np.ndarray:
    return x_Rxn[np.arange(len(x_Rxn)), place_R]
