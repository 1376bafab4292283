"""A data set as a folder for the Hugging Face hub, which stays a data set of ours."""

import functools
import os

from clrs_text_bench import datasets
from clrs_text_bench.datasets import MANIFEST, Dataset, FileRecord
from clrs_text_bench.errors import BadInput

from . import writing
from .card import CARD, card


def export(dataset: Dataset, out: str | os.PathLike, *, show: bool = True) -> None:
    """Writes a folder that can be pushed as it is, and opened by `datasets.open`.

    It holds the Parquet files as they are, a data-set card and the manifest.

    Args:
      dataset: which.
      out: the folder, a local path or an fsspec URL; it must be new or empty, or hold what an
        interrupted export of the same data set left.
      show: whether to show progress.

    Raises:
      BadInput: if `out` holds something else, or a file of the data set is not what it was.
    """
    files: dict[str, writing.Make] = {
        file.path: functools.partial(_whole, dataset, file) for file in dataset.manifest.files
    }
    files[CARD] = lambda: card(dataset).encode()
    files[MANIFEST] = lambda: dataset.folder.read(MANIFEST)
    writing.write(os.fspath(out), files, show=show)


def _whole(dataset: Dataset, file: FileRecord) -> bytes:
    data = dataset.folder.read(file.path)
    problem = datasets.damage(file, data)
    if problem:
        raise BadInput(f"{problem} ({dataset.url}); make the data set again")
    return data
