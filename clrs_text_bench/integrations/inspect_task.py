"""A data set as a task of Inspect."""

from typing import get_args

from inspect_ai import Task, task
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.solver import generate

from clrs_text_bench import datasets, schema
from clrs_text_bench import lengths as lengths_
from clrs_text_bench.choosing import check_limit, choose_cells
from clrs_text_bench.datasets import Cell, Dataset
from clrs_text_bench.errors import BadInput, unknown
from clrs_text_bench.protocols import Extraction

from .inspect_scorer import TASK, clrs_text_scorer

_COLUMNS = [*schema.IDENTITY, "question", "answer", "use_hints"]

# What Inspect makes of a value on the command line: `a,b` is a list.
Given = str | int | list[str | int] | None


@task
def clrs_text(
    data: str,
    split: str | None = None,
    algorithms: Given = None,
    lengths: Given = None,
    limit: int | None = None,
    extraction: Extraction = "strict",
) -> Task:
    """CLRS-Text: algorithmic reasoning in text, on a data set of clrs-text-bench.

    Args:
      data: the data set, a folder or fsspec URL.
      split: None for "test" if there is one, else for the only one.
      algorithms: names; None for all.
      lengths: such as 4-8,12; None for all.
      limit: only the first so many samples of each algorithm and length.
      extraction: how answers are found in completions.

    Raises:
      PrerequisiteError: if there is no such data set, split, algorithm or length; Inspect shows
        its sentence alone.
    """
    try:
        dataset, cells = _chosen(data, split, algorithms, lengths, limit, extraction)
        samples = [sample for cell in cells for sample in _samples(dataset, cell, limit)]
    except BadInput as error:
        raise PrerequisiteError(f"clrs_text: {error}") from error
    return Task(
        dataset=MemoryDataset(samples, name="clrs_text", location=dataset.url),
        solver=generate(),
        scorer=clrs_text_scorer(extraction),
        metadata={
            "dataset_hash": dataset.hash,
            "dataset_command": dataset.manifest.command,
            "split": cells[0].split,
            "extraction": extraction,
        },
    )


def _chosen(
    data: str,
    split: str | None,
    algorithms: Given,
    lengths: Given,
    limit: int | None,
    extraction: str,
) -> tuple[Dataset, tuple[Cell, ...]]:
    if extraction not in get_args(Extraction):
        raise unknown("extraction", extraction, get_args(Extraction))
    check_limit(limit)
    dataset, sizes = datasets.open(data), ",".join(_listed(lengths))
    chosen = lengths_.parse(sizes) if sizes else ()
    return dataset, choose_cells(dataset, split, _listed(algorithms), chosen)


def _listed(given: Given) -> list[str]:
    """Returns a value on the command line as a list of texts."""
    if given is None:
        return []
    parts = given if isinstance(given, list) else str(given).split(",")
    return [str(part).strip() for part in parts]


def _samples(dataset: Dataset, cell: Cell, limit: int | None) -> list[Sample]:
    rows = dataset.read(cell, _COLUMNS, limit).to_pylist()
    return [_sample(row) for row in rows]


def _sample(row: dict) -> Sample:
    identity = {name: row[name] for name in schema.IDENTITY}
    named = f"{row['algo_name']}_{row['length']}"
    return Sample(
        id="/".join(str(value) for value in identity.values()),
        input=row["question"],
        target=row["answer"],
        metadata={**identity, "use_hints": row["use_hints"], TASK: named},
    )
