"""Answers that evaluations kept beside their leaderboard rows (`evaluate --save-predictions`)."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from clrs_text_bench.errors import BadInput
from clrs_text_bench.storage import Folder

from .. import leaderboard
from . import texts

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_FOLDER = "predictions"
_SAMPLE = ("seed", "index")
_TEXTS = ("prediction", "finish_reason")

Sample = tuple[int, int]
"""Seed and index of a sample: its identity within a cell."""


@dataclass(frozen=True)
class Run:
    """A run whose answers were kept.

    Attributes:
      run: its id.
      entry: its entry in the leaderboard.
      train_seed: of the model, where it has one.
      dataset_hash: of the data set that it answered.
      split: which split of it.
      results: the results folder that it is in.
      files: of its answers, by (algorithm, length).
    """

    run: str
    entry: str
    train_seed: int | None
    dataset_hash: str
    split: str
    results: Folder
    files: dict[tuple[str, int], str]

    def answers(self, algorithm: str, length: int) -> dict[Sample, dict[str, Any]]:
        """Returns its answers to a cell, by sample.

        Each has `prediction` (None if it is missing), `finish_reason`, and `scores` by name.
        """
        table = self._read(algorithm, length)
        scores = self._scores(algorithm, length)
        columns = [table[name].cast(pa.large_binary()).to_pylist() for name in _TEXTS]
        return {
            sample: {
                "prediction": texts.decoded(prediction),
                "finish_reason": texts.decoded(reason),
                "scores": scores.get(sample, {}),
            }
            for sample, prediction, reason in zip(_samples(table), *columns, strict=True)
        }

    def _scores(self, algorithm: str, length: int) -> dict[Sample, dict[str, Any]]:
        table, places = self._scored
        rows = table.take(places.get((algorithm, length), [])).to_pylist()
        return {(row["seed"], row["index"]): row for row in rows}

    @cached_property
    def _scored(self) -> tuple[pa.Table, dict[tuple[str, int], "np.ndarray"]]:
        """The scores of its answers, and where among them those of each cell are."""
        table = leaderboard.read_scores(self.results, self.run)
        cells = table.select(["algo_name", "length"]).to_pandas()
        return table, cells.groupby(["algo_name", "length"]).indices

    def _read(self, algorithm: str, length: int) -> pa.Table:
        name = self.files[algorithm, length]
        where = f"{name} of {self.results.url}"
        try:
            file = pq.ParquetFile(pa.BufferReader(self.results.read(name)))
            for column in (*_SAMPLE, *_TEXTS):
                if column not in file.schema_arrow.names:
                    raise BadInput(f"{where} has no column {column!r}; evaluate {self.run} again")
            return file.read([*_SAMPLE, *_TEXTS])
        except (pa.ArrowException, OSError) as error:
            reason = " ".join(str(error).split())
            raise BadInput(f"{where} is not a whole Parquet file: {reason}") from error


def _samples(table: pa.Table) -> list[Sample]:
    return list(zip(*(table[name].to_pylist() for name in _SAMPLE), strict=True))


def runs(results: Folder, cells: "pd.DataFrame") -> list[Run]:
    """Returns the runs of a results folder whose answers were kept, in the order of their entries.

    Args:
      results: a results folder.
      cells: rows of `entries.enter`.
    """
    import pandas as pd

    files: dict[str, dict[tuple[str, int], str]] = {}
    for name in results.names():
        folder, _, rest = name.partition("/")
        run, _, file = rest.partition("/")
        algorithm, _, length = file.removesuffix(".parquet").rpartition("-")
        if folder == _FOLDER and file.endswith(".parquet") and length.isdecimal():
            files.setdefault(run, {})[algorithm, int(length)] = name
    return [
        Run(
            row["run"],
            row["entry"],
            None if pd.isna(row["train_seed"]) else int(row["train_seed"]),
            row["dataset_hash"],
            row["split"],
            results,
            files[row["run"]],
        )
        for row in cells.drop_duplicates("run").to_dict("records")
        if row["run"] in files
    ]
