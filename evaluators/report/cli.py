"""The command `report`."""

import click

_PATH = click.Path(path_type=str)


@click.command()
@click.option(
    "--results",
    multiple=True,
    default=("results",),
    show_default=True,
    type=_PATH,
    help="Results folder; may be repeated.",
)
@click.option(
    "--data",
    multiple=True,
    type=_PATH,
    help="Data set that kept answers are answers to, for questions and graphs; may be repeated.",
)
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Kept answers to so many samples of each algorithm and length, if they fit.",
)
@click.option("--out", required=True, type=_PATH, help=".html file to write.")
def report(results: tuple[str, ...], data: tuple[str, ...], samples: int, out: str) -> None:
    """Write one HTML file that shows a leaderboard, offline, to whoever opens it.

    It has the leaderboard, size-generalisation curves, a heat map, and what models wrote, where
    answers were kept (evaluate --save-predictions). It needs the extra [report].

    \b
    Examples:
      clrs-text-bench report --results results/cpu --out report.html
      clrs-text-bench report --results results --data data/transnar-cpu --out report.html
    """
    from pathlib import Path

    from clrs_text_bench import storage
    from clrs_text_bench.errors import BadInput

    from .report import build

    path = Path(out)
    if path.suffix != ".html" or path.is_dir():
        raise BadInput(f"--out {out} must name a file that ends in .html")
    page = build(results, data, most=samples, show_progress=True)
    with storage.writing(out):
        path.parent.mkdir(parents=True, exist_ok=True)
        storage.write_local(str(path), page)
    click.echo(f"{out}: {len(page):,} bytes")
