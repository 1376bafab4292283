"""Data sets on disk: the manifest, the layout, and reading.

dataset.json                                   written last: a folder without it is unfinished
data/<split>/<algorithm>/<length>-<part>.parquet
"""

import hashlib
import json
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, model_validator

from clrs_text_bench import schema, tasks, validation
from clrs_text_bench.content import hash_rows
from clrs_text_bench.errors import BadInput, unknown
from clrs_text_bench.recipes import Recipe
from clrs_text_bench.storage import Folder, sha256

MANIFEST = "dataset.json"
UNFINISHED = "unfinished"

# Measured by benchmarks/parquet.py: eleven times smaller than no compression, at half its writing
# rate, which drawing the samples hides. Dictionaries for all columns make a fifth of the
# difference.
_COMPRESSION = {"compression": "zstd", "compression_level": 3, "use_dictionary": True}
_ROW_GROUP_BYTES = 4 << 20


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileRecord(_Strict):
    """One Parquet file: where it is, what it holds, and what its rows and its bytes hash to."""

    path: str
    split: str
    algorithm: str
    length: int
    rows: int
    bytes: int
    sha256: str
    content: str


class OverlapRecord(_Strict):
    """How often inputs repeat in a cell, by the graph's inputs (if imported, by the question).

    Attributes:
      split: name of the split.
      algorithm: name of the task.
      length: length of the samples.
      rows: number of samples.
      distinct: number of distinct inputs among them.
      in_train: number of samples whose input stands in the train split, too; None for train
        itself, and where the data set has no train split of this algorithm and length.
      wanted: number of samples asked for, if the size had too few distinct inputs to give them.
    """

    split: str
    algorithm: str
    length: int
    rows: int
    distinct: int
    in_train: int | None = None
    wanted: int | None = None


class SourceFile(_Strict):
    """A file that samples were imported from."""

    path: str
    rows: int
    sha256: str


class Source(_Strict):
    """Where imported samples come from.

    Attributes:
      url: of the folder or file.
      files: those that were read, in order; their paths are relative to it.
    """

    url: str
    files: tuple[SourceFile, ...]


class Manifest(_Strict):
    """What `dataset.json` holds. It is the same for the same samples, whoever made them when.

    Samples are generated, and follow from `recipe`, `engine` and `engine_version`; or imported from
    `source`, and then those three are None.
    """

    format_version: int = schema.FORMAT_VERSION
    recipe: Recipe | None = None
    source: Source | None = None
    use_hints: bool
    graph_hints: bool
    engine: str | None = None
    engine_version: str | None = None
    dedupe: bool
    command: str
    versions: dict[str, str]
    files: tuple[FileRecord, ...]
    overlap: tuple[OverlapRecord, ...]

    @model_validator(mode="after")
    def _generated_or_imported(self) -> "Manifest":
        if (self.recipe is None) == (self.source is None):
            raise ValueError("it must have one of recipe and source")
        if self.recipe and None in (self.engine, self.engine_version):
            raise ValueError("a recipe needs engine and engine_version beside it")
        return self

    def to_json(self) -> bytes:
        """Returns the bytes of `dataset.json`, without the keys that do not apply."""
        optional = ("recipe", "source", "engine", "engine_version")
        absent = {name for name in optional if getattr(self, name) is None}
        return (self.model_dump_json(indent=1, exclude=absent) + "\n").encode()


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """The rows of one (split, algorithm, length) of a data set."""

    split: str
    algorithm: str
    length: int
    count: int


