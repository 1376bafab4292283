"""Training steps of a config beside the same model in PyTorch and the machine's matrix products.

    python benchmarks/train.py [--config cpu] [--data transnar-cpu] [--steps 40] [--threads N]

Both take the very same real batches, fresh from the engine, in float32 on the CPU's cores. The
matrix rate is that of one large product under XLA, in the same run. Operations are those of the
step's own matrix products, forward and twice that backward, over its padded arrays; the share
"without padding" counts those of real tokens only. Waiting is what the training loop itself spends
on its next batch.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import jax
import jax.numpy as jnp
import numpy as np
from rich.table import Table

from clrs_text_bench import terminal, tokenizers
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import mesh, optimizer, run, source, update
from clrs_text_bench.models.training.config import TrainingConfig
from clrs_text_bench.models.training.feed import Fed, Feed
from clrs_text_bench.models.training.trainable import build

_PRODUCT = 2048
_REPEATS = 5
_PASSES = 3


def matrix_rate(dtype: str = "float32", size: int = _PRODUCT) -> float:
    """Returns operations a second of the best of a few large products on one device."""
    x = jnp.ones((size, size), dtype)
    product = jax.jit(lambda a: a @ a)
    best = min(_seconds(lambda: product(x).block_until_ready()) for _ in range(1 + _REPEATS))
    return 2 * size**3 / best


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def operations(config: TrainingConfig, fed: Fed, vocab_size: int) -> tuple[float, float]:
    """Returns a step's operations in matrix products, with padding and without."""
    model = config.model
    D, F, L = model.hidden_dim, model.ffn_dim, model.num_layers
    batch = fed.batch
    real = (batch["tokens"] != tokenizers.get(model.tokenizer).pad_id).sum(axis=1)

    def forward(tokens: np.ndarray, learnt: float) -> float:
        weights = 2 * L * (4 * D * D + 2 * D * F) * tokens.sum()
        attention = 2 * L * 2 * D * (tokens.astype(float) ** 2).sum()
        return weights + attention + 2 * D * vocab_size * learnt

    padded = np.full(len(real), batch["tokens"].shape[1])
    return (
        _PASSES * forward(padded, batch["weights"].size),
        _PASSES * forward(real, batch["weights"].sum()),
    )


def batches(config: TrainingConfig, data: str, count: int) -> list[Fed]:
    """Returns the first batches that a run would train on."""
    found, trainable = source.find(data, config, show=False), build(config)
    feed = Feed(
        found.blocks, trainable, found.held_out(), config.train.batch_size, config.train.seed
    )
    iterator = iter(feed)
    return [next(iterator) for _ in range(count)]


def ours(config: TrainingConfig, fed: list[Fed]) -> Callable[[Fed], None]:
    """Returns a step of ours, with every shape compiled."""
    trainable, train = build(config), config.train
    transform = optimizer.build(config.optimizer, train.steps)
    devices = mesh.make(config.mesh, train.batch_size // train.accumulate)
    state = mesh.place(devices, update.start(trainable.init(), transform, train))
    compiled = update.build(trainable.loss, transform, train, devices, state)

    def step(one: Fed) -> None:
        nonlocal state
        state, measured = compiled(state, mesh.place_batch(devices, one.batch))
        measured.loss.block_until_ready()

    for one in {f.batch["places"].shape + f.batch["tokens"].shape: f for f in fed}.values():
        step(one)
    return step


def theirs(config: TrainingConfig, threads: int | None) -> Callable[[Fed], None]:
    """Returns a step of PyTorch's."""
    import torch
    from torch_transformer import Trainer

    if threads:
        torch.set_num_threads(threads)
    trainer = Trainer(config, tokenizers.get(config.model.tokenizer).vocab_size)
    return lambda one: trainer.step(one.batch)


def waiting(config: TrainingConfig, data: str, steps: int) -> float:
    """Returns the share of a run's time that went into waiting for batches, shapes compiled."""
    changes = {"steps": steps, "log_every": steps // 2, "save_every": steps}
    short = config.model_copy(
        update={
            "train": config.train.model_copy(update=changes),
            "optimizer": config.optimizer.model_copy(update={"warmup_steps": 1}),
            "validation": config.validation.model_copy(update={"every": steps, "samples": 1}),
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        run.train(short, data, Path(folder) / "run", show=False)
        lines = (Path(folder) / "run" / "metrics.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return [line["waiting_share"] for line in found if line["kind"] == "train"][-1]


@click.command()
@click.option("--config", "name", default="cpu", show_default=True)
@click.option("--data", default="transnar-cpu", show_default=True)
@click.option("--steps", default=40, show_default=True)
@click.option("--threads", type=int, help="Threads of PyTorch.  [default: its own choice]")
def main(name: str, data: str, steps: int, threads: int | None) -> None:
    config = configs.load(name)
    fed = batches(config, data, steps)
    counted = np.array(
        [operations(config, one, tokenizers.get(config.model.tokenizer).vocab_size) for one in fed]
    )
    padded, real = counted.sum(axis=0)
    step, peer = ours(config, fed), theirs(config, threads)
    peer(fed[0])
    # Turn by turn, so that neither has the machine's better minutes to itself.
    spent = np.array([[_seconds(lambda f=f, s=s: s(f)) for s in (step, peer)] for f in fed]).sum(
        axis=0
    )
    rate = matrix_rate()
    report = Table("", "seconds a step", "tokens/s", "GFLOP/s", "of the matrix rate", "unpadded")
    for label, seconds in zip(("clrs-text-bench", "PyTorch"), spent, strict=True):
        report.add_row(
            label,
            f"{seconds / steps:.3f}",
            f"{sum(f.tokens for f in fed) / seconds:,.0f}",
            f"{padded / seconds / 1e9:.0f}",
            f"{padded / seconds / rate:.0%}",
            f"{real / seconds / rate:.0%}",
        )
    terminal.output().print(report)
    print(f"matrix rate: {rate / 1e9:.0f} GFLOP/s; PyTorch / ours: {spent[1] / spent[0]:.2f}")
    lengths = {f.batch["tokens"].shape[1] for f in fed}
    print(f"padding: {1 - real / padded:.0%} of operations, over {len(lengths)} lengths")
    print(f"waiting for data: {waiting(config, data, steps):.2%} of a run's time")


if __name__ == "__main__":
    main()
