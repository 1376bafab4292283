"""Folders that others read, written so that a half-written one is told apart."""

from collections.abc import Callable, Mapping

from clrs_text_bench import progress
from clrs_text_bench.errors import BadInput
from clrs_text_bench.storage import Folder

Make = Callable[[], bytes]


def write(url: str, files: Mapping[str, Make], *, show: bool = True) -> Folder:
    """Writes files into a folder that is empty, new, or was left unfinished by this very call.

    Args:
      url: the folder, a local path or an fsspec URL.
      files: what makes the bytes of each, by path within the folder. They are written in this
        order; a folder that holds the last one is finished.
      show: whether to show progress.

    Raises:
      BadInput: if the folder holds anything else or is finished, or cannot be written.
    """
    folder = Folder.at(url)
    _check_free(folder, list(files))
    with progress.bar("files", show=show) as bar:
        task = bar.add_task("writing", total=len(files))
        for name, make in files.items():
            folder.write(name, make())
            bar.advance(task)
    folder.sweep()
    return folder


def _check_free(folder: Folder, names: list[str]) -> None:
    if folder.is_file():
        raise BadInput(f"{folder.url} is a file; --out needs a folder")
    found = folder.names()
    if names[-1] in found:
        raise BadInput(f"{folder.url} already holds {names[-1]}; choose another --out")
    others = sorted(set(found) - set(names))
    if others:
        raise BadInput(f"{folder.url} holds other files, such as {others[0]}; choose another --out")
