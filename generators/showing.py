"""What `show` tells of a data set: counts, lengths of the text, repeated inputs, samples."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow.compute as pc
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from clrs_text_bench import tokenizers
from clrs_text_bench.datasets import Cell, Dataset, Manifest, OverlapRecord

_MEASURED_ROWS = 1000
_TOKENIZERS = ("char", "compact")


@dataclass(frozen=True, slots=True)
class TextLengths:
    """Lengths of the text of a cell, question and answer together, over its first 1,000 rows.

    Attributes:
      rows: how many rows were measured.
      characters: mean number of characters.
      tokens: for each tokeniser, the mean and largest number of tokens.
    """

    rows: int
    characters: float
    tokens: dict[str, tuple[float, int]]


def text_lengths(dataset: Dataset, cell: Cell) -> TextLengths:
    """Measures the text of a cell."""
    table = dataset.read(cell, ["question", "answer"], limit=_MEASURED_ROWS)
    texts = pc.binary_join_element_wise(table["question"], table["answer"], "")
    tokens = {}
    for name in _TOKENIZERS:
        counted = tokenizers.get(name).lengths(texts.to_pylist())
        tokens[name] = (float(counted.mean()), int(counted.max()))
    return TextLengths(table.num_rows, pc.mean(pc.utf8_length(texts)).as_py(), tokens)


def header(dataset: Dataset) -> Table:
    """Returns what the manifest says of the whole data set."""
    manifest = dataset.manifest
    size = sum(f.bytes for f in manifest.files)
    rows = sum(f.rows for f in manifest.files)
    table = Table.grid(padding=(0, 2))
    for name, value in (
        ("data set", dataset.url),
        *_origin(manifest),
        ("samples", f"{rows:,} in {len(manifest.files):,} files, {size / 1e6:,.1f} MB"),
        ("text", "traced" if manifest.use_hints else "plain"),
        ("graph hints", "yes" if manifest.graph_hints else "no"),
        ("de-duplicated", "yes" if manifest.dedupe else "no"),
        ("command", manifest.command),
        ("hash", dataset.hash),
    ):
        table.add_row(f"[bold]{name}[/bold]", escape(value))
    return table


def _origin(manifest: Manifest) -> list[tuple[str, str]]:
    """Returns what samples were made of: a recipe and an engine, or files of somebody else's."""
    if manifest.recipe is None:
        return [("imported from", manifest.source.url)]
    recipe = manifest.recipe
    return [
        ("recipe", f"{recipe.name}: {recipe.description}"),
        ("engine", f"{manifest.engine} ({manifest.engine_version}), {recipe.stream}"),
    ]


def cells(dataset: Dataset, chosen: list[Cell]) -> Table:
    """Returns a row for each cell: counts, lengths of its text, repeated inputs."""
    overlap = {(o.split, o.algorithm, o.length): o for o in dataset.manifest.overlap}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("split", "algorithm"):
        table.add_column(name, no_wrap=True)
    for name in ("length", "rows", "chars", "char max", "compact", "compact max"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("repeated", "in train"):
        table.add_column(name, justify="right", no_wrap=True)
    for cell in chosen:
        lengths = text_lengths(dataset, cell) if cell.count else None
        repeated = _overlap(overlap.get((cell.split, cell.algorithm, cell.length)))
        table.add_row(
            cell.split,
            cell.algorithm,
            str(cell.length),
            f"{cell.count:,}",
            *_lengths(lengths),
            *repeated,
        )
    return table


def _overlap(record: OverlapRecord | None) -> tuple[str, str]:
    """Returns the shares of repeated inputs, and of those in train, as far as recorded."""
    if record is None:
        return "", ""
    repeated = _share(record.rows - record.distinct, record.rows)
    return repeated, "" if record.in_train is None else _share(record.in_train, record.rows)


def _lengths(lengths: TextLengths | None) -> Iterator[str]:
    if lengths is None:
        yield from ("", "", "", "")
        return
    yield f"{lengths.characters:,.0f}"
    yield f"{lengths.tokens['char'][1]:,}"
    yield f"{lengths.tokens['compact'][0]:,.0f}"
    yield f"{lengths.tokens['compact'][1]:,}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


def shortfalls(records: tuple[OverlapRecord, ...]) -> list[str]:
    """Returns a sentence for each cell with fewer distinct inputs than samples asked for."""
    return [
        f"{o.split}/{o.algorithm} at length {o.length} has {o.rows:,} rows of the {o.wanted:,} "
        "asked for: so small a size has no more inputs that are not in train"
        for o in records
        if o.wanted is not None
    ]


def samples(dataset: Dataset, chosen: list[Cell], count: int) -> Group:
    """Returns the first samples of every cell, as they are read."""
    parts = []
    for cell in chosen:
        for row in dataset.read(cell, ["question", "answer", "index"], limit=count).to_pylist():
            title = f"{cell.split}/{cell.algorithm}, length {cell.length}, index {row['index']}"
            parts.append(f"[bold]{title}[/bold]\n{escape(row['question'] + row['answer'])}")
    return Group(*parts)
