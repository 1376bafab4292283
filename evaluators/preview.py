"""What an evaluation would ask of a model, before anything is asked."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import pyarrow.compute as pc

from clrs_text_bench import datasets, modelspec, progress
from clrs_text_bench.choosing import check_limit, choose_cells
from clrs_text_bench.datasets import Cell, Dataset
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import AskingModel

from .price import Price
from .prompt_tokens import Count
from .rendering import Sheet

# What a prompt follows from, and with it the answer, for its length.
_COLUMNS = ["question", "answer", "algo_name", "length", "use_hints", "split", "seed", "index"]


@dataclass(frozen=True)
class CellPreview:
    """What would be asked for one cell.

    Attributes:
      cell: which.
      example: its first prompt.
      prompts: how many there are.
      kept: of these, how many have an answer already, and so cost nothing.
      prompt_tokens: of those without one.
      answer_tokens: of their true answers: what a model would write that wrote nothing else.
      cut: how many of the true answers are longer than the model may write.
    """

    cell: Cell
    example: str
    prompts: int
    kept: int
    prompt_tokens: int
    answer_tokens: int
    cut: int


def preview(
    model: str,
    dataset: str | os.PathLike,
    *,
    split: str | None,
    algorithms: Collection[str],
    lengths: Collection[int],
    limit: int | None,
    count: Count,
) -> list[CellPreview]:
    """Returns what would be asked, cell by cell; see `evaluate` for the arguments.

    Raises:
      BadInput: on what cannot be used, and if the model is not one that is asked by prompts.
    """
    check_limit(limit)
    opened = datasets.open(dataset)
    cells = choose_cells(opened, split, algorithms, lengths)
    asked = modelspec.load(model)
    if not isinstance(asked, AskingModel):
        raise BadInput(f"model {model} is sent no prompts; leave --dry-run out")
    asked.prepare(opened)
    with progress.bar("prompts") as bar:
        rows = sum(c.count if limit is None else min(c.count, limit) for c in cells)
        task = bar.add_task("prompts", total=rows)
        found = []
        for one in _previews(asked, opened, cells, limit, count):
            found.append(one)
            bar.advance(task, one.prompts)
    return found


def _previews(
    model: AskingModel, dataset: Dataset, cells: Collection[Cell], limit: int | None, count: Count
) -> Iterator[CellPreview]:
    room = model.info().settings["max_tokens"]
    for cell in cells:
        rows = dataset.read(cell, _COLUMNS, limit)
        found = model.preview(rows.drop_columns(["answer"]))
        answers = count(pc.utf8_rtrim_whitespace(rows["answer"]).to_pylist())
        missing = [place for place, one in enumerate(found) if not one.kept]
        yield CellPreview(
            cell,
            found[0].prompt,
            len(found),
            len(found) - len(missing),
            int(count([found[place].prompt for place in missing]).sum()),
            int(answers[missing].sum()),
            int((answers > room).sum()),
        )


def sheet(cells: list[CellPreview], price: Price | None, *, estimated: bool) -> Sheet:
    """Returns the table of what would be asked, with its cost if there is a price."""
    header = ["asked", "prompts", "kept", "prompt tokens", "answer tokens"]
    rows = [[f"{c.cell.algorithm} {c.cell.length}", *_figures([c], price)] for c in cells]
    rows.append(["all", *_figures(cells, price)])
    notes = [
        "kept: answered before, not asked again; tokens are of the others, answer tokens of their "
        "true answers: a model that explains itself writes more."
    ]
    if estimated:
        notes.append("Tokens are estimated; --tokenizer with a tokenizer.json counts them.")
    cut = sum(c.cut for c in cells)
    if cut:
        notes.append(
            f"{cut:,} true answers are longer than the model may write; raise max_tokens, as in "
            "?max_tokens=8192."
        )
    return Sheet(
        "dry run: nothing is asked", [*header, *(["dollars"] if price else [])], rows, notes
    )


def _figures(cells: list[CellPreview], price: Price | None) -> list[str]:
    prompts, answers = (
        sum(getattr(c, n) for c in cells) for n in ("prompt_tokens", "answer_tokens")
    )
    numbers = [sum(c.prompts for c in cells), sum(c.kept for c in cells), prompts, answers]
    cost = [f"{price.of(prompts, answers):,.4f}"] if price else []
    return [*(f"{n:,}" for n in numbers), *cost]
