"""What `evaluate` says of models that are sent prompts: before they are asked, and after."""

import json

import click

from clrs_text_bench.errors import BadInput
from clrs_text_bench.lengths import parse

from . import account, prompt_tokens, rendering
from .evaluate import Evaluation
from .preview import preview, sheet
from .price import Price


def check_dry_run(dry_run: bool, tokenizer: str | None) -> None:
    """Raises `BadInput` if there is a tokeniser and nothing that it counts for."""
    if tokenizer and not dry_run:
        raise BadInput("--tokenizer counts for --dry-run; give both, or neither")


def show_preview(
    model: str, data: str, asked: dict, tokenizer: str | None, price: Price | None
) -> None:
    """Prints one prompt of each algorithm, and what all would come to."""
    cells = preview(
        model,
        data,
        lengths=parse(asked["lengths"]) if asked["lengths"] else (),
        count=prompt_tokens.counter(tokenizer),
        **{name: asked[name] for name in ("split", "algorithms", "limit")},
    )
    for cell in {c.cell.algorithm: c for c in reversed(cells)}.values():
        click.echo(f"--- {cell.cell.algorithm}, length {cell.cell.length}")
        click.echo(cell.example)
    rendering.print_sheet(sheet(cells, price, estimated=tokenizer is None))


def show_account(found: Evaluation, price: Price | None) -> None:
    """Says what it came to, to ask a model, and how chats are best read."""
    if found.account is None:
        return
    for sentence in account.sentences(found.account, price):
        click.echo(sentence, err=True)
    row = found.rows.slice(0, 1).to_pylist()[0]
    if json.loads(row["settings"])["prompt"] == "chat" and row["extraction"] == "strict":
        click.echo(
            "read strictly: the whole of a reply is its answer; --extraction lenient finds the "
            "answer in a chatty one",
            err=True,
        )
