"""The layout in which CLRS-Text is published: Parquet files of upstream's columns.

Upstream's generator (`clrs._src.clrs_text.huggingface_generators`) gives text, question, answer,
algo_name, length and use_hints; others, and text, which is question and answer, are left aside.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt

from clrs_text_bench import schema
from clrs_text_bench.datasets import MANIFEST
from clrs_text_bench.errors import BadInput
from clrs_text_bench.storage import Folder

COLUMNS = ("question", "answer", "algo_name", "length", "use_hints")

_TYPES = pa.schema(
    [(n, pa.string() if n == "algo_name" else schema.DATASET.field(n).type) for n in COLUMNS]
)
_SHARD = re.compile(r"(.+?)-\d{5}-of-\d{5}.*")
_SPLIT = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True)
class Published:
    """One Parquet file.

    Attributes:
      folder: where it is.
      name: its path there.
      split: what its rows are for.
    """

    folder: Folder
    name: str
    split: str

    def rows(self, data: bytes) -> Iterator[pa.Table]:
        """Yields the rows of the file's bytes, some at a time, as upstream's columns.

        Raises:
          BadInput: if it is no Parquet file, lacks a column, or one is of another type or has an
            empty place.
        """
        where = f"{self.name} of {self.folder.url}"
        try:
            file = pq.ParquetFile(pa.BufferReader(data))
            self._check(file.schema_arrow, where)
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, list(COLUMNS)).select(list(COLUMNS))
                yield _whole(table, where)
        except (pa.ArrowException, OSError) as error:
            reason = " ".join(str(error).split())
            raise BadInput(f"{where} cannot be read as Parquet: {reason}") from error

    def _check(self, found: pa.Schema, where: str) -> None:
        for field in _TYPES:
            place = found.get_field_index(field.name)
            if place < 0:
                raise BadInput(
                    f"{where} has no column {field.name!r}; published CLRS-Text has "
                    f"{', '.join(COLUMNS)}"
                )
            kind = found.field(place).type
            kind = kind.value_type if pt.is_dictionary(kind) else kind
            if not _fits(kind, field.type):
                raise BadInput(f"column {field.name!r} of {where} is {kind}, expected {field.type}")


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    if pt.is_string(wanted):
        return schema.is_text(found)
    return pt.is_integer(found) if pt.is_integer(wanted) else found == wanted


def _whole(table: pa.Table, where: str) -> pa.Table:
    for name in COLUMNS:
        if table[name].null_count:
            row = pc.index(pc.is_null(table[name]), True).as_py()
            raise BadInput(f"column {name!r} of {where} is empty in row {row} of a row group")
    return table.cast(_TYPES).combine_chunks()


def files(url: str, split: str | None) -> list[Published]:
    """Finds the Parquet files at a path or fsspec URL, a file's or a folder's, in order of name.

    Args:
      url: where.
      split: of all files; None to read it off each file's name: `test-00000-of-00001.parquet` and
        `test.parquet` are for test, and so is `test/0000.parquet`.

    Raises:
      BadInput: if there is none, the folder is a data set of ours, or a name tells of no split.
    """
    folder, names = _names(Folder.at(url))
    return [Published(folder, name, split or _split_of(name, folder)) for name in names]


def _names(folder: Folder) -> tuple[Folder, list[str]]:
    if folder.is_file():
        parent, name = posixpath.split(folder.root)
        if not name.endswith(_SUFFIX):
            raise BadInput(f"{folder.url} is no {_SUFFIX} file")
        return Folder(folder.url.removesuffix(name).rstrip("/") or ".", folder.fs, parent), [name]
    if not folder.exists():
        raise BadInput(f"{folder.url} does not exist")
    names = folder.names()
    if MANIFEST in names:
        raise BadInput(f"{folder.url} is a data set as it is; name it as --data")
    names = [name for name in names if name.endswith(_SUFFIX)]
    if not names:
        raise BadInput(f"{folder.url} holds no {_SUFFIX} file")
    return folder, names


def _split_of(name: str, folder: Folder) -> str:
    parent, base = posixpath.split(name)
    stem = base.removesuffix(_SUFFIX)
    shard = _SHARD.fullmatch(stem)
    found = shard[1] if shard else posixpath.basename(parent) if stem.isdigit() else stem
    check_split(found, f"the name of {name} of {folder.url}")
    return found


def check_split(name: str, where: str) -> None:
    """Raises `BadInput` if a name is no split's; `where` says what it was read off."""
    if not _SPLIT.fullmatch(name):
        raise BadInput(
            f"{where} gives no split, which is like test or test_1 (got {name!r}); name it with "
            "--split"
        )
