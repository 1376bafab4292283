"""One job, start to end, in whatever process: draw, write, measure."""

import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from clrs_text_bench import datasets, engines, schema
from clrs_text_bench.datasets import UNFINISHED, FileRecord, OverlapRecord
from clrs_text_bench.errors import BadInput
from clrs_text_bench.recipes import Cell
from clrs_text_bench.storage import Folder

from . import overlap
from .plan import TRAIN, Job, Part

_LEAST_BATCH = 16
# A cell that gives no fresh input in so many draws is taken to have none left.
_FRUITLESS_DRAWS = 20_000

Report = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What all jobs of a run have in common.

    Attributes:
      url: the data set's folder.
      engine: name of the engine.
      use_hints: whether the text is traced.
      graph_hints: whether `graph_hints` is filled.
    """

    url: str
    engine: str
    use_hints: bool
    graph_hints: bool


def make(job: Job, settings: Settings, train: tuple[str, ...], report: Report) -> list[FileRecord]:
    """Makes the files of a job; `report` is called with numbers of rows as they are made.

    Args:
      job: what to make.
      settings: how.
      train: for a "distinct" job, the paths of the train files of its algorithm and length.
      report: is told how many more rows are done.

    Returns:
      Records of the files, in order; fewer than planned where distinct inputs ran out.
    """
    folder = Folder.at(settings.url)
    source = _SOURCES[job.kind](job, settings, _stored(folder, train) if train else None)
    records = []
    for part, tables in _by_part(job.parts, source, report):
        table = pa.concat_tables(tables)
        folder.write(fingerprint_file(part.path), overlap.fingerprints(table).tobytes())
        data = datasets.to_parquet(table)
        folder.write(part.path, data)
        records.append(datasets.record(part.path, job.cell, table, data))
    return records


def _by_part(
    parts: tuple[Part, ...], source: Iterator[pa.Table], report: Report
) -> Iterator[tuple[Part, list[pa.Table]]]:
    """Cuts a stream of rows at the parts' borders; the last part may come out short."""
    left = schema.DATASET.empty_table()
    for number, part in enumerate(parts):
        wanted, tables = part.stop - part.start, []
        while wanted:
            if not left.num_rows:
                left = next(source, None)
                if left is None:
                    break
                report(left.num_rows)
            tables.append(left.slice(0, wanted))
            left = left.slice(tables[-1].num_rows)
            wanted -= tables[-1].num_rows
        if tables or number == 0:
            yield part, tables or [schema.DATASET.empty_table()]
        if left is None:
            return


def _rows(job: Job, settings: Settings, _: np.ndarray | None) -> Iterator[pa.Table]:
    batch = _batch(settings)
    for part in job.parts:
        for start in range(part.start, part.stop, batch):
            yield from _segments(job.cell, start, min(start + batch, part.stop), settings)


def _segments(cell: Cell, start: int, stop: int, settings: Settings) -> Iterator[pa.Table]:
    """Makes rows of a cell, which runs through its seeds one after another."""
    while start < stop:
        seed, first = divmod(start, cell.samples)
        last = min(first + stop - start, cell.samples)
        yield _generate(cell, cell.seeds[seed], np.arange(first, last), settings)
        start += last - first


def _batch(settings: Settings) -> int:
    return engines.load(settings.engine).batch


def _generate(cell: Cell, seed: int, indices: np.ndarray, settings: Settings) -> pa.Table:
    engine = engines.load(settings.engine)
    return engine.generate(
        cell.algorithm,
        cell.length,
        seed=seed,
        split=cell.split,
        indices=indices,
        use_hints=settings.use_hints,
        graph_hints=settings.graph_hints,
    )


def _stream(job: Job, settings: Settings, _: np.ndarray | None) -> Iterator[pa.Table]:
    cell = job.cell
    engine = engines.load(settings.engine)
    for seed in cell.seeds:
        yield from engine.stream(
            cell.algorithm,
            cell.length,
            seed=seed,
            split=cell.split,
            count=cell.samples,
            chunk=engine.batch,
            use_hints=settings.use_hints,
            graph_hints=settings.graph_hints,
        )


def _distinct(job: Job, settings: Settings, train: np.ndarray | None) -> Iterator[pa.Table]:
    """Draws on, past inputs seen before, until each seed has its count or nothing new comes."""
    cell = job.cell
    seen = overlap.Seen(np.zeros(0, np.uint64) if train is None else train)
    for seed in cell.seeds:
        found = index = since = 0
        while found < cell.samples and since < _FRUITLESS_DRAWS:
            batch = min(_batch(settings), max(_LEAST_BATCH, cell.samples - found))
            drawn = _generate(cell, seed, np.arange(index, index + batch), settings)
            fresh = seen.fresh(drawn, cell.samples - found)
            index += batch
            since = 0 if fresh.num_rows else since + batch
            found += fresh.num_rows
            if fresh.num_rows:
                yield fresh


_SOURCES = {"rows": _rows, "stream": _stream, "distinct": _distinct}


def measure(
    cells: Sequence[tuple[Cell, Sequence[str]]], settings: Settings, report: Report
) -> list[OverlapRecord]:
    """Measures the overlap among the cells of one (algorithm, length).

    Args:
      cells: each with the paths of the files that hold its rows.
      settings: how they were made.
      report: is told how many cells are done.
    """
    folder = Folder.at(settings.url)
    inputs = {cell.split: _stored(folder, paths) for cell, paths in cells}
    train = inputs.get(TRAIN)
    found = []
    for cell, _ in cells:
        seen = None if cell.split == TRAIN else train
        found.append(overlap.measure(cell, inputs[cell.split], seen))
        report(1)
    return found


def _stored(folder: Folder, paths: Sequence[str]) -> np.ndarray:
    """Returns the fingerprints of files' rows, which were kept as the files were made."""
    kept = [folder.read(fingerprint_file(path)) for path in paths]
    return np.frombuffer(b"".join(kept), np.uint64)


def fingerprint_file(path: str) -> str:
    """Returns where the fingerprints of a file's rows are kept until the data set is finished."""
    return posixpath.join(UNFINISHED, "inputs", f"{path}.u64")


def check_engine(name: str, *, stream: str) -> str:
    """Returns an engine's version; raises `BadInput` if it cannot give the stream asked for."""
    engine = engines.load(name)
    if stream == "upstream" and not hasattr(engine, "stream"):
        raise BadInput(f"engine {name!r} has no upstream stream; use --engine dm-clrs")
    return engine.version
