"""The command `evaluate`."""

import click

from clrs_text_bench.cli.options import PATH

from . import options, running
from .options import RESULTS


@click.command()
@click.argument("model")
@options.asked
@click.option(
    "--results",
    default=RESULTS,
    show_default=True,
    type=PATH,
    help="Results folder to add to.",
)
@click.option(
    "--save-predictions", is_flag=True, help="Keep the answers in RESULTS/predictions/RUN."
)
@click.option(
    "--prompt", help="How a model that is sent prompts is asked: plain, chat or few-shot:K."
)
@click.option(
    "--price", metavar="IN,OUT", help="Dollars for a million tokens, to say and keep the cost."
)
@click.option("--dry-run", is_flag=True, help="Show prompts and count tokens; ask nothing.")
@click.option("--tokenizer", metavar="FILE", help="tokenizer.json that --dry-run counts with.")
def evaluate(
    model: str,
    data: str,
    results: str,
    save_predictions: bool,
    prompt: str | None,
    price: str | None,
    dry_run: bool,
    tokenizer: str | None,
    **asked,
) -> None:
    """Let a MODEL answer a data set, and add its scores to the leaderboard.

    MODEL is a spec: solver, majority, transformer:RUN, openai:MODEL@URL, file:answers.jsonl, ... An
    evaluation that was cut off goes on where it was when the same command is given again.

    \b
    Examples:
      clrs-text-bench evaluate solver --data data/transnar-cpu
      clrs-text-bench evaluate transformer:runs/a --data data/transnar-cpu -l 10,12,14
      clrs-text-bench evaluate openai:my-model@http://localhost:8000/v1 --prompt chat \\
        --extraction lenient --data data/transnar-cpu --limit 20 --dry-run
    """
    from clrs_text_bench import modelspec

    from .. import asking
    from .. import price as prices

    asking.check_dry_run(dry_run, tokenizer)
    cost = prices.parse(price) if price else None
    if prompt:
        model = modelspec.with_option(model, "prompt", prompt)
    if dry_run:
        asking.show_preview(model, data, asked, tokenizer, cost)
        return
    kept = {"results": results, "save_predictions": save_predictions, "price": cost}
    found = running.run(model, data, asked, **kept)
    asking.show_account(found, cost)
    click.echo(f"added to {results}/leaderboard/{found.run}.parquet", err=True)
    if save_predictions:
        click.echo(f"answers are in {results}/predictions/{found.run}", err=True)
