"""The commands `evaluate`, `score`, `leaderboard` and `plot`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from clrs_text_bench.cli import options
from clrs_text_bench.cli.options import PATH

if TYPE_CHECKING:
    import pandas as pd

    from .evaluate import Evaluation

_RESULTS = "results"


def _options(*found: Callable) -> Callable:
    def decorate(command: Callable) -> Callable:
        for option in reversed(found):
            command = option(command)
        return command

    return decorate


_evaluator = click.option(
    "--evaluator", default="clrs-text", show_default=True, help="Which evaluator scores."
)
_name = click.option("--name", help="Name of the model in the leaderboard.")
_asked = _options(
    options.data,
    options.algorithms,
    options.lengths,
    click.option("--split", help="Split to answer.  [default: test, or the only one]"),
    click.option("--limit", type=int, help="Only the first so many samples of each cell."),
    options.extraction,
    _evaluator,
    _name,
)


def _effective_size(help_: str) -> Callable:
    return click.option(
        "--effective-size",
        "share",
        metavar="[SHARE]",
        is_flag=False,
        flag_value="0.5",
        type=click.FloatRange(min=0, max=1, min_open=True),
        help=f"{help_}: the largest length up to which this share (0.5 if left out) of the score "
        "at trained lengths is kept.",
    )


_read = _options(
    click.option(
        "--results", default=_RESULTS, show_default=True, type=PATH, help="Results folder."
    ),
    click.option(
        "--model", "models", multiple=True, help="Only this model or run; may be repeated."
    ),
    options.algorithms,
    options.lengths,
    click.option("--split", help="Only this split."),
    click.option("--score", default="clrs", show_default=True, help="Which score."),
)


@click.command()
@click.argument("model")
@_asked
@click.option(
    "--results",
    default=_RESULTS,
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
@click.option("--price", metavar="IN,OUT", help="Dollars for a million tokens, to say the cost.")
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

    from . import asking
    from . import price as prices

    asking.check_dry_run(dry_run, tokenizer)
    cost = prices.parse(price) if price else None
    if prompt:
        model = modelspec.with_option(model, "prompt", prompt)
    if dry_run:
        asking.show_preview(model, data, asked, tokenizer, cost)
        return
    found = _evaluate(model, data, asked, results=results, save_predictions=save_predictions)
    asking.show_account(found, cost)
    click.echo(f"added to {results}/leaderboard/{found.run}.parquet", err=True)
    if save_predictions:
        click.echo(f"answers are in {results}/predictions/{found.run}", err=True)


@click.command()
@click.argument("predictions", type=PATH)
@_asked
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

    from .rescoring import asked_before

    if out is not None and not out.endswith(".parquet"):
        raise BadInput(f"--out {out} must end in .parquet")
    if not any(asked[name] for name in ("algorithms", "lengths", "split", "limit")):
        asked |= asked_before(predictions, data)
    found = _evaluate(f"file:{predictions}", data, asked, results=results)
    if out is not None:
        _write_scores(found, out)
        click.echo(f"scores of each answer are in {out}", err=True)
    if results is not None:
        click.echo(f"added to {results}/leaderboard/{found.run}.parquet", err=True)


def _evaluate(model: str, data: str, asked: dict, **where) -> "Evaluation":
    from clrs_text_bench.lengths import parse

    from . import rendering, tables
    from .evaluate import evaluate as run
    from .leaderboard import frame_of, main_score

    chosen = asked.pop("lengths") or ()
    lengths = parse(chosen) if isinstance(chosen, str) else chosen
    try:
        found = run(model, data, lengths=lengths, show_progress=True, **asked, **where)
    except KeyboardInterrupt:
        if where.get("results"):
            click.echo("finished cells are kept; the same command goes on from there", err=True)
        raise
    frame = frame_of([found.rows])
    rendering.print_sheet(tables.of_run(frame, main_score(frame)))
    return found


def _write_scores(found: "Evaluation", out: str) -> None:
    from clrs_text_bench import parquet, storage

    data = parquet.to_bytes(found.scores)
    with storage.writing(out):
        storage.write_local(out, data)


@click.command()
@_read
@click.option(
    "--by",
    type=click.Choice(["algorithm", "family", "length", "regime"]),
    help="One row for each of these, one column per model.",
)
@click.option(
    "--sort",
    type=click.Choice(["score", "model"]),
    default="score",
    show_default=True,
    help="Order of the models: best first, or by name.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "csv", "md", "json"]),
    default="table",
    show_default=True,
    help="csv and json hold every score with its interval.",
)
@click.option(
    "--compare",
    nargs=2,
    metavar="A B",
    help="Compare two models or runs answer by answer: differences, intervals, p-values.",
)
@_effective_size("Show each algorithm's effective size")
def leaderboard(
    results: str,
    by: str | None,
    sort: str,
    format_: str,
    compare: tuple[str, str] | None,
    share: float | None,
    score: str,
    **chosen,
) -> None:
    """Show who scores what.

    Means are over answers, then lengths, then algorithms; --by shows one for each algorithm,
    family, length or regime. Missing answers, and failed ones, score 0.

    \b
    Examples:
      clrs-text-bench leaderboard --by regime
      clrs-text-bench leaderboard --by algorithm --score exact --format md
      clrs-text-bench leaderboard --compare majority transformer
      clrs-text-bench leaderboard --effective-size 0.9
    """
    from clrs_text_bench.errors import BadInput

    from . import rendering, tables

    if share and (by or compare):
        other = "--by" if by else "--compare"
        raise BadInput(
            f"--effective-size shows every algorithm and their median; leave {other} out"
        )
    if share:
        _effective_sizes(_load(results, chosen), share, score=score, sort=sort, format_=format_)
        return
    if compare:
        _compare(results, *compare, score=score, format_=format_, chosen=chosen)
        return
    frame = _load(results, chosen)
    if format_ in ("csv", "json"):
        rows = tables.full(frame, by, score, sort)
        as_text = rendering.as_csv(rows) if format_ == "csv" else _json_of(rows)
        click.echo(as_text)
        return
    sheet = tables.by_key(frame, by, score, sort) if by else tables.overall(frame, score, sort)
    _show(sheet, format_)


def _compare(results: str, a: str, b: str, *, score: str, format_: str, chosen: dict) -> None:
    from . import rendering, tables
    from .compare import compare_runs
    from .leaderboard import results_folder

    frame = _load(results, chosen)
    found, run_a, run_b = compare_runs(results_folder(results), frame, a, b, score)
    if format_ == "csv":
        click.echo(rendering.as_csv(tables.comparison_rows(found)))
    elif format_ == "json":
        click.echo(rendering.as_json(tables.comparison_json(found, run_a, run_b, score)))
    else:
        _show(tables.comparison(found, run_a, run_b, score), format_)


def _effective_sizes(
    frame: "pd.DataFrame", share: float, *, score: str, sort: str, format_: str
) -> None:
    from . import rendering, tables

    if format_ in ("csv", "json"):
        rows = tables.full_effective_sizes(frame, score, share, sort)
        click.echo(rendering.as_csv(rows) if format_ == "csv" else _json_of(rows))
    else:
        _show(tables.effective_sizes(frame, score, share, sort), format_)


def _json_of(rows: "pd.DataFrame") -> str:
    from . import rendering

    return rendering.as_json(rendering.records(rows))


def _show(sheet, format_: str) -> None:
    from . import rendering

    if format_ == "md":
        click.echo(rendering.markdown(sheet))
        rendering.print_notes(sheet)
    else:
        rendering.print_sheet(sheet)


def _load(results: str, chosen: dict) -> "pd.DataFrame":
    from clrs_text_bench.lengths import parse

    from . import leaderboard as board

    return board.select(
        board.read(board.results_folder(results)),
        models=chosen["models"],
        algorithms=chosen["algorithms"],
        lengths=parse(chosen["lengths"]) if chosen["lengths"] else (),
        splits=(chosen["split"],) if chosen["split"] else (),
    )


@click.command()
@click.argument("figure", type=click.Choice(["curves", "bars", "families", "heatmap"]))
@_read
@click.option(
    "--by",
    type=click.Choice(["algorithm", "family"]),
    help="curves: one panel for each, instead of one mean.",
)
@_effective_size("curves: ring each line's effective size")
@click.option(
    "--out",
    required=True,
    type=PATH,
    help=".png or .svg file; both are written into a folder, or if there is no suffix.",
)
def plot(
    figure: str,
    results: str,
    score: str,
    by: str | None,
    share: float | None,
    out: str,
    **chosen,
) -> None:
    """Draw a FIGURE of the leaderboard.

    \b
    curves    score against length: who generalises to sizes that it was not trained on
    bars      score of each algorithm, in and out of distribution side by side
    families  score of each family of algorithms, by regime
    heatmap   score of each algorithm at each length, one panel per model

    \b
    Example:
      clrs-text-bench plot curves --out figures/curves.png
    """
    from clrs_text_bench.errors import BadInput

    from . import plots

    if by and figure != "curves":
        raise BadInput(f"--by is for curves; {figure} shows every algorithm or family as it is")
    if share and figure != "curves":
        raise BadInput(f"--effective-size is for curves; {figure} has no lines to mark it on")
    frame = _load(results, chosen)
    for path in plots.draw(figure, frame, score, out, by=by, share=share):
        click.echo(path)
