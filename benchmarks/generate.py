"""Samples a second of an engine beside raw dm-clrs, in one run on one machine.

    python benchmarks/generate.py [--engine native] [--lengths 8,16] [--seconds 0.5] [--hints]

Raw dm-clrs is its sampler and its formatter in a loop, in one process. The engine also packs the
graph and builds the Arrow table, as a data set needs them. With two workers, both run at once and
their rates are added. MB/s counts the bytes of question and answer.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click
import numpy as np
from rich.table import Table

from clrs_text_bench import lengths, registry, tasks, terminal
from clrs_text_bench.generators import upstream, workers

# Traced samples can be large; and a slow engine should not overrun its time by much.
_MOST = 2000


@dataclass(frozen=True)
class Rate:
    samples: float
    megabytes: float

    def __add__(self, other: "Rate") -> "Rate":
        return Rate(self.samples + other.samples, self.megabytes + other.megabytes)


def _timed(batches: Iterator[tuple[int, int]], seconds: float) -> Rate:
    """Draws (samples, bytes) until the time is over, after a first batch that warms up."""
    next(batches)
    start = time.perf_counter()
    samples = size = 0
    while (elapsed := time.perf_counter() - start) < seconds:
        made, bytes_ = next(batches)
        samples, size = samples + made, size + bytes_
    return Rate(samples / elapsed, size / elapsed / 1e6)


def raw(algorithm: str, length: int, hints: bool, seconds: float, report: Callable) -> Rate:
    sampler = upstream.sampler(algorithm, length)

    def batches() -> Iterator[tuple[int, int]]:
        while True:
            sample = upstream.draw(sampler, None)
            yield 1, sum(map(len, upstream.text(algorithm, sample, hints)))

    return _timed(batches(), seconds)


def ours(
    engine: str, algorithm: str, length: int, hints: bool, seconds: float, report: Callable
) -> Rate:
    made = registry.load("generators", engine)()
    size = min(made.batch, _MOST if made.batch > 1000 else 16)

    def batches() -> Iterator[tuple[int, int]]:
        start = 0
        while True:
            table = made.generate(
                algorithm,
                length,
                seed=0,
                split="train",
                indices=np.arange(start, start + size),
                use_hints=hints,
                graph_hints=hints,
            )
            start += size
            yield size, table["question"].nbytes + table["answer"].nbytes

    return _timed(batches(), seconds)


def _run(calls: list[tuple[Callable, tuple]], n_workers: int) -> list[Rate]:
    with workers.Pool(n_workers) as pool:
        found = {
            event.place: event.result
            for event in pool.run(calls, [str(arguments) for _, arguments in calls])
            if isinstance(event, workers.Done)
        }
    return [found[place] for place in range(len(calls))]


@click.command()
@click.option("--engine", default="native", show_default=True)
@click.option("--lengths", "chosen", default="8,16", show_default=True)
@click.option("--seconds", default=0.5, show_default=True, help="For each measurement.")
@click.option("--hints", is_flag=True)
def main(engine: str, chosen: str, seconds: float, hints: bool) -> None:
    cells = [(name, length) for name in tasks.names() for length in lengths.parse(chosen)]
    upstreams = _run([(raw, (*cell, hints, seconds)) for cell in cells], 1)
    singles = _run([(ours, (engine, *cell, hints, seconds)) for cell in cells], 1)
    doubled = [cell for cell in cells for _ in range(2)]
    halves = _run([(ours, (engine, *cell, hints, seconds)) for cell in doubled], 2)
    doubles = [a + b for a, b in zip(halves[::2], halves[1::2], strict=True)]

    table = Table(
        "algorithm",
        "length",
        "dm-clrs /s",
        f"{engine} /s",
        "MB/s",
        "ratio",
        "2 workers /s",
        "ratio",
    )
    rows = zip(cells, upstreams, singles, doubles, strict=True)
    for (name, length), peer, single, double in rows:
        table.add_row(
            name,
            str(length),
            f"{peer.samples:,.0f}",
            f"{single.samples:,.0f}",
            f"{single.megabytes:.2f}",
            f"{single.samples / peer.samples:.2f}",
            f"{double.samples:,.0f}",
            f"{double.samples / single.samples:.2f}",
        )
    terminal.output().print(table)
    pairs = list(zip(upstreams, singles, doubles, strict=True))
    print(
        f"geometric mean, {engine} / dm-clrs: {_mean([s.samples / p.samples for p, s, _ in pairs])}"
    )
    print(f"geometric mean, 2 workers / 1: {_mean([d.samples / s.samples for _, s, d in pairs])}")


def _mean(ratios: list[float]) -> str:
    return f"{np.exp(np.mean(np.log(ratios))):.3f}"


if __name__ == "__main__":
    main()
