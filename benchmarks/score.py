"""Answers scored a second, beside a plain Python scorer, in one run on one core.

    python benchmarks/score.py [--length 8] [--answers 20000] [--hints] [--megabytes 10]

Answers are dm-clrs's own (32 distinct ones a task, repeated), scored as they are and damaged: cut
short, with characters replaced, wrapped in prose. The plain scorer is the tests' reference. Behind
the tasks stand one table of them all, and single completions of ten megabytes.
"""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
from rich.table import Table

from clrs_text_bench import registry, tasks, terminal
from clrs_text_bench.evaluators import score_answer
from clrs_text_bench.evaluators.clrs_text import EVALUATOR

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.evaluators import naive_scores

_DISTINCT = 32
_PLAIN_ANSWERS = 200
_NOISE = "[](){}|,. \nx-019*`$\\é"


def damaged(answer: str, stream: random.Random) -> str:
    place = stream.randrange(len(answer))
    kind = stream.randrange(4)
    if kind == 0:
        return answer[:place]
    if kind == 1:
        return f"The answer is **{answer.strip()}**.\n\nHope that helps!"
    return answer[:place] + stream.choice(_NOISE) + answer[place + (kind == 2) :]


def references(algorithm: str, length: int, hints: bool, count: int) -> pa.Table:
    engine = registry.load("generators", "dm-clrs")()
    distinct = engine.generate(
        algorithm,
        length,
        seed=0,
        split="test",
        indices=np.arange(_DISTINCT),
        use_hints=hints,
        graph_hints=False,
    )
    return distinct.take(np.arange(count) % _DISTINCT)


def predictions(truths: pa.Table, damage: bool) -> pa.Table:
    stream = random.Random(0)
    answers = truths["answer"].to_pylist()
    return pa.table({"prediction": [damaged(a, stream) if damage else a for a in answers]})


def seconds(call: Callable[[], object]) -> float:
    """Returns the better of two times."""
    times = []
    for _ in range(2):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def rate(given: pa.Table, truths: pa.Table, extraction: str) -> float:
    return len(given) / seconds(lambda: EVALUATOR.score(given, truths, extraction=extraction))


def plain_rate(given: pa.Table, truths: pa.Table) -> float:
    columns = ("algo_name", "length", "answer", "use_hints")
    truths = truths.slice(0, _PLAIN_ANSWERS)
    rows = zip(given["prediction"].to_pylist(), truths.select(columns).to_pylist(), strict=False)
    asked = [(r["algo_name"], r["length"], g, r["answer"], r["use_hints"]) for g, r in rows]
    return len(asked) / seconds(lambda: [naive_scores.score(*one) for one in asked])


def add_row(table: Table, name: str, truths: pa.Table) -> None:
    whole, broken = predictions(truths, damage=False), predictions(truths, damage=True)
    strict, strict_broken = rate(whole, truths, "strict"), rate(broken, truths, "strict")
    lenient = rate(broken, truths, "lenient")
    plain = plain_rate(broken, truths)
    size = truths["answer"].nbytes / len(truths)
    rates = (strict, strict_broken, lenient, plain)
    table.add_row(
        name, f"{size:.0f}", *(f"{r:,.0f}" for r in rates), f"{strict_broken / plain:,.0f}x"
    )


def huge(size: int) -> Table:
    """Times one completion of `size` bytes of several kinds, traced bfs at length 4."""
    table = Table(title=f"one completion of {size / 1e6:.0f} MB, seconds")
    for heading in ("it repeats", "strict", "lenient"):
        table.add_column(heading, justify="left" if heading == "it repeats" else "right")
    for unit in ("0", "[", "]", "1 ", "[0 0 1 3] ", "|", "<|endoftext", "\\", "the "):
        text = unit * (size // len(unit))
        times = [
            seconds(
                lambda text=text, mode=mode: score_answer(
                    "bfs", 4, text, "[0 0 1 2] | [0 0 1 2]", True, mode
                )
            )
            for mode in ("strict", "lenient")
        ]
        table.add_row(repr(unit), *(f"{t:.3f}" for t in times))
    return table


@click.command(help=__doc__.splitlines()[0])
@click.option("--length", default=8, show_default=True)
@click.option("--answers", default=20_000, show_default=True, help="answers per task")
@click.option("--hints", is_flag=True, help="with traces")
@click.option("--megabytes", default=10, show_default=True, help="size of the huge completions")
def main(length: int, answers: int, hints: bool, megabytes: int) -> None:
    pa.set_cpu_count(1)
    start = time.perf_counter()
    for extraction in ("strict", "lenient"):
        score_answer("bfs", 4, "[0 0 1 2]", "[0 0 1 2]", extraction=extraction)
    ready = time.perf_counter() - start
    table = Table(
        title=f"answers/s at length {length}, {'with' if hints else 'without'} traces, one core",
        caption=f"first answer after {ready:.1f} s (kernels compiled, or loaded from the cache)",
    )
    for heading in ("task", "bytes", "right", "damaged", "lenient", "plain Python", "ratio"):
        table.add_column(heading, justify="left" if heading == "task" else "right")
    everything = []
    for name in tasks.names():
        truths = references(name, length, hints, answers)
        everything.append(truths.slice(0, max(answers // 30, 1)))
        add_row(table, name, truths)
    table.add_section()
    mixed = pa.concat_tables(everything)
    order = np.random.default_rng(0).permutation(len(mixed))
    add_row(table, "all, shuffled", mixed.take(order))
    terminal.output().print(table)
    terminal.output().print(huge(megabytes * 1_000_000))


if __name__ == "__main__":
    main()
