"""The command `score`."""

from typing import TYPE_CHECKING

import click

from clrs_text_bench.cli.options import PATH

from . import options, running

if TYPE_CHECKING:
    from ..evaluate import Evaluation


@click.command()
@click.argument("predictions", type=PATH)
@options.asked
@click.option("--out", type=PATH, help="Parquet file to write the scores of each answer to.")
@click.option("--results", type=PATH, help="Results folder to add to, if any.")
def score(predictions: str, data: str, out: str | None, results: str | None, **asked) -> None:
    """Score a file of PREDICTIONS, whoever wrote it.

    The file is Parquet, JSON lines (.jsonl) or CSV, with the columns split, algo_name, length,
    seed, index and prediction. Samples of the split that it leaves out are missing answers, which
    score 0; choose a part with -a and -l. What evaluate or import-results saved is scored on what
    was asked then, unless you choose.

    \b
    Examples:
      clrs-text-bench score answers.jsonl --data data/transnar-cpu --out scores.parquet
      clrs-text-bench score results/predictions/RUN --data data/transnar-cpu \\
        --extraction lenient --results results
    """
    from clrs_text_bench.errors import BadInput

    from ..rescoring import asked_before

    if out is not None and not out.endswith(".parquet"):
        raise BadInput(f"--out {out} must end in .parquet")
    if not any(asked[name] for name in ("algorithms", "lengths", "split", "limit")):
        asked |= asked_before(predictions, data)
    found = running.run(f"file:{predictions}", data, asked, results=results)
    if out is not None:
        _write_scores(found, out)
        click.echo(f"scores of each answer are in {out}", err=True)
    if results is not None:
        click.echo(f"added to {results}/leaderboard/{found.run}.parquet", err=True)


def _write_scores(found: "Evaluation", out: str) -> None:
    from clrs_text_bench import parquet, storage

    data = parquet.to_bytes(found.scores)
    with storage.writing(out):
        storage.write_local(out, data)
