"""The command `diagnose`."""

import click

from clrs_text_bench.cli import options
from clrs_text_bench.cli.options import PATH


@click.command()
@click.argument("run", type=PATH)
@options.data
@click.option("--split", help="Split to answer.  [default: test, or the only one]")
@options.lengths
@click.option("--limit", type=int, help="Only the first so many samples of each cell.")
@click.option("--out", required=True, type=PATH, help="Folder for the diagnosis.")
def diagnose(
    run: str, data: str, split: str | None, lengths: str | None, limit: int | None, out: str
) -> None:
    """Say which signs of failure the TransNAR of a RUN shows.

    \b
    Are its reasoner's latents reached, and what they say read? Are shapes right and contents
    wrong? Is it good at trained lengths only? Does the reasoner itself know?

    Verdicts, figures and all measures go to the folder OUT, which is also a results folder: the
    answers with true, shuffled and no latents, and the reasoner's, can be compared there. Cut off,
    the same command goes on where it was.

    \b
    Example:
      clrs-text-bench diagnose runs/transnar --data data/transnar-cpu --limit 20 --out diagnosis
    """
    from pathlib import Path

    from clrs_text_bench import lengths as lengths_
    from clrs_text_bench import terminal

    from .. import rendering
    from . import figures, measuring, report
    from .verdicts import verdicts

    chosen = lengths_.parse(lengths) if lengths else ()
    found = measuring.subject(run, data, split, chosen, limit)
    report.check_free(out, found)
    measures, shown = measuring.measure(found, out), measuring.look(found)
    reached = verdicts(measures)
    drawn = figures.draw(measures, shown, found.info.name, Path(out))
    report.write(out, report.document(found, measures, reached, drawn))
    for sheet in report.sheets(measures):
        rendering.print_sheet(sheet)
    for line in report.said(reached):
        terminal.output().print(line, markup=False, soft_wrap=True)
    log = terminal.log()
    if not shown.gates_over_training:
        log.print(
            f"run {run} did not log its gates over training; they are not drawn", markup=False
        )
    log.print(f"all of it, and {len(drawn)} figures, are in {out}", markup=False)
