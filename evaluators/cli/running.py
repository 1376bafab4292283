"""An evaluation as a command runs it: the same for `evaluate` and `score`."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..evaluate import Evaluation


def run(model: str, data: str, asked: dict, **where) -> "Evaluation":
    """Evaluates with a bar of progress, and prints what was found.

    Args:
      model: a spec.
      data: where the data set is.
      asked: the values of `options.asked`.
      where: where results go; arguments of `evaluate`.
    """
    from clrs_text_bench.lengths import parse

    from .. import rendering, tables
    from ..evaluate import evaluate
    from ..leaderboard import frame_of, main_score

    chosen = asked.pop("lengths") or ()
    lengths = parse(chosen) if isinstance(chosen, str) else chosen
    try:
        found = evaluate(model, data, lengths=lengths, show_progress=True, **asked, **where)
    except KeyboardInterrupt:
        if where.get("results"):
            click.echo("finished cells are kept; the same command goes on from there", err=True)
        raise
    frame = frame_of([found.rows])
    rendering.print_sheet(tables.of_run(frame, main_score(frame)))
    return found
