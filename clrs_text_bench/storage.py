"""Files, local or at any fsspec URL, that appear whole or not at all."""

import contextlib
import errno
import hashlib
import os
import posixpath
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import fsspec
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from clrs_text_bench.errors import BadInput

_TEMPORARY = ".part-"


@dataclass(frozen=True)
class Folder:
    """A folder on a file system.

    Attributes:
      url: as the user wrote it.
      fs: the file system that holds it.
      root: its path there.
    """

    url: str
    fs: fsspec.AbstractFileSystem
    root: str

    @classmethod
    def at(cls, url: str | os.PathLike) -> "Folder":
        """Finds the file system of a local path or an fsspec URL; creates nothing.

        Raises:
          BadInput: if no installed package serves the URL's protocol.
        """
        url = os.fspath(url)
        if not url:
            raise BadInput("an empty path is no folder")
        try:
            fs, root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise BadInput(f"cannot open {url!r}: {error}") from error
        return cls(url, fs, root)

    def path(self, name: str) -> str:
        """Returns the path of a file of the folder on its file system."""
        return posixpath.join(self.root, name)

    def exists(self, name: str = "") -> bool:
        """Returns whether the folder, or a file of it, exists."""
        return self.fs.exists(self.path(name) if name else self.root)

    def is_file(self) -> bool:
        """Returns whether what should be a folder is a file."""
        return self.fs.isfile(self.root)

    def in_memory(self) -> bool:
        """Returns whether this process alone can see it."""
        return isinstance(self.fs, MemoryFileSystem)

    def is_local(self) -> bool:
        """Returns whether it is on this machine's own file system."""
        return isinstance(self.fs, LocalFileSystem)

    def absolute(self) -> str:
        """Returns the path or URL by which any process on this machine finds it."""
        return self.root if self.is_local() else self.url

    def within(self, name: str) -> "Folder":
        """Returns a folder of this folder."""
        return Folder(f"{self.url.rstrip('/')}/{name}", self.fs, self.path(name))

    def names(self) -> list[str]:
        """Returns the names of all files below the folder, sorted; none if there is no folder.

        Temporary files, which a killed process may leave behind, do not count.
        """
        return [name for name in self._all_names() if not _is_temporary(name)]

    def _all_names(self) -> list[str]:
        if not self.exists():
            return []
        root = self.root.rstrip("/") + "/"
        return sorted(p.removeprefix(root) for p in self.fs.find(self.root))

    def read(self, name: str) -> bytes:
        """Returns a file's bytes; raises `BadInput` if it is missing or cannot be read."""
        try:
            return self.fs.cat_file(self.path(name))
        except FileNotFoundError:
            raise BadInput(f"{self.url} has no file {name}") from None
        except OSError as error:
            raise BadInput(f"cannot read {name} of {self.url}: {_reason(error)}") from error

    def write(self, name: str, data: bytes) -> None:
        """Writes a file that appears whole or not at all, replacing one of that name.

        Raises:
          BadInput: if it cannot be written, such as on a full disk; nothing is left behind.
        """
        path = self.path(name)
        with writing(f"{name} of {self.url}"):
            self.fs.makedirs(posixpath.dirname(path), exist_ok=True)
            if self.is_local():
                write_local(path, data)
            else:
                # An object store shows an object only once it is whole.
                self.fs.pipe_file(path, data)

    def remove(self, name: str) -> None:
        """Removes a file of the folder."""
        with writing(f"{name} of {self.url}"):
            self.fs.rm_file(self.path(name))

    def clear(self) -> None:
        """Removes the folder and all in it."""
        with writing(self.url):
            if self.exists():
                self.fs.rm(self.root, recursive=True)

    def sweep(self) -> None:
        """Removes temporary files that a killed process left behind."""
        for name in self._all_names():
            if _is_temporary(name):
                self.remove(name)


def _is_temporary(name: str) -> bool:
    return posixpath.basename(name).startswith(_TEMPORARY)


def write_local(path: str, data: bytes) -> None:
    """Writes a local file by temporary name, fsync and rename."""
    folder = os.path.dirname(path) or "."
    temporary = os.path.join(folder, f"{_TEMPORARY}{uuid.uuid4().hex}")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    """Makes a rename durable; a folder cannot be synced on every platform."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def writing(what: str) -> Iterator[None]:
    """Turns a failure of the disk into a sentence about what was being written."""
    try:
        yield
    except OSError as error:
        raise BadInput(f"cannot write {what}: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "the disk is full; free some space, then run again with --resume"
    return error.strerror or str(error)


def sha256(data: bytes) -> str:
    """Returns the hex digest of a file's bytes."""
    return hashlib.sha256(data).hexdigest()
