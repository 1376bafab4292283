"""`quickstart`: the whole story, small, through the same commands that a user would type."""

import click


@click.command()
@click.option(
    "--out",
    default="clrs-text-bench-quickstart",
    show_default=True,
    type=click.Path(path_type=str),
    help="Folder for everything it makes.",
)
def quickstart(out: str) -> None:
    """Generate, train, evaluate, rank and plot, in minutes on a CPU.

    Makes a small data set, trains a small Transformer on it, scores it beside the true algorithms
    and a trivial floor at lengths it was trained on and at others, and draws who generalises. Cut
    off, it goes on where it was.

    \b
    Example:
      clrs-text-bench quickstart --out quickstart
    """
    from clrs_text_bench import terminal

    log = terminal.log()
    for title, arguments in _steps(out):
        log.print(f"\n[bold]{title}[/bold]" if title else "")
        log.print(f"  clrs-text-bench {' '.join(arguments)}")
        _run(arguments)
    terminal.output().print(_farewell(out), markup=False)


def _steps(out: str) -> list[tuple[str, list[str]]]:
    data, run, results = f"{out}/data", f"{out}/run", f"{out}/results"
    evaluated = ["--data", data, "--results", results]
    return [
        (
            "1. Samples: text with matched graphs",
            ["generate", "quickstart", "--dedupe", "--resume", "--out", data],
        ),
        (
            "2. A small Transformer",
            ["train", "quickstart", "--data", data, "--out", run, "--resume"],
        ),
        ("3. Its answers", ["evaluate", f"transformer:{run}", *evaluated]),
        ("   the true algorithms'", ["evaluate", "solver", *evaluated]),
        ("   the most common training answer", ["evaluate", "majority", *evaluated]),
        (
            "4. Who generalises",
            ["plot", "curves", "--results", results, "--out", f"{out}/figures/curves"],
        ),
        ("", ["plot", "heatmap", "--results", results, "--out", f"{out}/figures/heatmap"]),
        ("", ["plot", "bars", "--results", results, "--out", f"{out}/figures/bars"]),
        ("5. The leaderboard", ["leaderboard", "--by", "length", "--results", results]),
        ("", ["leaderboard", "--by", "regime", "--results", results]),
    ]


def _run(arguments: list[str]) -> None:
    from clrs_text_bench.cli.main import cli

    cli.main(arguments, standalone_mode=False)


def _farewell(out: str) -> str:
    return f"""
Look at {out}/figures/curves.png, then try:
  clrs-text-bench leaderboard --results {out}/results --by algorithm
  clrs-text-bench show {out}/data -n 1
  clrs-text-bench train quickstart model.positions.kind=randomised --data {out}/data \\
      --out {out}/randomised
"""
