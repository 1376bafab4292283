"""What batches of one shape waste, beside packing sequences end to end into rows of one length.

    python benchmarks/packing.py [--config cpu] [--data transnar-cpu] [--rows 20000]

Operations are those of a training step's matrix products per real token, relative to no padding at
all. A packed row costs attention over its whole length, other sequences' tokens included, unless
the kernel skips masked blocks: both are shown. Packing is best fit, by Grain. No model is run.
"""

import click
import grain
import numpy as np
from rich.table import Table

from clrs_text_bench import terminal
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import source
from clrs_text_bench.models.training.buckets import size_for
from clrs_text_bench.models.training.config import TrainingConfig
from clrs_text_bench.models.training.trainable import build

_PACKED = (256, 512, 1024)


def lengths(config: TrainingConfig, data: str, rows: int) -> np.ndarray:
    """Returns how many tokens are read in each row of a run's first ones."""
    found = source.find(data, config, show=False)
    trainable = build(config)
    examples = trainable.encode(next(found.blocks(rows, 0, trainable.columns)))
    return np.array([examples.tokens(np.array([row])) - 1 for row in range(rows)])


def cost(config: TrainingConfig, tokens: float, squares: float) -> float:
    """Returns the operations of the blocks' products, up to a factor."""
    model = config.model
    per_token = 4 * model.hidden_dim**2 + 2 * model.hidden_dim * model.ffn_dim
    return per_token * tokens + 2 * model.hidden_dim * squares


def packed(sizes: np.ndarray, row: int) -> int:
    """Returns how many rows of a length hold all sequences."""
    sequences = [{"tokens": np.zeros(size, np.int8)} for size in sizes]
    dataset = grain.experimental.BestFitPackIterDataset(
        grain.MapDataset.source(sequences).to_iter_dataset(),
        length_struct={"tokens": row},
        num_packing_bins=64,
    )
    return sum(1 for _ in dataset)


@click.command()
@click.option("--config", "name", default="cpu", show_default=True)
@click.option("--data", default="transnar-cpu", show_default=True)
@click.option("--rows", default=20_000, show_default=True)
def main(name: str, data: str, rows: int) -> None:
    config = configs.load(name)
    sizes = lengths(config, data, rows)
    real = cost(config, sizes.sum(), (sizes.astype(float) ** 2).sum())
    shapes = np.array([size_for(size) for size in sizes], float)
    report = Table("", "padding", "operations", "if masked blocks are skipped")
    spent = cost(config, shapes.sum(), (shapes**2).sum()) / real
    padding = 1 - sizes.sum() / shapes.sum()
    report.add_row("batches of one shape", f"{padding:.1%}", f"{spent:.2f}", "")
    for row in _PACKED:
        fitting = sizes[sizes <= row]
        count = packed(fitting, row)
        alone = cost(config, fitting.sum(), (fitting.astype(float) ** 2).sum())
        spent = cost(config, count * row, count * row**2) / alone
        skipping = cost(config, count * row, (fitting.astype(float) ** 2).sum()) / alone
        padding = 1 - fitting.sum() / (count * row)
        report.add_row(f"packed into {row}", f"{padding:.1%}", f"{spent:.2f}", f"{skipping:.2f}")
    terminal.output().print(report)


if __name__ == "__main__":
    main()
