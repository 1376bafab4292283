"""Measuring: the answers are kept in a results folder, so that a killed diagnosis goes on."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from clrs_text_bench import datasets, modelspec, progress, schema, terminal
from clrs_text_bench.choosing import choose_cells
from clrs_text_bench.datasets import Cell, Dataset
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import ModelInfo, ReadingModel

from .. import bootstrap
from ..evaluate import Evaluation, evaluate
from .measures import CONTROLS, REASONER, TRUE, Measures, Shown, changes, scores_by_part

SEED = 0

_COLUMNS = [*schema.IDENTITY, "use_hints", "question", "answer", "graph_inputs"]


@dataclass(frozen=True)
class Subject:
    """What is diagnosed.

    Attributes:
      run: folder of the training run.
      model: it, reading the true latents.
      dataset: what it is asked.
      cells: which of its cells.
      limit: so many rows of each, the first; None for all.
    """

    run: str
    model: ReadingModel
    dataset: Dataset
    cells: tuple[Cell, ...]
    limit: int | None

    @property
    def info(self) -> ModelInfo:
        """Who is diagnosed."""
        return self.model.info()

    def spec(self, latents: str) -> str:
        """Returns the spec of the model with some latents."""
        return f"transnar:{self.run}?latents={latents}"

    def rows(self, cell: Cell) -> pa.Table:
        """Reads the rows of a cell."""
        return self.dataset.read(cell, _COLUMNS, self.limit)


def subject(
    run: str, data: str, split: str | None, lengths: Collection[int], limit: int | None
) -> Subject:
    """Finds what is to be diagnosed.

    Args:
      run: folder of the training run.
      data: where the data set is.
      split: see `evaluate`.
      lengths: empty for all.
      limit: see `evaluate`.

    Raises:
      BadInput: if the run is not of a model that reads latents, or was trained on a control's; if
        there is no such data, or only one row of a cell, whose latents cannot be shuffled.
    """
    dataset = datasets.open(data)
    cells = choose_cells(dataset, split, (), lengths)
    for cell in cells:
        if min(cell.count, cell.count if limit is None else limit) < 2:
            raise BadInput(
                f"{cell.algorithm} at length {cell.length} of {data} has fewer than 2 rows within "
                "the limit, so that latents cannot be shuffled between them; use a --limit of 2 "
                "or more"
            )
    found = Subject(run, modelspec.load(f"transnar:{run}?latents={TRUE}"), dataset, cells, limit)
    if found.model.trained_on != TRUE:
        raise BadInput(
            f"run {run} was trained on {found.model.trained_on} latents, as a control: it cannot "
            "read true ones; name a run trained on true latents"
        )
    return found


def measure(found: Subject, results: str) -> Measures:
    """Measures all that verdicts are made of, with progress.

    Args:
      found: what is diagnosed.
      results: the results folder to keep answers and scores in.

    Raises:
      BadInput: on rows that do not fit the model; see `evaluate`.
    """
    gates = found.model.gates()
    shares = dict(zip(gates, _shares(found), strict=True))
    name, evaluations = found.info.name, {}
    for latents in (TRUE, *CONTROLS):
        label = name if latents == TRUE else f"{name} ({latents} latents)"
        evaluations[latents] = _answered(found, found.spec(latents), label, results)
    untold = _untold(found)
    if untold is None:
        label = f"{name} (its reasoner)"
        evaluations[REASONER] = _answered(found, found.model.reasoner(), label, results)
    trained = found.info.train_lengths or ()
    return Measures(
        rows=evaluations[TRUE].scores.num_rows,
        gates=gates,
        shares=shares,
        scores={who: scores_by_part(one, trained) for who, one in evaluations.items()},
        changes={
            who: changes(evaluations[TRUE], one, SEED)
            for who, one in evaluations.items()
            if who != TRUE
        },
        untold=untold,
        tuned=found.model.tuned,
    )


def _untold(found: Subject) -> str | None:
    if found.dataset.manifest.use_hints:
        return "The reasoner writes no traces, which this data set asks for."
    return None


def _answered(found: Subject, model, label: str, results: str) -> Evaluation:
    terminal.log().print(f"answers of {label}", markup=False)
    return evaluate(
        model,
        found.dataset.url,
        split=found.cells[0].split,
        lengths={cell.length for cell in found.cells},
        limit=found.limit,
        name=label,
        results=results,
        save_predictions=True,
        show_progress=True,
    )


def _shares(found: Subject) -> list[bootstrap.Interval]:
    """Returns the mean share of each reading layer, over rows."""
    parts = []
    with progress.bar("cells") as bar:
        task = bar.add_task("shares of latents", total=len(found.cells))
        for cell in found.cells:
            parts.append(found.model.shares(found.rows(cell)))
            bar.advance(task)
    return [bootstrap.mean_interval(of_layer, seed=SEED) for of_layer in np.concatenate(parts).T]


def look(found: Subject) -> Shown:
    """Returns what figures show besides: of the attention, that of the first row."""
    cell = found.cells[0]
    (attention,) = found.model.attention(found.rows(cell).slice(0, 1))
    sample = f"{cell.algorithm}, length {cell.length}"
    return Shown(found.model.gates_over_training(), sample, attention)
