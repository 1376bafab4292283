"""Completions scored a second, up to a million fuzzed ones, on one core.

    python benchmarks/fuzz.py [--most 1000000] [--seed 0]

Completions of all thirty tasks, plain and traced, damaged as `tests/evaluators/fuzz.py` says; an
eighth of them is scored, a quarter, a half and all. Growth is what twice the completions take in
place of these, in processor time: 2 is linear. All of what the tests assert of the scores is
asserted here, too, outside the times.
"""

import sys
import time
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
from rich.table import Table

from clrs_text_bench import progress, terminal

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.evaluators import fuzz, fuzz_scoring

_PARTS = (8, 4, 2, 1)


def seconds(evaluator: str, given: pa.Table, references: pa.Table, extraction: str) -> float:
    judge = fuzz_scoring.EVALUATORS[evaluator]
    start = time.process_time()
    judge.score(given, references, extraction=extraction)
    return time.process_time() - start


def check(given: pa.Table, references: pa.Table, extraction: str) -> pa.Table:
    """Asserts what must hold of both evaluators' scores; returns those of clrs-text."""
    scores = fuzz_scoring.scored("clrs-text", given, references, extraction)
    fuzz_scoring.check_clrs_text(scores, references)
    validity = fuzz_scoring.scored("valid", given, references, extraction)
    fuzz_scoring.check_valid(validity, np.asarray(scores["exact"]))
    return scores


@click.command(help=__doc__.splitlines()[0])
@click.option("--most", default=1_000_000, show_default=True, help="completions")
@click.option("--seed", default=0, show_default=True)
def main(most: int, seed: int) -> None:
    pa.set_cpu_count(1)
    start = time.perf_counter()
    references = fuzz.references(most, seed)
    given = fuzz.completions(references, seed)
    sizes = given["prediction"].nbytes / most
    table = Table(
        title=f"{most:,} completions of {sizes:.0f} bytes, seed {seed}, one core",
        caption=f"made in {time.perf_counter() - start:.0f} s",
    )
    for heading in ("evaluator", "extraction", "completions", "a second", "growth"):
        table.add_column(heading, justify="right" if len(table.columns) > 1 else "left")
    settings = [(e, x) for e in fuzz_scoring.EVALUATORS for x in fuzz_scoring.EXTRACTIONS]
    for evaluator, extraction in settings:  # compiled kernels are loaded, or made
        seconds(evaluator, given.slice(0, 20_000), references.slice(0, 20_000), extraction)
    with progress.bar("tables", show=True) as bar:
        for evaluator, extraction in bar.track(settings):
            before = None
            for part in _PARTS:
                rows = most // part
                parts = given.slice(0, rows), references.slice(0, rows)
                took = seconds(evaluator, *parts, extraction)
                growth = f"{took / before:.2f}" if before else ""
                table.add_row(evaluator, extraction, f"{rows:,}", f"{rows / took:,.0f}", growth)
                before = took
            table.add_section()
    terminal.output().print(table)
    for extraction in fuzz_scoring.EXTRACTIONS:
        scores = check(given, references, extraction)
        means = ", ".join(
            f"{n} {np.mean(scores[n]):.3f}" for n in ("shape", "parse", "clrs", "exact")
        )
        terminal.output().print(f"{extraction}: every score is as it must be; means: {means}")


if __name__ == "__main__":
    main()
