"""The command `leaderboard`."""

from typing import TYPE_CHECKING

import click

from . import options, reading

if TYPE_CHECKING:
    import pandas as pd


@click.command()
@options.read
@click.option(
    "--by",
    type=click.Choice(["algorithm", "family", "length", "regime"]),
    help="One row for each of these, one column per model.",
)
@click.option(
    "--sort",
    type=click.Choice(["score", "model"]),
    default="score",
    show_default=True,
    help="Order of the models: best first, or by name.",
)
@options.format_("csv and json hold every score with its interval.")
@click.option(
    "--compare",
    nargs=2,
    metavar="A B",
    help="Compare two models or runs answer by answer: differences, intervals, p-values.",
)
@options.effective_size("Show each algorithm's effective size")
def leaderboard(
    results: str,
    by: str | None,
    sort: str,
    format_: str,
    compare: tuple[str, str] | None,
    share: float | None,
    score: str,
    **chosen,
) -> None:
    """Show who scores what.

    Means are over answers, then lengths, then algorithms; --by shows one for each algorithm,
    family, length or regime. Missing answers, and failed ones, score 0.

    \b
    Examples:
      clrs-text-bench leaderboard --by regime
      clrs-text-bench leaderboard --by algorithm --score exact --format md
      clrs-text-bench leaderboard --compare majority transformer
      clrs-text-bench leaderboard --effective-size 0.9
    """
    from clrs_text_bench.errors import BadInput

    from .. import rendering, tables

    if share and (by or compare):
        other = "--by" if by else "--compare"
        raise BadInput(
            f"--effective-size shows every algorithm and their median; leave {other} out"
        )
    if share:
        _effective_sizes(
            reading.load(results, chosen), share, score=score, sort=sort, format_=format_
        )
        return
    if compare:
        _compare(results, *compare, score=score, format_=format_, chosen=chosen)
        return
    frame = reading.load(results, chosen)
    if format_ in ("csv", "json"):
        rows = tables.full(frame, by, score, sort)
        as_text = rendering.as_csv(rows) if format_ == "csv" else _json_of(rows)
        click.echo(as_text)
        return
    sheet = tables.by_key(frame, by, score, sort) if by else tables.overall(frame, score, sort)
    _show(sheet, format_)


def _compare(results: str, a: str, b: str, *, score: str, format_: str, chosen: dict) -> None:
    from .. import rendering, tables
    from ..compare import compare_runs
    from ..leaderboard import results_folder

    frame = reading.load(results, chosen)
    found, run_a, run_b = compare_runs(results_folder(results), frame, a, b, score)
    if format_ == "csv":
        click.echo(rendering.as_csv(tables.comparison_rows(found)))
    elif format_ == "json":
        click.echo(rendering.as_json(tables.comparison_json(found, run_a, run_b, score)))
    else:
        _show(tables.comparison(found, run_a, run_b, score), format_)


def _effective_sizes(
    frame: "pd.DataFrame", share: float, *, score: str, sort: str, format_: str
) -> None:
    from .. import rendering, tables

    if format_ in ("csv", "json"):
        rows = tables.full_effective_sizes(frame, score, share, sort)
        click.echo(rendering.as_csv(rows) if format_ == "csv" else _json_of(rows))
    else:
        _show(tables.effective_sizes(frame, score, share, sort), format_)


def _json_of(rows: "pd.DataFrame") -> str:
    from .. import rendering

    return rendering.as_json(rendering.records(rows))


def _show(sheet, format_: str) -> None:
    from .. import rendering

    if format_ == "md":
        click.echo(rendering.markdown(sheet))
        rendering.print_notes(sheet)
    else:
        rendering.print_sheet(sheet)
