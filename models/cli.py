"""The command `train`."""

import shlex

import click

_INTERRUPTED = 130


@click.command()
@click.argument("config")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--data", help="Folder or URL of a data set, or a recipe's name or .toml file.")
@click.option("--out", required=True, type=click.Path(path_type=str), help="Folder of the run.")
@click.option("--resume", is_flag=True, help="Go on with a run that was cut off.")
@click.option("--overwrite", is_flag=True, help="Replace a run that is there.")
@click.option(
    "--track",
    "trackers",
    multiple=True,
    metavar="NAME",
    help="Show losses and scores in tensorboard, wandb or mlflow, too; may be repeated.",
)
@click.option(
    "--coordinator",
    metavar="HOST:PORT",
    help='Where process 0 of several is; "auto": as the cluster says.',
)
@click.option("--processes", type=int, help="How many processes train together.")
@click.option("--process", type=int, help="Which of them this is, from 0.")
@click.option(
    "--connect-timeout",
    type=click.IntRange(min=1),
    default=300,
    show_default=True,
    help="Seconds to wait for the other processes.",
)
@click.pass_context
def train(
    ctx: click.Context,
    config: str,
    overrides: tuple[str, ...],
    data: str | None,
    out: str,
    resume: bool,
    overwrite: bool,
    trackers: tuple[str, ...],
    coordinator: str | None,
    processes: int | None,
    process: int | None,
    connect_timeout: int,
) -> None:
    """Train a model as CONFIG says (a shipped name or a .toml file).

    Ctrl-C saves and stops; --resume goes on to exactly the model that an unbroken run gives.

    \b
    Examples:
      clrs-text-bench train quickstart --data data/quickstart --out runs/quickstart
      clrs-text-bench train mine.toml train.seed=1 --data transnar-cpu --out runs/mine-1 \\
        --track tensorboard
      clrs-text-bench train mine.toml train.seed=1 --out runs/mine-1 --resume
      clrs-text-bench train mine.toml --data transnar --out /shared/runs/mine \\
        --coordinator 10.0.0.1:9876 --processes 2 --process 0     # and on the other host, 1
    """
    from clrs_text_bench import terminal

    from .training import config as configs
    from .training import distributed, run

    _check_plain(overrides)
    chosen = configs.load(config, overrides)
    with distributed.joined(coordinator, processes, process, connect_timeout):
        finished = run.train(
            chosen, data, out, resume=resume, overwrite=overwrite, trackers=trackers
        )
        if distributed.is_first():
            said = _following(finished, chosen.model.kind, config, overrides, out)
            terminal.log().print(said, soft_wrap=True)
    if not finished:
        ctx.exit(_INTERRUPTED)


def _check_plain(overrides: tuple[str, ...]) -> None:
    """Refuses what a run without a teacher would not read."""
    from clrs_text_bench.errors import BadInput

    for override in overrides:
        if override.startswith("distil."):
            raise BadInput(f"{override} is for clrs-text-bench distil; leave it out of train")


def _following(finished: bool, kind: str, config: str, overrides: tuple[str, ...], out: str) -> str:
    """Says what can be done next."""
    if finished:
        return f"trained; next: clrs-text-bench evaluate {kind}:{out} --data DATASET"
    command = shlex.join([config, *overrides, "--out", out, "--resume"])
    return f"stopped and saved; go on with clrs-text-bench train {command}"
