"""A model's answers to a data set, cell by cell, kept on disk while an evaluation is unfinished."""

import json
import traceback
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clrs_text_bench import parquet, predictions, provenance, schema
from clrs_text_bench.datasets import Cell
from clrs_text_bench.errors import BadInput, RunFailed
from clrs_text_bench.protocols import AskingModel, Model
from clrs_text_bench.storage import Folder

from . import rescoring
from .request import Request

# Rows that a model is given at a time: enough to fill its batches, few enough to show progress.
_CHUNK = 512

_REQUEST = "request.json"

# What a model must not see, and what most rows leave out, is null in what it is given.
_HIDDEN = ("answer", "graph_outputs", "graph_hints")


class Answers:
    """Answers to one request.

    Finished cells are whole files under `predictions/<run>/` of the results folder, so that an
    evaluation that was killed goes on where it was. Their records hold the whole request and the
    versions at work: answers of another model, setting or version are never taken up.
    """

    def __init__(self, model: Model, request: Request, results: Folder | None) -> None:
        self._model = model
        self._request = request
        self._folder = None if results is None else _subfolder(results, request.run)
        self.record = {
            "format_version": schema.FORMAT_VERSION,
            "spec": request.spec,
            "model": request.model,
            "dataset": request.dataset.url,
            "dataset_hash": request.dataset.hash,
            "limit": request.limit,
            **rescoring.recorded(request.cells, request.limit),
            "versions": provenance.versions(),
            "git_commit": provenance.git_commit(),
            "command": provenance.command_line(),
            "created": provenance.now().isoformat(timespec="seconds"),
        }

    def of(self, cell: Cell, references: pa.Table, advance: Callable[[int], None]) -> pa.Table:
        """Returns the answers to a cell, row for row, as `predictions.schema_of` has them.

        Args:
          cell: which.
          references: its rows.
          advance: is told of every so many answers.

        Raises:
          BadInput: if the model cannot answer these, or what it returns are no answers to them.
          RunFailed: if it no longer answers, or raises anything else.
        """
        kept = self._kept(cell, references)
        if kept is not None:
            advance(kept.num_rows)
            return kept
        if isinstance(self._model, AskingModel):
            # All at once: it says itself how far it is, and the slowest of a chunk hold up none.
            parts = [self._generate(cell, _hide(references), advance)]
        else:
            parts = []
            for start in range(0, references.num_rows, _CHUNK):
                requests = _hide(references.slice(start, _CHUNK))
                parts.append(self._generate(cell, requests))
                advance(requests.num_rows)
        answers = pa.concat_tables(parts)
        self._keep(cell, answers)
        return answers

    def start(self) -> None:
        """Writes down what is asked; raises `BadInput` now if the results cannot be written."""
        if self._folder is not None:
            self._folder.write(_REQUEST, json.dumps(self.record, indent=2).encode())

    def discard(self) -> None:
        """Removes the kept answers."""
        if self._folder is not None:
            self._folder.clear()

    def tidy(self) -> None:
        """Removes what `start` wrote if no cell was finished."""
        if self._folder is not None and self._folder.names() == [_REQUEST]:
            self._folder.clear()

    def _keep(self, cell: Cell, answers: pa.Table) -> None:
        if self._folder is None:
            return
        data = parquet.to_bytes(predictions.with_record(answers, self.record))
        self._folder.write(_file_name(cell), data)

    def _kept(self, cell: Cell, references: pa.Table) -> pa.Table | None:
        """Returns the kept answers to a cell if they answer this very request, all of it."""
        if self._folder is None or not self._folder.exists(_file_name(cell)):
            return None
        try:
            answers = pq.read_table(pa.BufferReader(self._folder.read(_file_name(cell))))
        except (BadInput, pa.ArrowException, OSError):  # being removed, or no file of ours
            return None
        record = predictions.record_of(answers.schema) or {}
        same = all(
            record.get(key) == self.record[key]
            for key in ("format_version", "model", "dataset_hash", "limit", "versions")
        )
        answers = answers.replace_schema_metadata()
        whole = answers.schema == predictions.schema_of(answers.column_names)
        if not same or not whole or not _same_rows(answers, references):
            return None
        return answers if pc.all(answered(answers)).as_py() else None

    def _generate(self, cell: Cell, requests: pa.Table, *advance: Callable) -> pa.Table:
        try:
            answers = (self._model.ask if advance else self._model.generate)(requests, *advance)
        except (BadInput, RunFailed):
            raise
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            raise RunFailed(
                f"model {self._request.info.name!r} ({self._request.spec}) failed on "
                f"{cell.algorithm} at length {cell.length}: {type(error).__name__}: {error} "
                f"({where.filename}:{where.lineno})"
                + ("" if self._folder is None else "; finished cells are kept")
            ) from error
        return self._checked(cell, requests, answers)

    def _checked(self, cell: Cell, requests: pa.Table, answers: object) -> pa.Table:
        who = f"model {self._request.info.name!r} ({self._request.spec})"
        what = f"{cell.algorithm} at length {cell.length}"
        if not isinstance(answers, pa.Table):
            raise BadInput(
                f"{who} returned a {type(answers).__name__} for {what}, expected a pyarrow Table"
            )
        absent = [n for n in schema.PREDICTIONS.names if n not in answers.column_names]
        if absent:
            raise BadInput(f"{who} returned no column {absent[0]!r} for {what}")
        try:
            expected = predictions.schema_of(answers.column_names)
            answers = answers.select(expected.names).cast(expected)
        except pa.ArrowException as error:
            raise BadInput(f"{who} returned columns of wrong types for {what}: {error}") from error
        if answers.num_rows != requests.num_rows:
            raise BadInput(
                f"{who} returned {answers.num_rows} rows for {what}, expected {requests.num_rows}"
            )
        if not _same_rows(answers, requests):
            raise BadInput(f"{who} returned the samples of {what} changed or in another order")
        for reason in pc.unique(answers["finish_reason"]).to_pylist():
            if reason is not None and reason not in predictions.FINISH_REASONS:
                raise BadInput(
                    f"{who} returned finish_reason {reason!r} for {what}, expected one of "
                    f"{', '.join(predictions.FINISH_REASONS)}"
                )
        return answers


def _subfolder(results: Folder, run: str) -> Folder:
    name = f"predictions/{run}"
    return Folder(f"{results.url}/{name}", results.fs, results.path(name))


def _file_name(cell: Cell) -> str:
    return f"{cell.algorithm}-{cell.length}.parquet"


def answered(answers: pa.Table) -> pa.ChunkedArray:
    """Returns which rows hold an answer: not null, and not marked as an error."""
    return pc.and_(pc.is_valid(answers["prediction"]), pc.invert(failed(answers)))


def failed(answers: pa.Table) -> pa.ChunkedArray:
    """Returns which rows hold what the model says is an error."""
    reasons = pc.fill_null(answers["finish_reason"], "")
    return pc.and_(pc.is_valid(answers["prediction"]), pc.equal(reasons, "error"))


def _hide(references: pa.Table) -> pa.Table:
    for name in _HIDDEN:
        place = references.column_names.index(name)
        field = references.schema.field(name)
        references = references.set_column(place, field, pa.nulls(references.num_rows, field.type))
    return references


def _same_rows(answers: pa.Table, samples: pa.Table) -> bool:
    ours, theirs = (predictions.identity(t).combine_chunks() for t in (answers, samples))
    return ours.equals(theirs)
