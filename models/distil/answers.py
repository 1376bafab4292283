"""What a teacher answered, kept on disk by the samples' identity.

RUN/teacher/answers.sqlite holds a row for each sample. A chunk of answers is there whole or not at
all, whenever the process is killed. It is a database, and no Parquet file, because a run asks for
thousands of samples at a time out of millions, in any order, and adds to them.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from clrs_text_bench import storage
from clrs_text_bench.errors import BadInput
from clrs_text_bench.identity import SampleId

FOLDER = "teacher"
FILE = "answers.sqlite"
FORMAT_VERSION = 1

_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
  split TEXT, algo_name TEXT, length INTEGER, seed INTEGER, "index" INTEGER,
  prediction TEXT, finish_reason TEXT NOT NULL,
  PRIMARY KEY (split, algo_name, length, seed, "index")
) WITHOUT ROWID
"""
_FIND = """
SELECT prediction, finish_reason FROM answers
WHERE split = ? AND algo_name = ? AND length = ? AND seed = ? AND "index" = ?
"""
_KEEP = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)"


class Answer(NamedTuple):
    """What a teacher answered a sample.

    Attributes:
      text: the answer; None if there is none.
      finish_reason: see `schema.PREDICTIONS`.
    """

    text: str | None
    finish_reason: str


class Answers:
    """The answers of a run's teacher."""

    def __init__(self, run: Path) -> None:
        """Names the file; nothing is written yet.

        Args:
          run: the run's folder.
        """
        self._path = run / FOLDER / FILE

    def find(self, samples: Sequence[SampleId]) -> list[Answer | None]:
        """Returns the answers to samples, None to those that have not been answered.

        Raises:
          BadInput: if the file cannot be used.
        """
        with self._opened() as database:
            rows = (database.execute(_FIND, _key(sample)).fetchone() for sample in samples)
            return [row and Answer(*row) for row in rows]

    def keep(self, samples: Sequence[SampleId], answers: Sequence[Answer]) -> None:
        """Adds answers to samples, all of them or none.

        Raises:
          BadInput: if they cannot be written, such as on a full disk.
        """
        rows = [(*_key(s), *answer) for s, answer in zip(samples, answers, strict=True)]
        with self._opened() as database, database:
            database.executemany(_KEEP, rows)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Opens the file for one piece of work, in whatever thread."""
        with storage.writing(str(self._path)):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with contextlib.closing(sqlite3.connect(self._path)) as database:
                self._check_version(database)
                yield database
        except sqlite3.Error as error:
            raise BadInput(
                f"cannot use the teacher's answers in {self._path} ({error}); make room if the "
                "disk is full, or remove the file, and the teacher answers again"
            ) from error

    def _check_version(self, database: sqlite3.Connection) -> None:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > FORMAT_VERSION:
            raise BadInput(
                f"{self._path} has format version {version}, newer than the {FORMAT_VERSION} that "
                "this package reads; upgrade clrs-text-bench"
            )
        if not version:
            database.execute(_TABLE)
            database.execute(f"PRAGMA user_version = {FORMAT_VERSION}")


def _key(sample: SampleId) -> tuple[str, str, int, int, int]:
    return sample.split, sample.algorithm, sample.length, sample.seed, sample.index
