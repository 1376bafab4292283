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
@click.pass_context
def train(
    ctx: click.Context,
    config: str,
    overrides: tuple[str, ...],
    data: str | None,
    out: str,
    resume: bool,
    overwrite: bool,
) -> None:
    """Train a model as CONFIG says (a shipped name or a .toml file).

    Ctrl-C saves and stops; --resume goes on to exactly the model that an unbroken run gives.

    \b
    Examples:
      clrs-text-bench train quickstart --data data/quickstart --out runs/quickstart
      clrs-text-bench train mine.toml train.seed=1 --data transnar-cpu --out runs/mine-1
      clrs-text-bench train mine.toml train.seed=1 --out runs/mine-1 --resume
    """
    from clrs_text_bench import terminal

    from .training import config as configs
    from .training import run

    chosen = configs.load(config, overrides)
    finished = run.train(chosen, data, out, resume=resume, overwrite=overwrite)
    log = terminal.log()
    if finished:
        following = f"clrs-text-bench evaluate transformer:{out} --data DATASET"
        log.print(f"trained; next: {following}", soft_wrap=True)
        return
    command = [config, *overrides, "--out", out, "--resume"]
    log.print(
        f"stopped and saved; go on with clrs-text-bench train {shlex.join(command)}", soft_wrap=True
    )
    ctx.exit(_INTERRUPTED)
