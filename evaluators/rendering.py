"""Sheets: tables of text for people, and how they are put on a terminal, in Markdown or CSV."""

import csv
import io
import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rich.table import Table
from rich.text import Text

from clrs_text_bench import terminal

if TYPE_CHECKING:
    import pandas as pd

# An underscore within a word, and brackets that are no link, stand for themselves in Markdown.
_MARKUP = re.compile(r"[\\|<*`]|(?<=])\(|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Sheet:
    """A table of text.

    Attributes:
      title: what it shows.
      header: names of its columns; the first column is of names, the others are of numbers.
      rows: as long as the header, each.
      notes: sentences that stand below it.
      words: names of further columns that are of words, not of numbers.
    """

    title: str
    header: list[str]
    rows: list[list[str]]
    notes: list[str]
    words: tuple[str, ...] = ()

    def sides(self) -> list[Literal["left", "right"]]:
        """Returns the side at which each column is aligned."""
        words = {self.header[0], *self.words}
        return ["left" if name in words else "right" for name in self.header]


def clean(text: str) -> str:
    """Replaces control characters, so that text from a model or a file cannot move the cursor.

    >>> clean("a\\x1b[2Jb")
    'a�[2Jb'
    """
    return "".join(c if c.isprintable() else _UNPRINTABLE for c in text)


def print_sheet(sheet: Sheet) -> None:
    """Prints a sheet on standard output: coloured on a terminal, plain and never cut elsewhere."""
    console = terminal.output()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, side in zip(sheet.header, sheet.sides(), strict=True):
        table.add_column(Text(clean(name)), justify=side)
    for row in sheet.rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    if not sys.stdout.isatty():
        unbound = console.options.update(max_width=1 << 20)
        console.width = max(console.width, table.__rich_measure__(console, unbound).maximum)
    console.print(Text(clean(sheet.title), style="italic"), soft_wrap=True)
    console.print(table)
    for note in sheet.notes:
        console.print(Text(clean(note), style="yellow"), soft_wrap=True)


def print_notes(sheet: Sheet) -> None:
    """Prints a sheet's notes on standard error."""
    for note in sheet.notes:
        terminal.log().print(Text(clean(note)), soft_wrap=True)


def markdown(sheet: Sheet) -> str:
    """Returns a sheet as a Markdown table, without its title and notes."""
    rule = ["---" if side == "left" else "---:" for side in sheet.sides()]
    rows = [[_markdown_cell(c) for c in row] for row in [sheet.header, *sheet.rows]]
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]])


def _markdown_cell(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", clean(text))


def as_csv(frame: "pd.DataFrame") -> str:
    """Returns rows as CSV; what is missing is empty."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(frame.columns)
    for record in records(frame):
        writer.writerow(clean(v) if isinstance(v, str) else v for v in record.values())
    return sink.getvalue().rstrip("\n")


def as_json(value: Any) -> str:
    """Returns JSON in ASCII, indented."""
    return json.dumps(value, indent=2, allow_nan=False)


def records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """Returns rows as dicts of Python values; what is missing is None."""
    import pandas as pd

    return [
        {k: None if pd.api.types.is_scalar(v) and pd.isna(v) else v for k, v in row.items()}
        for row in frame.to_dict("records")
    ]
