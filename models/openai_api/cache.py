"""Answers that were paid for, kept on disk by the whole of what was asked.

The key of an answer hashes the URL, the user's name for the weights, the body (model, prompt, every
sampling setting) and the version of this adapter, so that no answer is ever taken for one to
another request. Failures are not kept. It is a database, and no Parquet file, because each answer
is kept as soon as it is there, by several processes at once.
"""

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from clrs_text_bench import storage
from clrs_text_bench.errors import BadInput

from .body import Reply

FILE = "answers.sqlite"
FORMAT_VERSION = 1

# Changes whenever the same body would be read in another way.
ADAPTER_VERSION = 1

_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
  key BLOB PRIMARY KEY,
  text TEXT NOT NULL, finish_reason TEXT NOT NULL,
  prompt_tokens INTEGER, answer_tokens INTEGER, model TEXT NOT NULL, seconds REAL NOT NULL
) WITHOUT ROWID
"""
_FIND = """
SELECT text, finish_reason, prompt_tokens, answer_tokens, model, seconds
FROM answers WHERE key = ?
"""
_KEEP = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)"
_SECONDS_FOR_OTHERS = 60


class Kept(NamedTuple):
    """A reply, and how many seconds it took."""

    reply: Reply
    seconds: float


def key(url: str, revision: str | None, body: dict[str, Any]) -> bytes:
    """Returns the key of what is asked."""
    text = json.dumps([ADAPTER_VERSION, url, revision, body], sort_keys=True)
    return hashlib.sha256(text.encode()).digest()


def folder(asked: str | None) -> Path:
    """Returns the folder that was asked for, or that of the user's cache."""
    if asked is not None:
        return Path(asked)
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "clrs-text-bench" / "openai"


class Cache:
    """The answers of a folder, while they are open; see `opened`."""

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        self._database = database
        self._path = path

    def find(self, wanted: bytes) -> Kept | None:
        """Returns the answer of a key, if it is there; raises `BadInput` if it cannot be read."""
        with _using(self._path):
            row = self._database.execute(_FIND, (wanted,)).fetchone()
        return row and Kept(Reply(*row[:-1]), row[-1])

    def keep(self, wanted: bytes, kept: Kept) -> None:
        """Keeps an answer, on disk when this returns; raises `BadInput` if that cannot be."""
        with _using(self._path), self._database:
            self._database.execute(_KEEP, (wanted, *kept.reply, kept.seconds))


@contextlib.contextmanager
def opened(where: Path) -> Iterator[Cache]:
    """Opens the answers of a folder, which is made if it is not there.

    Raises:
      BadInput: if it cannot be used, or a newer version of this package wrote it.
    """
    path = where / FILE
    with storage.writing(str(path)):
        where.mkdir(parents=True, exist_ok=True)
    with _using(path):
        # One thread at a time uses it, which need not be this one.
        database = sqlite3.connect(path, timeout=_SECONDS_FOR_OTHERS, check_same_thread=False)
    with contextlib.closing(database):
        with _using(path), database:
            _check_version(database, path)
        yield Cache(database, path)


def _check_version(database: sqlite3.Connection, path: Path) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > FORMAT_VERSION:
        raise BadInput(
            f"{path} has format version {version}, newer than the {FORMAT_VERSION} that this "
            "package reads; upgrade clrs-text-bench"
        )
    if not version:
        database.execute(_TABLE)
        database.execute(f"PRAGMA user_version = {FORMAT_VERSION}")


@contextlib.contextmanager
def _using(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise BadInput(
            f"cannot use the kept answers in {path} ({error}); make room if the disk is full, or "
            "name another folder with ?cache=FOLDER"
        ) from error
