"""Imported rows on their way into the cells of a data set."""

import hashlib
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clrs_text_bench import datasets, registry, schema, tasks
from clrs_text_bench.datasets import Cell, FileRecord, OverlapRecord
from clrs_text_bench.errors import BadInput
from clrs_text_bench.storage import Folder

from . import published
from .published import Published

SEED = -1
TRAIN = "train"

# Rows wait in memory, by cell, until there are so many bytes of them.
_MOST_WAITING = 256 << 20

Key = tuple[str, str, int]
Fill = Callable[[pa.Table], pa.Table]


class Cells:
    """Rows on their way into the cells of a data set."""

    def __init__(self, target: Folder, fill: Fill | None) -> None:
        self._target = target
        self._fill = fill
        self._judge = registry.load("evaluators", "clrs-text")
        self._waiting: dict[Key, list[pa.Table]] = defaultdict(list)
        self._bytes: dict[Key, int] = defaultdict(int)
        self._counts: dict[Key, int] = defaultdict(int)
        self._parts: dict[Key, list[FileRecord]] = defaultdict(list)
        self._questions: dict[Key, list[np.ndarray]] = defaultdict(list)
        self.use_hints: bool | None = None

    def take(self, file: Published, table: pa.Table) -> None:
        """Takes some rows of a file.

        Raises:
          BadInput: if a row is not what its task asks for, or traced where another is not.
        """
        self._check_mode(table, file)
        keys = table.group_by(["algo_name", "length"]).aggregate([]).to_pylist()
        for algorithm, length in ((k["algo_name"], k["length"]) for k in keys):
            chosen = (pc.field("algo_name") == algorithm) & (pc.field("length") == length)
            key = (file.split, algorithm, length)
            where = f"{file.name} of {file.folder.url}, rows of {algorithm} at length {length}"
            rows = self._rows_of(key, table.filter(chosen), where)
            self._waiting[key].append(rows)
            self._bytes[key] += rows.nbytes
        while sum(self._bytes.values()) > _MOST_WAITING:
            self._write(max(self._bytes, key=self._bytes.__getitem__))

    def finish(self) -> None:
        """Writes the rows that still wait."""
        for key in list(self._waiting):
            self._write(key)

    def _check_mode(self, table: pa.Table, file: Published) -> None:
        for use_hints in pc.unique(table["use_hints"]).to_pylist():
            if self.use_hints is None:
                self.use_hints = use_hints
            if self.use_hints != use_hints:
                raise BadInput(
                    f"{file.folder.url} holds traced rows and plain ones (use_hints), from "
                    f"{file.name} on; a data set has one kind, so import them apart"
                )

    def _rows_of(self, key: Key, mine: pa.Table, where: str) -> pa.Table:
        """Returns rows of a cell in `schema.DATASET`, after a look at their answers."""
        try:
            self._check_answers(key, mine)
            rows = self._in_schema(key, mine)
            return self._fill(rows) if self._fill else rows
        except BadInput as error:
            raise BadInput(f"{where}: {error}") from error

    def _check_answers(self, key: Key, mine: pa.Table) -> None:
        tasks.get(key[1]).check_length(key[2])
        answers = pa.table({"prediction": mine["answer"]})
        scores = self._judge.score(answers, mine, extraction="strict")
        if pc.min(scores["exact"]).as_py() < 1:
            row = pc.index(pc.less(scores["exact"], 1), True).as_py()
            raise BadInput(f"the task does not allow the answer {mine['answer'][row].as_py()!r}")

    def _in_schema(self, key: Key, mine: pa.Table) -> pa.Table:
        count, first = mine.num_rows, self._counts[key]
        self._counts[key] += count
        self._questions[key].append(_hashes(mine["question"].to_pylist()))
        columns = {
            **{name: mine[name] for name in published.COLUMNS},
            "split": pa.array([key[0]] * count),
            "seed": pa.array(np.full(count, SEED)),
            "index": pa.array(np.arange(first, first + count)),
        }
        arrays = [
            columns[f.name].cast(f.type) if f.name in columns else pa.nulls(count, f.type)
            for f in schema.DATASET
        ]
        return pa.Table.from_arrays(arrays, schema=schema.DATASET)

    def _write(self, key: Key) -> None:
        table = pa.concat_tables(self._waiting.pop(key)).unify_dictionaries().combine_chunks()
        del self._bytes[key]
        path = datasets.file_name(*key, len(self._parts[key]))
        data = datasets.to_parquet(table)
        self._target.write(path, data)
        cell = Cell(*key, table.num_rows)
        self._parts[key].append(datasets.record(path, cell, table, data))

    def files(self) -> tuple[FileRecord, ...]:
        """Returns the records of all files: by split as met, in catalogue order, by length."""
        splits = list(dict.fromkeys(key[0] for key in self._parts))
        names = tasks.names()
        keys = sorted(self._parts, key=lambda k: (splits.index(k[0]), names.index(k[1]), k[2]))
        return tuple(record for key in keys for record in self._parts[key])

    def overlap(self) -> tuple[OverlapRecord, ...]:
        """Returns how often questions repeat in each cell, in the order of its files."""
        keys = dict.fromkeys((f.split, f.algorithm, f.length) for f in self.files())
        return tuple(self._overlap(key) for key in keys)

    def _overlap(self, key: Key) -> OverlapRecord:
        split, algorithm, length = key
        own = np.concatenate(self._questions[key])
        train = self._questions.get((TRAIN, algorithm, length))
        measured = split != TRAIN and train is not None
        return OverlapRecord(
            split=split,
            algorithm=algorithm,
            length=length,
            rows=len(own),
            distinct=len(np.unique(own)),
            in_train=int(np.isin(own, np.concatenate(train)).sum()) if measured else None,
        )


def _hashes(questions: list[str]) -> np.ndarray:
    """Returns a 64-bit hash of each question, as uint64 `[rows]`."""
    digests = (hashlib.blake2b(q.encode(), digest_size=8).digest() for q in questions)
    return np.frombuffer(b"".join(digests), np.uint64)
