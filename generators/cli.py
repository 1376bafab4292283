"""The commands `generate`, `show` and `verify`."""

import click

_FOLDER = click.Path(path_type=str)


@click.command()
@click.argument("recipe", required=False)
@click.option("-a", "--algorithm", "algorithms", multiple=True, help="Algorithm; may be repeated.")
@click.option("-l", "--lengths", help="Lengths, such as 4-8,12.")
@click.option("-n", "--count", type=int, help="Samples of each algorithm and length.")
@click.option("--split", default=None, help="Name of the split.  [default: train]")
@click.option("--seed", type=int, default=None, help="Seed.  [default: 0, or the recipe's own]")
@click.option("--hints", is_flag=True, help="Traced text: the algorithm's steps in the answer.")
@click.option(
    "--graph-hints/--no-graph-hints",
    default=None,
    help="Whether to fill the column graph_hints.  [default: as --hints]",
)
@click.option(
    "--engine", default=None, help="Engine that makes the samples.  [default: the tasks' own]"
)
@click.option(
    "--stream",
    type=click.Choice(["identity", "upstream"]),
    default=None,
    help="upstream: the very samples that dm-clrs's own generator gives for this seed.",
)
@click.option("--workers", type=int, default=None, help="Worker processes.  [default: all cores]")
@click.option(
    "--executor",
    default="local",
    show_default=True,
    help="local, or dask://HOST:PORT: the workers of the cluster with its scheduler there.",
)
@click.option(
    "--dedupe", is_flag=True, help="Leave out of other splits what is in train; draw on instead."
)
@click.option("--resume", is_flag=True, help="Go on with an unfinished data set.")
@click.option("--overwrite", is_flag=True, help="Replace a data set that is there.")
@click.option("--out", required=True, type=_FOLDER, help="Folder or fsspec URL of the data set.")
def generate(recipe: str | None, out: str, **options) -> None:
    """Make a data set from a RECIPE (a shipped name or a .toml file), or from -a, -l and -n.

    \b
    Examples:
      clrs-text-bench generate transnar-cpu --dedupe --out data/transnar-cpu
      clrs-text-bench generate -a bfs -a dfs -l 4-8,12 -n 1000 --out data/graphs
      clrs-text-bench generate transnar --executor dask://10.0.0.1:8786 --out s3://bucket/transnar
    """
    from .ordering import order_from

    order, n_workers = order_from(recipe, options)
    from clrs_text_bench import terminal

    from . import making, showing

    dataset = making.make(
        order,
        out,
        n_workers=n_workers,
        executor=options["executor"],
        resume=options["resume"],
        overwrite=options["overwrite"],
    )
    console = terminal.output()
    console.print(showing.header(dataset))
    for sentence in showing.shortfalls(dataset.manifest.overlap):
        console.print(f"[yellow]note:[/yellow] {sentence}")


@click.command()
@click.argument("dataset", type=_FOLDER)
@click.option("--split", help="Only this split.")
@click.option("-a", "--algorithm", "algorithms", multiple=True, help="Only this algorithm.")
@click.option("-l", "--lengths", help="Only these lengths, such as 4-8,12.")
@click.option("-n", "--samples", default=0, show_default=True, help="Samples to print of each.")
def show(
    dataset: str, split: str | None, algorithms: tuple[str, ...], lengths: str | None, samples: int
) -> None:
    """Show what a data set holds: counts, lengths of the text, repeated inputs, samples.

    Characters and tokens are of question and answer together, over the first 1,000 rows of each
    algorithm and length.

    \b
    Example:
      clrs-text-bench show data/graphs -a bfs -l 8 -n 2
    """
    from clrs_text_bench import datasets, terminal
    from clrs_text_bench.errors import BadInput, unknown
    from clrs_text_bench.lengths import parse

    from . import showing

    opened = datasets.open(dataset)
    if split is not None and split not in opened.splits():
        raise unknown(f"split of {dataset}", split, opened.splits())
    if samples < 0:
        raise BadInput(f"--samples {samples} is below 0")
    known = [c.algorithm for c in opened.cells(split)]
    for name in algorithms:
        if name not in known:
            raise unknown(f"algorithm of {dataset}", name, set(known))
    chosen = opened.cells(split, algorithms or None, parse(lengths) if lengths else None)
    if not chosen:
        raise BadInput(f"{dataset} has no samples of lengths {lengths}")
    console = terminal.output()
    console.print(showing.header(opened))
    console.print()
    console.print(showing.cells(opened, chosen))
    for sentence in showing.shortfalls(opened.manifest.overlap):
        console.print(f"[yellow]note:[/yellow] {sentence}")
    if samples:
        console.print()
        # Not wrapped: what is shown is what the file holds.
        console.print(showing.samples(opened, chosen, samples), soft_wrap=True)


@click.command()
@click.argument("dataset", type=_FOLDER)
@click.option("-n", "--rows", default=3, show_default=True, help="Rows of each cell to make again.")
def verify(dataset: str, rows: int) -> None:
    """Rehash a data set's files and make some of its rows again, unless they were imported.

    \b
    Example:
      clrs-text-bench verify data/graphs
    """
    from clrs_text_bench import datasets
    from clrs_text_bench.errors import BadInput

    from . import verifying

    if rows < 0:
        raise BadInput(f"--rows {rows} is below 0")
    opened = datasets.open(dataset)
    verdict = verifying.verify(opened, rows_per_cell=rows)
    for problem in verdict.problems:
        click.echo(problem, err=True)
    if verdict.problems:
        count = len(verdict.problems)
        noun = "problem" if count == 1 else "problems"
        raise BadInput(f"{dataset} is not what it should be: {count} {noun}")
    again = f"{verdict.rows} rows made again alike"
    if opened.manifest.recipe is None:
        again = "imported, so no rows can be made again"
    click.echo(f"{dataset}: {verdict.files} files whole, {again}")
