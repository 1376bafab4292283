"""The command `plot`."""

import click

from clrs_text_bench.cli.options import PATH

from . import options, reading


@click.command()
@click.argument("figure", type=click.Choice(["curves", "bars", "families", "heatmap"]))
@options.read
@click.option(
    "--by",
    type=click.Choice(["algorithm", "family"]),
    help="curves: one panel for each, instead of one mean.",
)
@options.effective_size("curves: ring each line's effective size")
@click.option(
    "--out",
    required=True,
    type=PATH,
    help=".png or .svg file; both are written into a folder, or if there is no suffix.",
)
def plot(
    figure: str,
    results: str,
    score: str,
    by: str | None,
    share: float | None,
    out: str,
    **chosen,
) -> None:
    """Draw a FIGURE of the leaderboard.

    \b
    curves    score against length: who generalises to sizes that it was not trained on
    bars      score of each algorithm, in and out of distribution side by side
    families  score of each family of algorithms, by regime
    heatmap   score of each algorithm at each length, one panel per model

    \b
    Example:
      clrs-text-bench plot curves --out figures/curves.png
    """
    from clrs_text_bench.errors import BadInput

    from .. import plots

    if by and figure != "curves":
        raise BadInput(f"--by is for curves; {figure} shows every algorithm or family as it is")
    if share and figure != "curves":
        raise BadInput(f"--effective-size is for curves; {figure} has no lines to mark it on")
    frame = reading.load(results, chosen)
    for path in plots.draw(figure, frame, score, out, by=by, share=share):
        click.echo(path)
