"""Evaluation: model -> predictions -> scores -> leaderboard, one cell of a data set at a time."""

import dataclasses
import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clrs_text_bench import datasets, modelspec, progress, provenance, registry, schema, tasks
from clrs_text_bench.choosing import check_limit, choose_cells
from clrs_text_bench.datasets import Cell
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import (
    Account,
    AskingModel,
    Evaluator,
    Extraction,
    Model,
    PoolingEvaluator,
)
from clrs_text_bench.regimes import regime

from . import bootstrap, leaderboard
from .answers import Answers, answered, failed
from .bootstrap import Interval
from .price import Price, spent
from .request import Request

DEFAULT_EVALUATOR = "clrs-text"


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Attributes:
      run: the run's id.
      rows: its leaderboard rows, in `leaderboard.row_schema`.
      scores: of each answer: the identity columns, the evaluator's columns, finish_reason.
      account: what it came to, to ask a model that is sent prompts; None of any other.
    """

    run: str
    rows: pa.Table
    scores: pa.Table
    account: Account | None = None


def evaluate(
    model: str | Model,
    dataset: str | os.PathLike,
    *,
    split: str | None = None,
    algorithms: Collection[str] = (),
    lengths: Collection[int] = (),
    limit: int | None = None,
    evaluator: str = DEFAULT_EVALUATOR,
    extraction: Extraction = "strict",
    name: str | None = None,
    results: str | os.PathLike | None = None,
    save_predictions: bool = False,
    price: Price | None = None,
    show_progress: bool = False,
) -> Evaluation:
    """Evaluates a model on a data set.

    Missing answers, and those that the model marks as errors, score 0 and are counted apart.

    Args:
      model: a spec, such as "solver" or "file:answers.jsonl", or a model itself.
      dataset: where the data set is.
      split: None for "test" if there is one, else for the only one.
      algorithms: names; empty for all.
      lengths: empty for all.
      limit: only the first so many samples of each algorithm and length.
      evaluator: name of a registered evaluator.
      extraction: "strict" takes a completion as it is, "lenient" looks for the answer in it.
      name: what to call the model, instead of what it calls itself.
      results: the results folder to add the run to; None to add it to none.
      price: of tokens of a model that is sent prompts, to keep the dollars; None to keep none.
      save_predictions: whether to leave the answers in `predictions/<run>/` of the results folder.
      show_progress: whether to show a progress bar on standard error.

    Raises:
      BadInput: on what cannot be used; see the parts.
      RunFailed: if the model breaks on the way; with a results folder, finished cells are kept, and
        the same call goes on from there.
    """
    check_limit(limit)
    if save_predictions and results is None:
        raise BadInput("predictions can only be saved in a results folder; name one")
    folder = None if results is None else leaderboard.results_folder(results)
    judge: Evaluator = registry.load("evaluators", evaluator)
    opened = datasets.open(dataset)
    cells = choose_cells(opened, split, algorithms, lengths)
    spec = model if isinstance(model, str) else type(model).__name__
    answerer = modelspec.load(model) if isinstance(model, str) else model
    answerer.prepare(opened)
    info = answerer.info()
    if name is not None:
        info = dataclasses.replace(info, name=name)
    spec = provenance.without_credentials(spec)
    request = Request(spec, info, opened, cells, limit, evaluator, extraction)
    answers = Answers(answerer, request, folder)
    answers.start()
    try:
        evaluation = _walk(request, answers, judge, price, show_progress)
    except BadInput:
        answers.tidy()
        raise
    if isinstance(answerer, AskingModel):
        evaluation = dataclasses.replace(evaluation, account=answerer.account())
    if folder is not None:
        leaderboard.append(folder, evaluation.rows, evaluation.scores)
        if not save_predictions:
            answers.discard()
    return evaluation


def _walk(
    request: Request, answers: Answers, judge: Evaluator, price: Price | None, show: bool
) -> Evaluation:
    rows, scores = [], []
    with progress.bar("answers", show=show) as bar:
        task = bar.add_task("", total=sum(map(request.count, request.cells)))
        for cell in request.cells:
            bar.update(task, description=f"{cell.algorithm} {cell.length}")
            references = _references(request, cell)
            found = answers.of(cell, references, lambda n: bar.advance(task, n))
            scores.append(_score(request, cell, judge, found, references))
            rows.append(_row(request, cell, judge, found, scores[-1]) | spent(found, price))
        bar.update(task, description="done")
    if all(row["missing"] == row["n"] for row in rows):
        answers.discard()
        raise BadInput(
            f"model {request.info.name!r} ({request.spec}) has no answer at all to split "
            f"{request.split} of {request.dataset.url}; is another split or data set meant?"
        )
    record = _run_columns(request, answers.record)
    prompts = any("prompt_tokens" in row for row in rows)
    columns = leaderboard.row_schema(judge.scores, prompts=prompts)
    table = pa.Table.from_pylist([record | row for row in rows], schema=columns)
    return Evaluation(request.run, table, pa.concat_tables(scores))


def _references(request: Request, cell: Cell) -> pa.Table:
    """Reads the rows of a cell; graph_hints, by far the largest column, is null."""
    columns = [n for n in schema.DATASET.names if n != "graph_hints"]
    table = request.dataset.read(cell, columns, request.limit)
    nulls = pa.nulls(table.num_rows, schema.DATASET.field("graph_hints").type)
    return table.append_column("graph_hints", nulls).select(schema.DATASET.names)


def _score(
    request: Request, cell: Cell, judge: Evaluator, answers: pa.Table, references: pa.Table
) -> pa.Table:
    """Returns the scores of answers: identity, the evaluator's columns, finish_reason."""
    place = answers.column_names.index("prediction")
    texts = pc.if_else(answered(answers), answers["prediction"], pa.scalar(None, pa.string()))
    scores = judge.score(
        answers.set_column(place, "prediction", texts), references, extraction=request.extraction
    )
    where = f"evaluator {request.evaluator!r} on {cell.algorithm} at length {cell.length}"
    if scores.num_rows != answers.num_rows:
        raise BadInput(f"{where} returned {scores.num_rows} rows, expected {answers.num_rows}")
    for name in judge.scores:
        if name not in scores.column_names:
            raise BadInput(f"{where} returned no column {name!r}")
        values = scores[name].to_numpy()
        if not ((values >= 0) & (values <= 1)).all():
            raise BadInput(f"{where} returned a score {name!r} outside 0..1")
    own = [n for n in scores.column_names if n not in schema.IDENTITY]
    table = answers.select(list(schema.IDENTITY))
    for name in own:
        table = table.append_column(scores.schema.field(name), scores[name])
    return table.append_column("finish_reason", answers["finish_reason"])


