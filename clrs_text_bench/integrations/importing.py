"""Data sets from published CLRS-Text: somebody else's samples in our schema.

A row's identity is its place: `seed` is -1, which no recipe of ours uses by default, and `index`
counts the rows of its split, algorithm and length in the order of the source.
"""

import json
import os
import shlex
from importlib import metadata

from clrs_text_bench import datasets, progress, provenance, storage
from clrs_text_bench.datasets import MANIFEST, UNFINISHED, Dataset
from clrs_text_bench.errors import BadInput
from clrs_text_bench.storage import Folder

from . import published, recovering
from .cells import Cells
from .published import Published

_MARK = f"{UNFINISHED}/import.json"
_PACKAGES = ("clrs-text-bench", "pyarrow")


def import_published(
    source: str | os.PathLike,
    out: str | os.PathLike,
    *,
    split: str | None = None,
    graphs: bool = False,
    show: bool = True,
) -> Dataset:
    """Makes a data set of published CLRS-Text.

    Its graphs and numbers of steps are null, unless they are asked for.

    Args:
      source: Parquet file, or folder of them, a local path or an fsspec URL.
      out: the data set's folder, likewise.
      split: of all rows; None to read it off the files' names.
      graphs: whether to run the algorithms again, on the inputs that the questions hold, to check
        the answers and fill `graph_inputs`, `graph_outputs` and `n_steps`.
      show: whether to show progress.

    Raises:
      BadInput: if a file is not of that layout, a row is not what its task asks for (with `graphs`,
        what its algorithm gives), some rows are traced and some are not, or `out` holds anything.
        Nothing is left behind.
    """
    source, target = os.fspath(source), Folder.at(out)
    if split is not None:
        published.check_split(split, "--split")
    command = [provenance.without_credentials(source)]
    command += ["--split", split] if split else []
    command += ["--graphs"] if graphs else []
    found = published.files(source, split)
    existed = _make_room(target)
    try:
        target.write(_MARK, json.dumps({"source": source}).encode())
        cells = Cells(target, recovering.Recover() if graphs else None)
        files = _take_all(cells, found, show)
        target.write(MANIFEST, _manifest(cells, command, files).to_json())
    except BadInput:
        _clear(target, existed)
        raise
    target.within(UNFINISHED).clear()
    return datasets.open(target.url)


def _make_room(target: Folder) -> bool:
    """Removes what an interrupted import left; returns whether the folder was there before it."""
    if target.is_file():
        raise BadInput(f"{target.url} is a file; a data set needs a folder")
    existed, names = target.exists(), target.names()
    if _MARK in names and MANIFEST not in names:
        _clear(target, existed)
    elif names:
        raise BadInput(f"{target.url} holds other files, such as {names[0]}; choose another --out")
    return existed


def _clear(target: Folder, existed: bool) -> None:
    if not existed:
        target.clear()
        return
    target.within("data").clear()
    target.within(UNFINISHED).clear()


def _take_all(cells: Cells, found: list[Published], show: bool) -> tuple[datasets.SourceFile, ...]:
    """Takes the rows of all files; returns the files' records."""
    sources = []
    with progress.bar("rows", show=show) as bar:
        task = bar.add_task("importing", total=None)
        for file in found:
            data, rows = file.folder.read(file.name), 0
            for table in file.rows(data):
                cells.take(file, table)
                rows += table.num_rows
                bar.advance(task, table.num_rows)
            digest = storage.sha256(data)
            sources.append(datasets.SourceFile(path=file.name, rows=rows, sha256=digest))
        cells.finish()
        bar.update(task, total=sum(s.rows for s in sources))
    if not cells.files():
        raise BadInput(f"{found[0].folder.url} holds no rows")
    return tuple(sources)


def _manifest(
    cells: Cells, command: list[str], files: tuple[datasets.SourceFile, ...]
) -> datasets.Manifest:
    return datasets.Manifest(
        source=datasets.Source(url=command[0], files=files),
        use_hints=bool(cells.use_hints),
        graph_hints=False,
        dedupe=False,
        command=shlex.join(["clrs-text-bench", "import", "hf", *command]),
        versions={name: metadata.version(name) for name in _PACKAGES},
        files=cells.files(),
        overlap=cells.overlap(),
    )
