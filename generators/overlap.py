"""How often the same input comes up, within a split and in train, by the graph's inputs."""

import hashlib

import numpy as np
import pyarrow as pa

from clrs_text_bench.datasets import OverlapRecord
from clrs_text_bench.recipes import Cell


def fingerprints(table: pa.Table) -> np.ndarray:
    """Returns a 64-bit hash of each row's graph inputs, as uint64 `[rows]`.

    Equal numbers hash alike: -0.0 is 0.0. Two of 10^7 different inputs collide with a chance of
    about 3 in a million.
    """
    if not table.num_rows:
        return np.zeros(0, np.uint64)
    column = table.column("graph_inputs").combine_chunks()
    # All rows of a cell are of one size, and adding 0.0 makes every zero a positive one.
    rows = (column.flatten().to_numpy(zero_copy_only=False) + np.float32(0.0)).reshape(
        table.num_rows, -1
    )
    hashes = b"".join(hashlib.blake2b(row, digest_size=8).digest() for row in rows)
    return np.frombuffer(hashes, np.uint64)


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

    def fresh(self, table: pa.Table) -> pa.Table:
        """Returns the rows whose input was not seen before, and remembers them."""
        keep = []
        for fingerprint in fingerprints(table).tolist():
            keep.append(fingerprint not in self._known)
            self._known.add(fingerprint)
        return table.filter(pa.array(keep))
