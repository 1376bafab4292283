"""Rows that a feed makes ready, by how many processes read them.

    python benchmarks/feed.py cpu-index-hints [KEY=VALUE]... [--readers 0,1,2,4,8] [--blocks 6]

Batches are made and thrown away, from the second block on, after each number of readers has read a
first one. A TransNAR's latents are computed on the way, on whatever device there is, unless
model.nar.computed=step leaves them to the training step.
"""

import time

import click
from rich.table import Table

from clrs_text_bench import terminal
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import source
from clrs_text_bench.models.training.config import TrainingConfig
from clrs_text_bench.models.training.feed import Feed
from clrs_text_bench.models.training.trainable import Trainable, build


def rate(
    config: TrainingConfig, trainable: Trainable, found: source.Source, readers: int, blocks: int
) -> float:
    """Returns rows a second."""
    size = config.train.batch_size
    feed = Feed(found.blocks, trainable, found.held_out(), size, 0, readers=readers)
    batches = iter(feed)
    began, rows = 0.0, 0
    while batches.get_state()["block"] < blocks:
        next(batches)
        if batches.get_state()["block"]:
            rows += size
        else:
            began = time.perf_counter()
    took = time.perf_counter() - began
    batches.close()
    return rows / took


@click.command()
@click.argument("name", metavar="CONFIG")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--data", default="transnar-cpu", show_default=True)
@click.option("--readers", "counts", default="0,1,2,4,8", show_default=True)
@click.option("--blocks", default=6, show_default=True)
def main(name: str, overrides: tuple[str, ...], data: str, counts: str, blocks: int) -> None:
    config = configs.load(name, overrides)
    trainable, found = build(config), source.find(data, config, show=False)
    report = Table("readers", "rows/s", "of those with none", title=f"{name} on {data}")
    alone = None
    for readers in map(int, counts.split(",")):
        found_rate = rate(config, trainable, found, readers, blocks)
        alone = alone or found_rate
        report.add_row(str(readers), f"{found_rate:,.0f}", f"{found_rate / alone:.2f}")
    terminal.output().print(report)


if __name__ == "__main__":
    main()
