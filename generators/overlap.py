"""How often the same input comes up, within a split and in train, by the graph's inputs."""

import numpy as np
import pyarrow as pa

from clrs_text_bench.compiled import jit
from clrs_text_bench.datasets import OverlapRecord
from clrs_text_bench.recipes import Cell

_SEED = np.uint64(0x243F6A8885A308D3)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)


def fingerprints(table: pa.Table) -> np.ndarray:
    """Returns a 64-bit hash of each row's graph inputs, as uint64 `[rows]`.

    Equal numbers hash alike: -0.0 is 0.0. Two of 10^7 different inputs collide with a chance of
    about 3 in a million.
    """
    if not table.num_rows:
        return np.zeros(0, np.uint64)
    column = table.column("graph_inputs").combine_chunks()
    # All rows of a cell are of one size, and adding 0.0 makes every zero a positive one.
    values = column.flatten().to_numpy(zero_copy_only=False) + np.float32(0.0)
    return _hash_rows(values.view(np.uint32).reshape(table.num_rows, -1))


@jit
def _hash_rows(rows):
    """Hashes rows of 32-bit words: multiply and fold, then MurmurHash3's final mix."""
    hashes = np.empty(len(rows), np.uint64)
    for r in range(len(rows)):
        h = _SEED
        for word in rows[r]:
            h = (h ^ np.uint64(word)) * _MULTIPLIER
            h ^= h >> np.uint64(29)
        h = (h ^ (h >> np.uint64(33))) * _MIX_1
        h = (h ^ (h >> np.uint64(33))) * _MIX_2
        hashes[r] = h ^ (h >> np.uint64(33))
    return hashes


def measure(cell: Cell, inputs: np.ndarray, train: np.ndarray | None) -> OverlapRecord:
    """Counts a cell's distinct inputs, and those that stand in train.

    Args:
      cell: which cell, with the number of rows that was asked for.
      inputs: fingerprints of its rows.
      train: fingerprints of the train rows of the same algorithm and length; None where there
        are none, and for train itself.
    """
    return OverlapRecord(
        split=cell.split,
        algorithm=cell.algorithm,
        length=cell.length,
        rows=len(inputs),
        distinct=len(np.unique(inputs)),
        in_train=None if train is None else int(np.isin(inputs, train).sum()),
        wanted=cell.count if len(inputs) < cell.count else None,
    )


class Seen:
    """The inputs that a deduplicated cell must not show again."""

    def __init__(self, train: np.ndarray) -> None:
        self._known = set(train.tolist())

    def fresh(self, table: pa.Table, most: int) -> pa.Table:
        """Returns the first rows whose input was not seen, `most` at most, and remembers them."""
        keep = []
        for row, fingerprint in enumerate(fingerprints(table).tolist()):
            if len(keep) < most and fingerprint not in self._known:
                self._known.add(fingerprint)
                keep.append(row)
        return table.take(pa.array(keep, pa.int64()))
