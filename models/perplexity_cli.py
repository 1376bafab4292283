"""The command `perplexity`."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from .transformer.perplexity import Perplexity

_PATH = click.Path(path_type=str)


@click.command()
@click.argument("model")
@click.option("--text", required=True, type=_PATH, help="Any file of UTF-8 text.")
@click.option(
    "--stride",
    type=int,
    help="Tokens from one window over the text to the next.  [default: half of the context]",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Windows that are read together.",
)
@click.option("--out", type=_PATH, help=".json or .parquet file to write the record to.")
def perplexity(model: str, text: str, stride: int | None, batch_size: int, out: str | None) -> None:
    """Say how well MODEL, transformer:RUN or transnar:RUN, predicts a text: what it has kept of
    language, say.

    Bits per byte compare models with different tokenisers; the perplexity is per token. The text is
    read in windows of the model's context, each token scored once with what stands before it; a
    smaller stride leaves more of it there, for more time. A TransNAR reads no graph with a text:
    its layers' readings are left out, as if its gates were shut.

    \b
    Examples:
      clrs-text-bench perplexity transformer:runs/a --text prose.txt
      clrs-text-bench perplexity transnar:runs/b --text prose.txt --stride 512 --out prose.json
    """
    from . import language

    asked = language.Asked(model, text, stride, batch_size)
    language.check_out(out)
    found, record = language.measure(asked, show=True)
    _print(found)
    if out is not None:
        language.write(record, out)
        click.echo(f"the record is in {out}", err=True)


def _print(found: "Perplexity") -> None:
    from rich.table import Table

    from clrs_text_bench import terminal

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    table.add_row("bits per byte", f"{found.bits_per_byte:.4f}")
    table.add_row("bits per token", f"{found.bits_per_token:.4f}")
    table.add_row("perplexity, per token", f"{found.perplexity:,.2f}")
    table.add_row("tokens", f"{found.tokens:,}")
    table.add_row("bytes", f"{found.bytes:,}")
    terminal.output().print(table)
