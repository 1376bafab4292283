"""The model `file:PATH`: answers with the predictions that a file holds for each sample."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa

from clrs_text_bench import predictions
from clrs_text_bench.datasets import Dataset
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import ModelInfo


def load(argument: str) -> "PredictionsFile":
    """Answers saved in a file: `file:answers.parquet`, `.jsonl` or `.csv`, or a folder of Parquet.

    Raises:
      BadInput: if the file cannot be used; see `clrs_text_bench.predictions.read`.
    """
    if not argument:
        raise BadInput("the model file: needs a path, such as file:answers.jsonl")
    return PredictionsFile(Path(argument))


class PredictionsFile:
    """Looks answers up by the samples' identity.

    Samples that the file leaves out, and those with a null prediction, are missing answers. A file
    saved by `evaluate --save-predictions` also tells which model wrote it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows = predictions.read(path)
        self._digest = _hash(path)
        self._cell: tuple[str, str, int] | None = None
        self._cell_rows: pa.Table = self._rows.slice(0, 0)

    def prepare(self, dataset: Dataset) -> None:
        """Checks that every row answers a sample of the data set.

        Raises:
          BadInput: naming the first row that does not.
        """
        known = {(c.split, c.algorithm, c.length): c for c in dataset.cells()}
        for key in predictions.cells(self._rows):
            rows = predictions.of_cell(self._rows, *key)
            if key in known:
                samples = dataset.read(known[key], columns=["seed", "index"])
                rows = predictions.unknown_rows(rows, samples)
            if rows.num_rows:
                raise BadInput(
                    f"{self._path} answers {predictions.describe(rows)}, which is no sample of "
                    f"{dataset.url}"
                )

    def info(self) -> ModelInfo:
        """Returns the record's model where there is one, else the file's name; and its hash."""
        record = predictions.record(self._path)
        if record is None:
            return ModelInfo(self._path.stem, checkpoint=self._digest)
        info = predictions.info_from(record["model"])
        return dataclasses.replace(info, settings=info.settings | {"predictions": self._digest})

    def generate(self, requests: pa.Table) -> pa.Table:
        """Returns the file's answers to these samples."""
        samples = predictions.identity(requests)
        samples = samples.append_column("row", pa.array(range(len(samples)), pa.int64()))
        places, parts = [], []
        for key in predictions.cells(samples):
            self._enter(key)
            asked = predictions.of_cell(samples, *key)
            places.append(asked["row"].to_numpy())
            parts.append(predictions.align(self._cell_rows, asked))
        if not parts:
            return predictions.schema_of(self._rows.column_names).empty_table()
        return pa.concat_tables(parts).take(np.argsort(np.concatenate(places)))

    def _enter(self, cell: tuple[str, str, int]) -> None:
        """Keeps the rows of the cell at hand, so that a walk by cells filters each but once."""
        if self._cell != cell:
            self._cell_rows = predictions.of_cell(self._rows, *cell)
            self._cell = cell


def _hash(path: Path) -> str:
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
