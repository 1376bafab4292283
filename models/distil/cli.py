"""The command `distil`."""

import shlex

import click

_INTERRUPTED = 130


@click.command()
@click.argument("teacher")
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
@click.pass_context
def distil(
    ctx: click.Context,
    teacher: str,
    config: str,
    overrides: tuple[str, ...],
    data: str | None,
    out: str,
    resume: bool,
    overwrite: bool,
    trackers: tuple[str, ...],
) -> None:
    """Train a Transformer on what TEACHER, a model spec, answers to the questions of --data.

    CONFIG is one of a Transformer; its table [distil] says what is learnt: the teacher's answers
    (distil.targets=sequences, of any model), its distributions over tokens (distributions, of
    transformer:RUN and transnar:RUN), or both. The run answers without its teacher, as
    transformer:RUN. The same student trained on the truth: clrs-text-bench train CONFIG.

    Ctrl-C saves and stops; --resume goes on to exactly the model that an unbroken run gives, and
    asks no question twice.

    \b
    Examples:
      clrs-text-bench distil transnar:runs/a distil-cpu --data transnar-cpu --out runs/student
      clrs-text-bench distil solver cpu --data my_recipe.toml --out runs/of-solver
      clrs-text-bench distil transformer:runs/big small.toml distil.targets=both \\
        distil.temperature=2.0 --data data/graphs --out runs/small
    """
    from clrs_text_bench import terminal

    from ..training import config as configs
    from ..training import run
    from .teacher import load

    chosen = configs.load(config, overrides)
    finished = run.train(
        chosen,
        data,
        out,
        resume=resume,
        overwrite=overwrite,
        teacher=load(teacher),
        trackers=trackers,
    )
    said = _following(finished, teacher, config, overrides, out)
    terminal.log().print(said, soft_wrap=True)
    if not finished:
        ctx.exit(_INTERRUPTED)


def _following(
    finished: bool, teacher: str, config: str, overrides: tuple[str, ...], out: str
) -> str:
    """Says what can be done next."""
    if finished:
        return f"distilled; next: clrs-text-bench evaluate transformer:{out} --data DATASET"
    command = shlex.join([teacher, config, *overrides, "--out", out, "--resume"])
    return f"stopped and saved; go on with clrs-text-bench distil {command}"
