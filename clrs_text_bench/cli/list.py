"""`list`: what there is, and where each comes from."""

import click


@click.command("list")
@click.argument("what", type=click.Choice(["algorithms", "recipes", "models", "evaluators"]))
def list_(what: str) -> None:
    """List algorithms, recipes, models or evaluators, with where each comes from.

    \b
    Example:
      clrs-text-bench list algorithms
    """
    from rich.markup import escape
    from rich.table import Table

    from clrs_text_bench import terminal

    columns, rows = _ROWS[what]()
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    terminal.output().print(table)


def _algorithms() -> tuple[list[str], list[tuple]]:
    from clrs_text_bench import tasks

    rows = [
        (t.name, t.family, t.min_length, ", ".join(t.trace) or "-", t.ties)
        for t in tasks.catalogue().values()
    ]
    for problem in tasks.problems():
        click.echo(problem, err=True)
    return ["algorithm", "family", "from length", "trace", "how ties are broken"], rows


def _recipes() -> tuple[list[str], list[tuple]]:
    from clrs_text_bench import recipes

    rows = []
    for name in recipes.shipped():
        recipe = recipes.load(name)
        cells = recipe.cells()
        splits = ", ".join(dict.fromkeys(c.split for c in cells))
        count = f"{sum(c.count for c in cells):,}"
        rows.append((name, len({c.algorithm for c in cells}), count, splits, recipe.description))
    return ["recipe", "algorithms", "samples", "splits", "what it is"], rows


def _plugins(group: str) -> tuple[list[str], list[tuple]]:
    from clrs_text_bench import registry
    from clrs_text_bench.errors import BadInput

    rows = []
    for plugin in registry.plugins(group):
        try:
            summary = (registry.load(group, plugin.name).__doc__ or "").strip().split("\n")[0]
        except BadInput as error:
            summary = str(error)
        rows.append((plugin.name, plugin.distribution, plugin.target, summary))
    return [group.removesuffix("s"), "from", "target", "what it is"], rows


_ROWS = {
    "algorithms": _algorithms,
    "recipes": _recipes,
    "models": lambda: _plugins("models"),
    "evaluators": lambda: _plugins("evaluators"),
}
