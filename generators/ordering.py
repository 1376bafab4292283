"""From a command line's choices to an order."""

import os
import shlex
from typing import Any

from clrs_text_bench import engines, lengths, recipes, validation
from clrs_text_bench.errors import BadInput
from clrs_text_bench.recipes import Recipe

from .making import LOCAL, Order


def order_from(name: str | None, options: dict[str, Any]) -> tuple[Order, int]:
    """Returns what the options of `generate` ask for, and the number of workers."""
    n_workers = options["workers"]
    if n_workers is not None and options["executor"] != LOCAL:
        raise BadInput("--workers is for --executor local; a cluster has those that were started")
    if n_workers is None:
        n_workers = os.cpu_count() or 1
    if n_workers < 1:
        raise BadInput(f"--workers {n_workers} is below 1")
    chosen = _from_options(options) if name is None else _from_recipe(name, options)
    # Only dm-clrs has upstream's own stream.
    upstream = "dm-clrs" if chosen.stream == "upstream" else None
    own = engines.name_of(cell.algorithm for cell in chosen.cells())
    engine = options["engine"] or upstream or own
    order = Order(chosen, engine, options["dedupe"], _command(name, options, engine))
    return order, n_workers


def _from_options(options: dict[str, Any]) -> Recipe:
    missing = [
        flag
        for flag, key in (("-a", "algorithms"), ("-l", "lengths"), ("-n", "count"))
        if options[key] in (None, ())
    ]
    if missing:
        raise BadInput(f"name a recipe, or give {', '.join(missing)} too")
    recipe = recipes.ad_hoc(
        options["algorithms"],
        lengths.parse(options["lengths"]),
        options["count"],
        split=options["split"] or "train",
        seed=options["seed"] or 0,
    )
    return _with_flags(recipe, options)


def _from_recipe(name: str, options: dict[str, Any]) -> Recipe:
    recipe = recipes.load(name)
    given = [
        flag
        for flag, key in (
            ("-a", "algorithms"),
            ("-l", "lengths"),
            ("-n", "count"),
            ("--split", "split"),
        )
        if options[key] not in (None, ())
    ]
    if given:
        raise BadInput(f"recipe {name} settles {', '.join(given)}; write a recipe of your own")
    return _with_flags(recipe, options)


def _with_flags(recipe: Recipe, options: dict[str, Any]) -> Recipe:
    values = recipe.model_dump(mode="json")
    if options["hints"]:
        values["hints"] = True
    for flag in ("graph_hints", "stream"):
        if options[flag] is not None:
            values[flag] = options[flag]
    if options["seed"] is not None:
        for split in values["splits"]:
            split["seeds"] = [options["seed"]]
    return validation.build(Recipe, values, "command line")


def _command(name: str | None, options: dict[str, Any], engine: str) -> str:
    """Writes the command again with only what the samples depend on."""
    words = ["clrs-text-bench", "generate"]
    if name is not None:
        words.append(name)
    for algorithm in options["algorithms"]:
        words += ["-a", algorithm]
    for flag in ("lengths", "count", "split", "seed"):
        if options[flag] is not None:
            words += [f"--{flag}", str(options[flag])]
    words += ["--hints"] if options["hints"] else []
    if options["graph_hints"] is not None:
        words.append("--graph-hints" if options["graph_hints"] else "--no-graph-hints")
    if options["stream"] is not None:
        words += ["--stream", options["stream"]]
    words += ["--engine", engine]
    words += ["--dedupe"] if options["dedupe"] else []
    return shlex.join(words)
