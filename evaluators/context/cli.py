"""The command `context`."""

import click

from clrs_text_bench.cli.options import PATH

from ..cli import options


@click.command()
@click.option(
    "-a",
    "--algorithm",
    "algorithms",
    multiple=True,
    help="Algorithm; may be repeated.  [default: all]",
)
@click.option(
    "--tokenizer",
    "names",
    multiple=True,
    default=("char", "compact"),
    show_default=True,
    help="char, compact or the path of a tokenizer.json; may be repeated.",
)
@click.option(
    "--contexts",
    default="2048,8192,32768,131072",
    show_default=True,
    help="Tokens that there is room for.",
)
@click.option(
    "-n",
    "--samples",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Samples rendered at each size.",
)
@click.option(
    "-l",
    "--lengths",
    default="4,8,16,32,64",
    show_default=True,
    help="Lengths to measure the solver's cost at.",
)
@click.option("--results", type=PATH, help="Results folder whose models' costs stand beside.")
@options.format_("Of what is printed.")
@click.option("--out", required=True, type=PATH, help="Folder for tables and figure.")
def context(
    algorithms: tuple[str, ...],
    names: tuple[str, ...],
    contexts: str,
    samples: int,
    lengths: str,
    results: str | None,
    format_: str,
    out: str,
) -> None:
    """Say how large an input fits a context, and what the real solver's answers cost.

    Of every algorithm, plain and traced, the largest length at which question and answer fit is
    searched on real samples. OUT gets context.parquet and its figure, and cost.parquet: the
    solver's seconds and trace steps, and models' seconds and operations if there are --results. A
    run that was cut off goes on where it was when the same command is given again.

    \b
    Examples:
      clrs-text-bench context --out results/context
      clrs-text-bench context -a bfs --contexts 2048 --results results/cpu --out bfs
    """
    from clrs_text_bench import tasks
    from clrs_text_bench.lengths import parse

    from .. import leaderboard, rendering
    from . import cost, report, sheets, writing

    folder = leaderboard.results_folder(out)
    asked = report.Asked(
        tuple(dict.fromkeys(tasks.get(a).name for a in algorithms)) or tuple(tasks.names()),
        tuple(dict.fromkeys(names)),
        _contexts(contexts),
        samples,
    )
    solved = parse(lengths)
    board = None
    if results is not None:
        board = leaderboard.read(leaderboard.results_folder(results))
    try:
        sizes = report.largest_sizes(asked, folder, show=True)
        costs = cost.costs(asked.algorithms, solved, board, show=True)
    except KeyboardInterrupt:
        click.echo("finished parts are kept; the same command goes on from there", err=True)
        raise
    paths = writing.write(folder, sizes, costs)
    report.forget_parts(folder)
    if format_ == "csv":
        click.echo(rendering.as_csv(sizes))
    elif format_ == "json":
        click.echo(rendering.as_json(rendering.records(sizes)))
    elif format_ == "md":
        sheet = sheets.sizes(sizes, samples)
        click.echo(rendering.markdown(sheet))
        rendering.print_notes(sheet)
    else:
        rendering.print_sheet(sheets.sizes(sizes, samples))
    for path in paths:
        click.echo(path, err=True)


def _contexts(text: str) -> tuple[int, ...]:
    """Reads numbers of tokens, such as 2048,8192."""
    from clrs_text_bench.errors import BadInput

    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 0 < int(part) <= 1 << 20 for part in parts):
        raise BadInput(f"--contexts {text!r} is not like 2048,8192, of 1 to {1 << 20} tokens each")
    return tuple(sorted({int(part) for part in parts}))