def _row(
    request: Request, cell: Cell, judge: Evaluator, answers: pa.Table, scores: pa.Table
) -> dict[str, Any]:
    """Returns what a leaderboard row says of a cell."""
    errors = pc.sum(failed(answers)).as_py()
    missing = answers["prediction"].null_count
    row = {
        "algorithm": cell.algorithm,
        "family": tasks.get(cell.algorithm).family,
        "length": cell.length,
        "regime": regime(cell.length, request.info.train_lengths),
        "n": answers.num_rows,
        "errors": errors,
        "missing": missing,
        "incomplete": errors + missing > 0,
        "seconds": pc.sum(answers["seconds"].cast(pa.float64())).as_py(),
        "n_tokens": pc.sum(answers["n_tokens"]).as_py(),
    }
    for name in judge.scores:
        interval = _interval(judge, name, scores)
        values = (interval.mean, interval.low, interval.high)
        row |= {f"{name}{s}": v for s, v in zip(leaderboard.SUFFIXES, values, strict=True)}
    if "trace_share" in scores.column_names:
        row["trace_share"] = pc.mean(scores["trace_share"]).as_py()
    return row


def _interval(judge: Evaluator, name: str, scores: pa.Table) -> Interval:
    if isinstance(judge, PoolingEvaluator):
        return bootstrap.pooled_interval(
            lambda times: judge.pooled(scores, times)[name], scores.num_rows
        )
    return bootstrap.mean_interval(np.asarray(scores[name]))


def _run_columns(request: Request, record: dict[str, Any]) -> dict[str, Any]:
    """Returns what all rows of a run share."""
    info = request.info
    return {
        "run": request.run,
        "model": info.name,
        "spec": request.spec,
        "n_parameters": info.n_parameters,
        "train_lengths": info.train_lengths,
        "train_algorithms": info.train_algorithms,
        "train_seed": info.train_seed,
        "checkpoint": info.checkpoint,
        "settings": json.dumps(request.model["settings"], sort_keys=True),
        "dataset": provenance.without_credentials(request.dataset.url),
        "dataset_hash": request.dataset.hash,
        "split": request.split,
        "use_hints": request.dataset.manifest.use_hints,
        "evaluator": request.evaluator,
        "extraction": request.extraction,
        "limit": request.limit,
        "versions": json.dumps(record["versions"], sort_keys=True),
        "command": record["command"],
        "git_commit": record["git_commit"],
        "created": provenance.now(),
    }
