"""Latents kept on disk, beside the reasoner that they are of.

RUN/latents/HASH-STEPS-SHARES/SPLIT-ALGORITHM-LENGTH-SEED.{latents,there}

A file for each cell has a sample's latents at its index; another has a byte for each that says
whether they are there, which is written last: what a killed process leaves is right. Places that
nothing is written to take no disk.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from clrs_text_bench import storage
from clrs_text_bench.identity import SampleId

from ..nar.graphs import Row
from ..nar.network import Latents
from .reasoner import Reasoner

_FOLDER = "latents"


class _Cell(NamedTuple):
    """The files of one cell, as arrays over the samples' indices."""

    latents: np.ndarray
    there: np.ndarray


class Store:
    """The latents of one reasoner."""

    def __init__(self, reasoner: Reasoner, steps: str, shares: int) -> None:
        """Names the folder; nothing is written yet.

        Args:
          reasoner: whose latents are kept.
          steps: how many steps it makes.
          shares: K, at how many shares of its steps.
        """
        name = f"{reasoner.described.hash[:16]}-{steps}-{shares}"
        self._folder = reasoner.folder / _FOLDER / name
        self._shares, self._dim = shares, reasoner.described.model.hidden_dim

    def latents(
        self,
        samples: list[SampleId],
        rows: list[Row],
        compute: Callable[[list[Row]], list[Latents]],
    ) -> list[Latents]:
        """Returns the latents of rows, of which those that are not there are computed and kept.

        Args:
          samples: the rows' identities.
          rows: their graphs.
          compute: from rows to their latents.

        Raises:
          BadInput: if the folder cannot be written.
        """
        with storage.writing(str(self._folder)):
            cells = self._open(samples, rows)
            found: list = [None] * len(rows)
            missing = []
            for i, sample in enumerate(samples):
                cell = cells[_name(sample)]
                if cell.there[sample.index]:
                    found[i] = self._unpacked(cell.latents[sample.index], rows[i].n)
                else:
                    missing.append(i)
            for i, made in zip(missing, compute([rows[i] for i in missing]), strict=True):
                cell, index = cells[_name(samples[i])], samples[i].index
                cell.latents[index] = np.concatenate([x.ravel() for x in made])
                cell.there[index] = 1
                found[i] = made
        return found

    def _open(self, samples: list[SampleId], rows: list[Row]) -> dict[str, _Cell]:
        """Maps the files of the samples' cells, made longer if need be."""
        self._folder.mkdir(parents=True, exist_ok=True)
        count: dict[str, int] = {}
        size: dict[str, int] = {}
        for sample, row in zip(samples, rows, strict=True):
            name = _name(sample)
            count[name] = max(count.get(name, 0), sample.index + 1)
            size[name] = self._shares * (row.n + row.n**2) * self._dim
        return {
            name: _Cell(
                _mapped(self._folder / f"{name}.latents", np.float32, (count[name], size[name])),
                _mapped(self._folder / f"{name}.there", np.uint8, (count[name],)),
            )
            for name in count
        }

    def _unpacked(self, flat: np.ndarray, n: int) -> Latents:
        K, H = self._shares, self._dim
        nodes, edges = np.split(flat, [K * n * H])
        return Latents(nodes.reshape(K, n, H), edges.reshape(K, n, n, H))


def _name(sample: SampleId) -> str:
    return f"{sample.split}-{sample.algorithm}-{sample.length}-{sample.seed}"


def _mapped(path: Path, dtype: type, shape: tuple[int, ...]) -> np.ndarray:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    with open(path, "ab") as file:
        if os.fstat(file.fileno()).st_size < size:
            os.truncate(path, size)
    return np.memmap(path, dtype, "r+", shape=shape)
