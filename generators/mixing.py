"""The order of an endless stream: which sample stands at a place, found without its predecessors.

Cells are dealt in rounds. A round holds of each cell its share of the recipe's samples, in the
smallest whole numbers that give the shares exactly, in a random order of its own. A cell's samples
follow one another as in the recipe's data set, seed after seed, and then go on to indices beyond
it; so as many places as the recipe has samples hold just these.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clrs_text_bench.recipes import Cell

_DOMAIN = b"clrs-text-bench/stream/1"
_ROUNDS = 8
_GOLDEN, _MIX_1, _MIX_2 = (
    np.uint64(c) for c in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)


@dataclass(frozen=True, slots=True)
class Places:
    """The samples at some places of a stream, `[places]` each.

    Attributes:
      cell: int64, which cell, by its number.
      seed: int64, the sample's seed.
      index: int64, the sample's index.
    """

    cell: np.ndarray
    seed: np.ndarray
    index: np.ndarray


class Mix:
    """An endless order of all samples of some cells.

    Args:
      cells: the cells, in the recipe's order.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        counts = np.array([cell.count for cell in cells], np.int64)
        self._counts = counts
        self._shares = counts // math.gcd(*counts.tolist())
        self._stops = np.cumsum(self._shares)
        self._samples = np.array([cell.samples for cell in cells], np.int64)
        seeds = [cell.seeds for cell in cells]
        self._first_seed = np.cumsum([0, *(len(s) for s in seeds)])[:-1]
        self._seeds = np.array([seed for of_cell in seeds for seed in of_cell], np.int64)
        fields = [(c.split, c.algorithm, c.length, c.samples, c.seeds) for c in cells]
        digest = hashlib.blake2b(_DOMAIN + repr(fields).encode(), digest_size=8)
        self._key = np.uint64(int.from_bytes(digest.digest(), "little"))

    @property
    def shares(self) -> np.ndarray:
        """Number of samples of each cell in a round, int64 `[cells]`."""
        return self._shares

    def at(self, places: np.ndarray) -> Places:
        """Returns the samples at places, int64, counted from 0 and given in any order."""
        rounds, within = np.divmod(places, self._stops[-1])
        keys = _scramble(rounds.astype(np.uint64) * _GOLDEN + self._key)
        dealt = _permuted(within, int(self._stops[-1]), keys)
        cell = np.searchsorted(self._stops, dealt, side="right")
        within_cell = dealt - (self._stops - self._shares)[cell]
        epoch, number = np.divmod(rounds * self._shares[cell] + within_cell, self._counts[cell])
        seed, index = np.divmod(number, self._samples[cell])
        return Places(
            cell=cell,
            seed=self._seeds[self._first_seed[cell] + seed],
            index=epoch * self._samples[cell] + index,
        )


def _permuted(values: np.ndarray, size: int, keys: np.ndarray) -> np.ndarray:
    """Permutes 0 to `size - 1`, each value under its key's permutation.

    A Feistel network over the next power of four; what lands beyond the size is sent through
    again until it does not (Black and Rogaway 2002, cycle walking).
    """
    half = np.uint64((max(size - 1, 1).bit_length() + 1) // 2)
    low = (np.uint64(1) << half) - np.uint64(1)
    found = values.astype(np.uint64)
    left = np.ones(len(found), bool)
    while left.any():
        found[left] = _feistel(found[left], half, low, keys[left])
        left = found >= np.uint64(size)
    return found.astype(np.int64)


def _feistel(values: np.ndarray, half: np.uint64, low: np.uint64, keys: np.ndarray) -> np.ndarray:
    a, b = values >> half, values & low
    for turn in range(_ROUNDS):
        mixed = _scramble(b + _scramble(keys + np.uint64(turn)))
        a, b = b, a ^ (mixed & low)
    return (a << half) | b


def _scramble(values: np.ndarray) -> np.ndarray:
    """The output function of SplitMix64 (Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * _MIX_1
    values = (values ^ (values >> np.uint64(27))) * _MIX_2
    return values ^ (values >> np.uint64(31))
