"""Options that several commands have, in the same words."""

import click

PATH = click.Path(path_type=str)

data = click.option("--data", required=True, type=PATH, help="Data set: a folder or fsspec URL.")
algorithms = click.option(
    "-a", "--algorithm", "algorithms", multiple=True, help="Only this algorithm; may be repeated."
)
lengths = click.option("-l", "--lengths", help="Only these lengths, such as 10,12,14 or 4-8.")
extraction = click.option(
    "--extraction",
    type=click.Choice(["strict", "lenient"]),
    default="strict",
    show_default=True,
    help="strict: the completion as it is. lenient: the last well-formed answer in it.",
)
