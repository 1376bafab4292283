"""Scores of answers to held-out samples, by the registered evaluator."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from clrs_text_bench import registry

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
    answers = trainable.answer(params, held_out)
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
