"""Scores of answers to held-out samples, by the registered evaluator.

Each process answers a share of the samples, and all get all scores.
"""

from dataclasses import dataclass

import jax
import numpy as np
import pyarrow as pa

from clrs_text_bench import registry

from . import distributed
from .trainable import Params, Trainable

HEADLINE = "clrs"

_EVALUATOR = "clrs-text"


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one validation.

    Attributes:
      mean: each score, averaged over cells, so that all tasks and lengths count alike.
      cells: each score of each cell, by `algorithm/length`.
    """

    mean: dict[str, float]
    cells: dict[str, dict[str, float]]


def score(trainable: Trainable, params: Params, held_out: pa.Table) -> Scores:
    """Answers held-out rows in `schema.DATASET` and scores the answers, strictly."""
    evaluator = registry.load("evaluators", _EVALUATOR)
    answers = _answers(trainable, params, held_out)
    columns = evaluator.score(answers, held_out, extraction="strict")
    names = held_out["algo_name"].to_pylist()
    lengths = held_out["length"].to_pylist()
    cells = np.array([f"{name}/{length}" for name, length in zip(names, lengths, strict=True)])
    by_cell = {
        str(cell): {
            name: float(np.mean(columns[name].to_numpy()[cells == cell]))
            for name in evaluator.scores
        }
        for cell in dict.fromkeys(cells.tolist())
    }
    mean = {
        name: float(np.mean([scores[name] for scores in by_cell.values()]))
        for name in evaluator.scores
    }
    return Scores(mean, by_cell)


def _answers(trainable: Trainable, params: Params, held_out: pa.Table) -> pa.Table:
    """Returns the answers to all rows, of which this process finds every n-th.

    Like rows stand together, so that all processes have about as much to do.
    """
    parts = jax.process_count()
    places = [np.arange(place, held_out.num_rows, parts) for place in range(parts)]
    mine = trainable.answer(params, held_out.take(pa.array(places[jax.process_index()])))
    found = pa.concat_tables([_read(part) for part in distributed.exchange(_written(mine))])
    return found.unify_dictionaries().take(pa.array(np.argsort(np.concatenate(places))))


def _written(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _read(message: bytes) -> pa.Table:
    with pa.ipc.open_stream(message) as reader:
        return reader.read_all()
