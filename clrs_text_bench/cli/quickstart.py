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

    Makes a small data set; trains a small Transformer on it, a neural algorithmic reasoner (NAR)
    and a TransNAR, the same Transformer reading that reasoner's latents; scores the three beside
    the true algorithms and a trivial floor at lengths that they were trained on and at others; and
    draws who generalises. Cut off, it goes on where it was.

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
    data, results = f"{out}/data", f"{out}/results"
    nar, transformer, transnar = (f"{out}/{kind}" for kind in ("nar", "transformer", "transnar"))
    trained = ["--data", data, "--resume", "--out"]
    evaluated = ["--data", data, "--results", results]
    return [
        (
            "1. Samples: text with matched graphs",
            ["generate", "quickstart", "--dedupe", "--resume", "--out", data],
        ),
        (
            "2. A neural algorithmic reasoner, which reads the graphs",
            ["train", "quickstart-nar", "--data", "quickstart", "--resume", "--out", nar],
        ),
        (
            "3. A small Transformer, which reads the text",
            ["train", "quickstart", *trained, transformer],
        ),
        (
            "4. A TransNAR: that Transformer, reading the reasoner's latents too",
            ["train", "quickstart-transnar", f"model.nar.run={nar}", *trained, transnar],
        ),
        ("5. Their answers", ["evaluate", f"nar:{nar}", *evaluated]),
        ("", ["evaluate", f"transformer:{transformer}", *evaluated]),
        ("", ["evaluate", f"transnar:{transnar}", *evaluated]),
        ("   the true algorithms'", ["evaluate", "solver", *evaluated]),
        ("   the most common training answer", ["evaluate", "majority", *evaluated]),
        (
            "6. Who generalises",
            ["plot", "curves", "--results", results, "--out", f"{out}/figures/curves"],
        ),
        ("", ["plot", "heatmap", "--results", results, "--out", f"{out}/figures/heatmap"]),
        ("", ["plot", "bars", "--results", results, "--out", f"{out}/figures/bars"]),
        ("7. The leaderboard", ["leaderboard", "--by", "length", "--results", results]),
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