@dataclass(frozen=True)
class Dataset:
    """An opened data set; see `open`."""

    folder: Folder
    manifest: Manifest

    @property
    def url(self) -> str:
        """Where it is, as the user wrote it."""
        return self.folder.url

    @cached_property
    def hash(self) -> str:
        """A hash of all its rows; the same whichever version of pyarrow wrote the files."""
        records = sorted((f.path, f.content) for f in self.manifest.files)
        return hashlib.sha256(repr(records).encode()).hexdigest()

    def splits(self) -> list[str]:
        """Returns the names of its splits, in the manifest's order."""
        return list(dict.fromkeys(f.split for f in self.manifest.files))

    def algorithms(self, split: str) -> list[str]:
        """Returns the tasks of a split, in catalogue order."""
        return list(dict.fromkeys(c.algorithm for c in self.cells(split)))

    def lengths(self, split: str) -> list[int]:
        """Returns the lengths of a split, sorted."""
        return sorted({c.length for c in self.cells(split)})

    def cells(
        self,
        split: str | None = None,
        algorithms: Collection[str] | None = None,
        lengths: Collection[int] | None = None,
    ) -> list[Cell]:
        """Returns the chosen cells: by split, then in catalogue order, then by length."""
        counts: dict[tuple[str, str, int], int] = {}
        for file in self.manifest.files:
            key = (file.split, file.algorithm, file.length)
            counts[key] = counts.get(key, 0) + file.rows
        order = {name: place for place, name in enumerate(tasks.names())}
        chosen = [
            Cell(*key, count)
            for key, count in counts.items()
            if (split is None or key[0] == split)
            and (algorithms is None or key[1] in algorithms)
            and (lengths is None or key[2] in lengths)
        ]
        places = self.splits()
        return sorted(
            chosen,
            key=lambda c: (places.index(c.split), order.get(c.algorithm, len(order)), c.length),
        )

    def files(self, cell: Cell) -> list[FileRecord]:
        """Returns the files of a cell, in row order."""
        key = (cell.split, cell.algorithm, cell.length)
        return [f for f in self.manifest.files if (f.split, f.algorithm, f.length) == key]

    def read(
        self, cell: Cell, columns: list[str] | None = None, limit: int | None = None
    ) -> pa.Table:
        """Reads the rows of a cell, in order.

        Args:
          cell: which one.
          columns: columns of `schema.DATASET`; None for all.
          limit: at most so many rows, from the first.

        Raises:
          BadInput: if the data set has no such cell, or a file of it is missing, cut short,
            altered, or has not the columns of the schema.
        """
        files = self.files(cell)
        if not files:
            raise BadInput(f"{self.url} has no {cell.split}/{cell.algorithm}/{cell.length}")
        tables, rows = [], 0
        for file in files:
            if limit is not None and rows >= limit and tables:
                break
            tables.append(self._read_file(file, columns))
            rows += tables[-1].num_rows
        table = pa.concat_tables(tables)
        return table if limit is None else table.slice(0, limit)

    def batches(self, cell: Cell, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Reads the rows of a cell file by file, so that memory stays bounded."""
        for file in self.files(cell):
            yield self._read_file(file, columns)

    def _read_file(self, file: FileRecord, columns: list[str] | None) -> pa.Table:
        data = self.folder.read(file.path)
        where = f"{file.path} of {self.url}"
        problem = damage(file, data)
        if problem:
            # A file that is no data set at all, or lacks a column, is told apart first.
            from_parquet(data, where, columns)
            raise BadInput(f"{problem} ({self.url}); make the data set again")
        table = from_parquet(data, where, columns)
        if table.num_rows != file.rows:
            raise BadInput(
                f"{file.path} of {self.url} has {table.num_rows} rows, its manifest says "
                f"{file.rows}; make the data set again"
            )
        return table


def open(url: str | os.PathLike) -> Dataset:
    """Opens a finished data set, at a local path or an fsspec URL.

    Raises:
      BadInput: if there is none, it is unfinished, or its format is newer than this package's.
    """
    folder = Folder.at(url)
    if not folder.exists(MANIFEST):
        if folder.exists(UNFINISHED):
            raise BadInput(
                f"data set {url} is unfinished; finish it with generate --resume, or import it "
                "again"
            )
        state = "has no dataset.json" if folder.exists() else "does not exist"
        raise BadInput(f"{url} {state}; make a data set with clrs-text-bench generate")
    return Dataset(folder, read_manifest(folder.read(MANIFEST), f"{MANIFEST} of {url}"))


def read_manifest(text: bytes, where: str) -> Manifest:
    """Reads a manifest; `where` names it in an error."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{where} is not valid JSON: {error}") from error
    version = values.get("format_version") if isinstance(values, dict) else None
    if isinstance(version, int) and version > schema.FORMAT_VERSION:
        raise BadInput(
            f"{where} has format version {version}, newer than the {schema.FORMAT_VERSION} that "
            "this package reads; upgrade clrs-text-bench"
        )
    return validation.build(Manifest, values, where)


def to_parquet(table: pa.Table) -> bytes:
    """Writes rows in `schema.DATASET` as Parquet, in row groups of a few megabytes.

    The bytes depend on the rows alone (and on pyarrow's version).
    """
    sink = pa.BufferOutputStream()
    per_row = max(1, table.nbytes // max(1, table.num_rows))
    pq.write_table(
        table,
        sink,
        row_group_size=max(1, _ROW_GROUP_BYTES // per_row),
        **_COMPRESSION,
    )
    return sink.getvalue().to_pybytes()


def from_parquet(data: bytes, where: str, columns: list[str] | None = None) -> pa.Table:
    """Reads rows in `schema.DATASET`; `where` names the file in an error.

    Raises:
      BadInput: if the bytes are not Parquet, or columns are missing or of other types.
    """
    for name in columns or ():
        if name not in schema.DATASET.names:
            raise unknown("column of a data set", name, schema.DATASET.names)
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        found = file.schema_arrow
        for field in schema.DATASET:
            place = found.get_field_index(field.name)
            if place < 0:
                raise BadInput(f"{where} has no column {field.name!r}")
            if found.field(place).type != field.type:
                raise BadInput(
                    f"column {field.name!r} of {where} is {found.field(place).type}, expected "
                    f"{field.type}"
                )
        return file.read(columns=columns).select(columns or schema.DATASET.names)
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise BadInput(f"{where} is not a whole Parquet file: {reason}") from error


def damage(file: FileRecord, data: bytes) -> str | None:
    """Returns a sentence on how a file's bytes are not those it was recorded with, if so."""
    if len(data) != file.bytes:
        return f"{file.path} has {len(data)} bytes, its manifest says {file.bytes}"
    if sha256(data) != file.sha256:
        return f"{file.path} was altered: its hash is not the manifest's"
    return None


def file_name(split: str, algorithm: str, length: int, part: int) -> str:
    """Returns the path of a part within a data set."""
    return f"data/{split}/{algorithm}/{length}-{part:05d}.parquet"


def record(path: str, cell: Cell, table: pa.Table, data: bytes) -> FileRecord:
    """Builds the manifest's record of a file that was just made of these rows."""
    return FileRecord(
        path=path,
        split=cell.split,
        algorithm=cell.algorithm,
        length=cell.length,
        rows=table.num_rows,
        bytes=len(data),
        sha256=sha256(data),
        content=hash_rows(table),
    )
