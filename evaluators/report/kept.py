"""Answers that evaluations kept beside their leaderboard rows (`evaluate --save-predictions`)."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clrs_text_bench.errors import BadInput
from clrs_text_bench.storage import Folder

from .. import leaderboard
from . import texts

if TYPE_CHECKING:
    import pandas as pd

_FOLDER = "predictions"
_SAMPLE = ["seed", "index"]

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

    @cached_property
    def _scores(self) -> pa.Table:
        return leaderboard.read_scores(self.results, self.run)

    def samples(self, algorithm: str, length: int) -> list[Sample]:
        """Returns which samples of a cell it answered."""
        return _samples(self._read(algorithm, length, _SAMPLE))

    def answers(
        self, algorithm: str, length: int, chosen: list[Sample]
    ) -> dict[Sample, dict[str, Any]]:
        """Returns the answers to those of these samples that it answered.

        Each has `prediction` (None if it is missing), `finish_reason`, and `scores` by name.
        """
        table = self._read(algorithm, length, [*_SAMPLE, "prediction", "finish_reason"])
        table = table.filter(_is_in(table, chosen))
        scores = self._scores.filter(
            (pc.field("algo_name") == algorithm) & (pc.field("length") == length)
        )
        scores = scores.filter(_is_in(scores, chosen))
        by_sample = {(row["seed"], row["index"]): row for row in scores.to_pylist()}
        texts_ = table["prediction"].cast(pa.large_binary()).to_pylist()
        reasons = table["finish_reason"].cast(pa.large_binary()).to_pylist()
        return {
            sample: {
                "prediction": texts.decoded(text),
                "finish_reason": texts.decoded(reason),
                "scores": by_sample.get(sample, {}),
            }
            for sample, text, reason in zip(_samples(table), texts_, reasons, strict=True)
        }

    def _read(self, algorithm: str, length: int, columns: list[str]) -> pa.Table:
        name = self.files[algorithm, length]
        where = f"{name} of {self.results.url}"
        try:
            table = pq.read_table(pa.BufferReader(self.results.read(name)), columns=columns)
        except (pa.ArrowException, OSError) as error:
            reason = " ".join(str(error).split())
            raise BadInput(f"{where} is not a whole Parquet file: {reason}") from error
        for column in columns:
            if column not in table.column_names:
                raise BadInput(f"{where} has no column {column!r}; evaluate {self.run} again")
        return table


def _samples(table: pa.Table) -> list[Sample]:
    return list(zip(*(table[name].to_pylist() for name in _SAMPLE), strict=True))


def _is_in(table: pa.Table, chosen: list[Sample]) -> pa.Array:
    wanted = set(chosen)
    return pa.array(np.array([sample in wanted for sample in _samples(table)], bool))


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
