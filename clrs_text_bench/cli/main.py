"""The `clrs-text-bench` command: a lazy group over the registered commands."""

import sys
from typing import Any

import click

from clrs_text_bench import registry
from clrs_text_bench.errors import BadInput, RunFailed, did_you_mean

# In the order of the work; a plug-in's own commands follow.
_ORDER = ("quickstart", "list", "generate", "show", "verify", "train", "evaluate", "score")
_INTERRUPTED = 130


class _Commands(click.Group):
    """Finds commands by entry point, and imports one only when it is run or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        known = registry.names("commands")
        return sorted(known, key=lambda n: (_ORDER.index(n) if n in _ORDER else len(_ORDER), n))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in registry.names("commands"):
            return None
        return registry.load("commands", name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        known = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in known:
            raise BadInput(f"unknown command {args[0]!r}{did_you_mean(args[0], known)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = []
        for name in self.list_commands(ctx):
            try:
                rows.append((name, self.get_command(ctx, name).get_short_help_str(70)))
            except BadInput as error:  # one broken plug-in must not take the help down
                rows.append((name, str(error)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from clrs_text_bench import __version__

        click.echo(f"clrs-text-bench {__version__}")
        ctx.exit()


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and exit.",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Generate CLRS-Text data, train and score models on it, and see who generalises.

    \b
    Example:
      clrs-text-bench quickstart
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line; bad input ends it with one sentence and exit code 2."""
    try:
        code = cli.main(arguments, standalone_mode=False)
    except BadInput as error:
        code = _fail(str(error), 2)
    except RunFailed as error:
        code = _fail(str(error), 1)
    except click.exceptions.NoArgsIsHelpError as error:  # a group without a command
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        code = _fail(error.format_message(), 2)
    except (click.Abort, KeyboardInterrupt):
        code = _fail("interrupted", _INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(sentence: str, code: int) -> int:
    click.echo(f"clrs-text-bench: {' '.join(sentence.split())}", err=True)
    return code
