"""The command `import-results`."""

import click

from clrs_text_bench.cli import options
from clrs_text_bench.cli.options import PATH

_MOST_SHOWN = 5


@click.command("import-results")
@click.argument("files", nargs=-1, required=True, type=PATH, metavar="FILE...")
@options.data
@click.option("--out", type=PATH, help="Predictions file.  [default: FILE.predictions.parquet]")
@click.option("--split", help="Where questions are looked for.  [default: test, or the only one]")
@click.option("--name", help="What to call the model, if the log does not say.")
def import_results(
    files: tuple[str, ...], data: str, out: str | None, split: str | None, name: str | None
) -> None:
    """Turn other harnesses' logs of one model into a predictions file.

    FILE is a sample log of lm-evaluation-harness (samples_*.jsonl), a log of Inspect (.eval or
    .json), or JSON lines with "prediction" and either "question" or split, algo_name, length, seed
    and index. Answers are joined to samples by these five where the log has them, else by the exact
    question.

    \b
    Examples:
      clrs-text-bench import-results out/*/samples_*.jsonl --data data/mine --out answers.parquet
      clrs-text-bench score answers.parquet --data data/mine --extraction lenient
    """
    from clrs_text_bench.predictions import described

    from .importing import import_results as run

    out = out or f"{files[0]}.predictions.parquet"
    joined = run(files, data, out, split=split, name=name, show_progress=True)
    _say(f"{len(joined.answers):,} answers are in {out}", [])
    _say(_count(joined.unknown, "answers are to no sample of the data set"), joined.unknown)
    _say(
        _count(joined.contradicted, "answers differ from an earlier one to the same sample"),
        joined.contradicted,
    )
    _say(_count(joined.repeated, "answers repeat an earlier one"), joined.repeated)
    _say(
        _count(joined.missing, "samples of the same algorithms and lengths have no answer"),
        [described(sample) for sample in joined.missing],
    )


def _count(found: list, what: str) -> str:
    return f"{len(found):,} {what}" if found else ""


def _say(sentence: str, named: list[str]) -> None:
    """Says a sentence, if there is one, and the first of what it is about."""
    from ..rendering import clean

    if not sentence:
        return
    click.echo(sentence + (":" if named else ""))
    for one in named[:_MOST_SHOWN]:
        click.echo(f"  {clean(one)}")
    if len(named) > _MOST_SHOWN:
        click.echo(f"  and {len(named) - _MOST_SHOWN:,} more")
