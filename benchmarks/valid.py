"""Validity: answers judged a second, and samples with several valid answers, on one core.

    python benchmarks/valid.py [--length 8] [--answers 20000] [--samples 1000] [--orders 10]

The rates are of the evaluator, text and all, on right answers, per second of processor time; beside
it, those of `clrs-text`, whose `exact` it takes along. A sample is counted if another valid answer
is found: of tables and trees, one that differs in one element; of selections and pairs of nodes,
any; of other tasks, what the algorithm answers to the sample's nodes in another order (all of which
must be valid). That is all samples that have one, or nearly so.
"""

import itertools
import sys
import time
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
from rich.table import Table

from clrs_text_bench import graph, progress, tasks, terminal, text
from clrs_text_bench.evaluators import clrs_text, valid
from clrs_text_bench.evaluators.validity import CHECKS
from clrs_text_bench.generators import generate_batch

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.evaluators import valid_samples

_ALL = ("activity_selector", "task_scheduling", "find_maximum_subarray_kadane")
_RENUMBERED = (
    "dfs",
    "topological_sort",
    "strongly_connected_components",
    "mst_kruskal",
    "mst_prim",
)


def rate(evaluator, truths: pa.Table) -> float:
    """Returns answers a second, the better of two times."""
    given, times = pa.table({"prediction": truths["answer"]}), []
    for _ in range(3):  # the first may compile
        start = time.process_time()
        evaluator.score(given, truths, extraction="strict")
        times.append(time.process_time() - start)
    return len(truths) / min(times[1:])


def others(row: dict, orders: int, rng: np.random.Generator) -> list[str]:
    """Returns answers to a row that may be valid, and are not the reference."""
    task = tasks.get(row["algo_name"])
    n = task.n_nodes(row["length"])
    if task.name in _RENUMBERED:
        inputs = valid_samples.inputs_of(row)
        runs = (
            valid_samples.renumbered(task.name, inputs, rng.permutation(n)) for _ in range(orders)
        )
        found = [text.answer(task, inputs, outputs) for outputs in runs]
        return [answer for answer in set(found) if answer != row["answer"]]
    return [
        valid_samples.spelt(task, valid_samples.parts_of(task, n, x))
        for x in elements(task, n, row)
    ]


def elements(task: tasks.Task, n: int, row: dict) -> list[list[int]]:
    """Returns other answers as flat lists: all, or those that differ in one element."""
    outputs = graph.unpack(task.name, row["length"], row["graph_outputs"], "output")
    true, most = [], []
    for probe in task.stage("output"):
        x = outputs[probe.name]
        if probe.type in ("mask_one", "categorical"):
            x = np.where(np.any(x == -1, axis=-1), -1, np.argmax(x, axis=-1))
        true += np.ravel(x).astype(int).tolist()
        most += [probe.n_classes or (2 if probe.type == "mask" else n)] * np.size(x)
    if task.name in _ALL:
        return [list(x) for x in itertools.product(*map(range, most)) if list(x) != true]
    return [
        [*true[:k], value, *true[k + 1 :]]
        for k in range(len(true))
        for value in range(most[k])
        if value != true[k]
    ]


def has_several(row: dict, orders: int, rng: np.random.Generator) -> bool:
    answers = others(row, orders, rng)
    if not answers:
        return False
    _, valid_ = valid_samples.score([row] * len(answers), answers)
    assert row["algo_name"] not in _RENUMBERED or valid_.all(), row["question"]
    return bool(valid_.any())


@click.command(help=__doc__.splitlines()[0])
@click.option("--length", default=8, show_default=True)
@click.option("--answers", default=20_000, show_default=True, help="answers per task, timed")
@click.option("--samples", default=1000, show_default=True, help="samples per task, searched")
@click.option("--orders", default=10, show_default=True, help="orders of the nodes per sample")
def main(length: int, answers: int, samples: int, orders: int) -> None:
    pa.set_cpu_count(1)
    table = Table(title=f"length {length}, one core")
    for heading in ("task", "valid, answers/s", "clrs-text, answers/s", "several valid"):
        table.add_column(heading, justify="left" if heading == "task" else "right")
    rng, names = np.random.default_rng(0), tasks.by_plugin()["clrs30"]
    with progress.bar("tasks", show=True) as bar:
        for name in bar.track(names):
            truths = generate_batch(name, length, count=answers)
            share = "-"
            if name in CHECKS:
                rows = truths.slice(0, samples).to_pylist()
                share = f"{np.mean([has_several(row, orders, rng) for row in rows]):.1%}"
            rates = (rate(e, truths) for e in (valid.EVALUATOR, clrs_text.EVALUATOR))
            table.add_row(name, *(f"{r:,.0f}" for r in rates), share)
    terminal.output().print(table)


if __name__ == "__main__":
    main()
