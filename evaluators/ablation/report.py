"""The report on an ablation, in its results folder.

ablation.md        its tables, and how they were made
ablation.parquet   all of its figures; see `measures`
ablation.png, svg  scores and differences, in and out of distribution
"""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from clrs_text_bench import lengths, parquet, provenance, terminal
from clrs_text_bench.ablation import Ablation, Asked, Trained
from clrs_text_bench.choosing import choose_cells
from clrs_text_bench.storage import Folder

from .. import rendering
from ..rendering import Sheet
from . import measures, runs, sheets

if TYPE_CHECKING:
    import pandas as pd

_NAME = "ablation"
_SCORE = "clrs"
_FIGURES = (".png", ".svg")


class _Reporter:
    """See `clrs_text_bench.ablation.Reporter`."""

    def check(self, asked: Asked) -> None:
        """Raises `BadInput` if the data set has no such split or length."""
        choose_cells(asked.dataset, asked.split, (), asked.lengths)

    def evaluated(self, results: Folder, asked: Asked, models: Collection[Trained]) -> set[Trained]:
        """Returns those of the models whose answers to all that is asked are in the folder."""
        frame = runs.find(results, asked, models)
        if frame is None:
            return set()
        there = set(zip(frame["model"], frame["train_seed"].tolist(), strict=True))
        return {model for model in models if (model.variant, model.seed) in there}

    def write(self, results: Folder, ablation: Ablation, models: Collection[Trained]) -> None:
        """Prints the ablation's tables, and puts them and a figure into the folder."""
        frame = runs.find(results, ablation.asked, models)
        measured = measures.measure(results, ablation, frame, show=True)
        _draw(results, ablation, measured)
        tables = [
            tell(ablation, measured, _SCORE, by_length=by_length)
            for by_length in (False, True)
            for tell in (sheets.scores, sheets.differences)
        ]
        absent = sheets.missing(ablation, models)
        results.write(f"{_NAME}.parquet", _parquet(measured))
        results.write(f"{_NAME}.md", _page(ablation, tables, absent).encode())
        for sheet in tables[:2]:
            rendering.print_sheet(sheet)
        log = terminal.log()
        for sentence in absent:
            log.print(sentence, soft_wrap=True, markup=False)
        log.print(f"all tables are in {results.url}/{_NAME}.md", soft_wrap=True, markup=False)


REPORTER = _Reporter()


def _draw(results: Folder, ablation: Ablation, measured: "pd.DataFrame") -> None:
    # Imported when it is needed: matplotlib is slow to import.
    from ..plots import dots, drawing, style

    with style.applied():
        drawn = dots.figure(measured, _SCORE, ablation.description)
        for suffix in _FIGURES:
            drawing.save(drawn, Path(results.path(f"{_NAME}{suffix}")))


def _parquet(measured: "pd.DataFrame") -> bytes:
    return parquet.to_bytes(pa.Table.from_pandas(measured, preserve_index=False))


def _page(ablation: Ablation, tables: list[Sheet], absent: list[str]) -> str:
    """Returns the tables in Markdown."""
    parts = [f"# {ablation.name}", ablation.description, _how(ablation)]
    parts += [" ".join(absent)] if absent else []
    for sheet in tables:
        parts += [f"## {sheet.title}", rendering.markdown(sheet), "\n".join(sheet.notes)]
    parts.append(f"![Scores and differences of every variant]({_NAME}.png)")
    return "\n\n".join(parts) + "\n"


def _how(ablation: Ablation) -> str:
    asked = ablation.asked
    cells = choose_cells(asked.dataset, asked.split, (), asked.lengths)
    algorithms = len({cell.algorithm for cell in cells})
    limit = "all samples" if asked.limit is None else f"the first {asked.limit} samples"
    shown = lengths.show(sorted({cell.length for cell in cells}))
    seeds = ", ".join(map(str, ablation.seeds))
    return (
        f"Answers to {limit} of each length ({shown}) of each of {algorithms} algorithms of split "
        f"{asked.split} of `{asked.dataset.url}` ({asked.dataset.hash[:12]}); means over answers, "
        f"then lengths, then algorithms, then train seeds ({seeds}). Made by "
        f"`{provenance.command_line()}` with clrs-text-bench "
        f"{provenance.versions()['clrs-text-bench']} at commit {provenance.git_commit()}."
    )
