"""Verification: does a data set still hold what its manifest says, and what its engine makes?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from clrs_text_bench import datasets, engines, progress
from clrs_text_bench.content import hash_rows
from clrs_text_bench.datasets import Dataset, FileRecord
from clrs_text_bench.errors import BadInput

_PURPOSE = 0xC1E5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found.

    Attributes:
      files: number of files rehashed.
      rows: number of rows made again.
      problems: a sentence for each thing that is wrong; empty if all is well.
    """

    files: int
    rows: int
    problems: tuple[str, ...]


def verify(dataset: Dataset, *, rows_per_cell: int, show: bool = True) -> Verdict:
    """Rehashes all files and makes some rows of every cell again.

    Args:
      dataset: which data set.
      rows_per_cell: how many rows of each (split, algorithm, length) to make again; for upstream's
        streams, which can only be made from their start, the first ones; none if imported.
      show: whether to show progress.
    """
    problems = list(_strangers(dataset))
    # Imported samples have no engine that could make them again.
    cells = dataset.cells() if dataset.manifest.recipe else []
    rows = 0
    with progress.bar("files", show=show) as bar:
        task = bar.add_task("rehashing", total=len(dataset.manifest.files))
        whole = set()
        for file in dataset.manifest.files:
            found = list(_check_file(dataset, file))
            problems.extend(found)
            if not found:
                whole.add(file.path)
            bar.advance(task)
    with progress.bar("rows", show=show and bool(cells)) as bar:
        task = bar.add_task("making again", total=len(cells) * rows_per_cell)
        for cell in cells:
            if rows_per_cell and all(f.path in whole for f in dataset.files(cell)):
                made, wrong = _check_rows(dataset, cell, rows_per_cell)
                rows += made
                problems.extend(wrong)
            bar.advance(task, rows_per_cell)
    return Verdict(len(dataset.manifest.files), rows, tuple(problems))


def _strangers(dataset: Dataset) -> Iterator[str]:
    """Finds files among the data that the manifest does not know."""
    known = {f.path for f in dataset.manifest.files}
    for name in dataset.folder.names():
        if name.startswith("data/") and name not in known:
            yield f"{name} is not in the manifest"


def _check_file(dataset: Dataset, file: FileRecord) -> Iterator[str]:
    try:
        data = dataset.folder.read(file.path)
        problem = datasets.damage(file, data)
        if not problem and hash_rows(datasets.from_parquet(data, file.path)) != file.content:
            problem = f"{file.path} holds other rows than its manifest says"
    except BadInput as error:
        problem = str(error)
    if problem:
        yield problem


def _check_rows(dataset: Dataset, cell: datasets.Cell, wanted: int) -> tuple[int, list[str]]:
    manifest = dataset.manifest
    stored = dataset.read(cell)
    if manifest.recipe.stream == "upstream":
        chosen = np.arange(min(wanted, stored.num_rows))
    else:
        draw = np.random.default_rng([_PURPOSE, len(stored)])
        chosen = np.sort(draw.choice(stored.num_rows, min(wanted, stored.num_rows), replace=False))
    rows = stored.take(pa.array(chosen))
    wrong = []
    for row in range(rows.num_rows):
        expected = rows.slice(row, 1)
        if not _again(dataset, cell, expected).equals(expected):
            wrong.append(
                f"row {chosen[row]} of {cell.split}/{cell.algorithm}/{cell.length} is not what "
                f"engine {manifest.engine} makes{_other_version(manifest)}"
            )
    return rows.num_rows, wrong


def _other_version(manifest: datasets.Manifest) -> str:
    version = engines.load(manifest.engine).version
    if version == manifest.engine_version:
        return ""
    return f" (made by {manifest.engine_version}, this is {version})"


def _again(dataset: Dataset, cell: datasets.Cell, row: pa.Table) -> pa.Table:
    manifest = dataset.manifest
    engine = engines.load(manifest.engine)
    seed, index = row.column("seed")[0].as_py(), row.column("index")[0].as_py()
    how = {
        "seed": seed,
        "split": cell.split,
        "use_hints": manifest.use_hints,
        "graph_hints": manifest.graph_hints,
    }
    if manifest.recipe.stream == "upstream":
        count = index + 1
        tables = engine.stream(cell.algorithm, cell.length, count=count, chunk=count, **how)
        return next(tables).slice(index, 1)
    return engine.generate(cell.algorithm, cell.length, indices=np.array([index]), **how)
