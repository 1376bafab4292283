"""Options that several commands of the evaluators have, in the same words."""

from collections.abc import Callable

import click

from clrs_text_bench.cli import options as shared
from clrs_text_bench.cli.options import PATH

RESULTS = "results"


def _together(*found: Callable) -> Callable:
    def decorate(command: Callable) -> Callable:
        for option in reversed(found):
            command = option(command)
        return command

    return decorate


asked = _together(
    shared.data,
    shared.algorithms,
    shared.lengths,
    click.option("--split", help="Split to answer.  [default: test, or the only one]"),
    click.option("--limit", type=int, help="Only the first so many samples of each cell."),
    shared.extraction,
    click.option(
        "--evaluator", default="clrs-text", show_default=True, help="Which evaluator scores."
    ),
    click.option("--name", help="Name of the model in the leaderboard."),
)


def effective_size(help_: str) -> Callable:
    """Returns the option of a share of the score at trained lengths."""
    return click.option(
        "--effective-size",
        "share",
        metavar="[SHARE]",
        is_flag=False,
        flag_value="0.5",
        type=click.FloatRange(min=0, max=1, min_open=True),
        help=f"{help_}: the largest length up to which this share (0.5 if left out) of the score "
        "at trained lengths is kept.",
    )


def format_(help_: str) -> Callable:
    """Returns the option of how tables are printed."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(["table", "csv", "md", "json"]),
        default="table",
        show_default=True,
        help=help_,
    )


read = _together(
    click.option(
        "--results", default=RESULTS, show_default=True, type=PATH, help="Results folder."
    ),
    click.option(
        "--model", "models", multiple=True, help="Only this model or run; may be repeated."
    ),
    shared.algorithms,
    shared.lengths,
    click.option("--split", help="Only this split."),
    click.option("--score", default="clrs", show_default=True, help="Which score."),
)
