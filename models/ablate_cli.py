"""The command `ablate`."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from .ablation.work import Planned

_PATH = click.Path(path_type=str)
_INTERRUPTED = 130


@click.command()
@click.argument("config")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--data", help="Data set to train and evaluate on: a folder or fsspec URL.")
@click.option("--out", type=_PATH, help="Folder for its runs, results and tables.")
@click.option(
    "--shard", default="1/1", metavar="I/N", help="Only every N-th run, from the I-th on."
)
@click.option(
    "--plan",
    is_flag=True,
    help="Only show the runs, with numbers of parameters; given --data and --out, how far each is.",
)
@click.pass_context
def ablate(
    ctx: click.Context,
    config: str,
    overrides: tuple[str, ...],
    data: str | None,
    out: str | None,
    shard: str,
    plan: bool,
) -> None:
    """Train, evaluate and compare a table of variants, as CONFIG says.

    CONFIG is a .toml file or a shipped name: transnar-smoke, transnar-controls, transnar-reading,
    transnar-reasoner, transnar-positions. KEY=VALUE sets keys of it, for all variants that have
    them or for one of them.

    Cut off at any moment, the same command goes on where it was. Started on several machines that
    share OUT, each makes its shard of the runs, and the last one compares all.

    \b
    Examples:
      clrs-text-bench ablate transnar-controls --plan
      clrs-text-bench ablate transnar-controls --data data/transnar-cpu --out ablations/controls
      clrs-text-bench ablate mine.toml train.steps=500 variants.b.train.steps=900 seeds=[0] \\
        --data data/mine --out ablations/mine --shard 1/2     # and on the other machine, 2/2
    """
    from clrs_text_bench import terminal
    from clrs_text_bench.errors import BadInput

    from .ablation import file as files
    from .ablation import work
    from .ablation.plan import Shard

    part, file = Shard.parse(shard), files.load(config, overrides)
    if plan:
        _show(work.planned(file, data, out, part))
        return
    if data is None or out is None:
        raise BadInput("ablate needs --data and --out, or --plan to show what it would do")
    if not work.ablate(file, data, out, part):
        terminal.log().print("stopped and saved; the same command goes on")
        ctx.exit(_INTERRUPTED)


def _show(runs: "list[Planned]") -> None:
    """Prints the runs of a plan."""
    from rich.markup import escape
    from rich.table import Table

    from clrs_text_bench import terminal

    counts = ("parameters", "trained", "steps", *(["done"] if runs[0].reached else []))
    table = Table("run", box=None, pad_edge=False, header_style="bold")
    for name in counts:
        table.add_column(name, justify="right")
    table.add_column("config")
    for run, size, reached in runs:
        numbers = [size.parameters, size.trained, run.config.train.steps]
        numbers += [reached.step] if reached else []
        source = " ".join([run.source, *run.overrides[2:]])  # but for the name and the seed
        table.add_row(run.name, *(f"{n:,}" for n in numbers), escape(source))
    terminal.output().print(table)
