"""Whether training and decoding are right, and how fast they are, on the devices that JAX finds.

    python benchmarks/accelerator.py [CONFIG]... [--length 256] [--batch-size 64] [--answer 128]

First parity: decoding token by token against a full forward pass, a step in parts and a step cut
over all devices against a plain one, bfloat16 against float32. A check that fails ends in exit
code 1. Then, for each config, one training step and the answering of a batch of prompts, on random
tokens of one length; all shipped Transformers, on a CPU the small ones. The matrix rate is that of
a large product in the same run and the config's own dtype; a step is held to that of all devices.
The peak of memory is what the first device has seen since the start.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import click
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from rich.table import Table
from train import matrix_rate, operations

from clrs_text_bench import terminal
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import mesh, optimizer, update
from clrs_text_bench.models.training.config import TrainingConfig
from clrs_text_bench.models.training.feed import Fed
from clrs_text_bench.models.training.trainable import build
from clrs_text_bench.models.transformer.decoding import Decoder, Prompt
from clrs_text_bench.models.transformer.network import Transformer

_SMALL = ("smoke", "quickstart")  # what a CPU has patience for
_PARITY = "smoke"
_ROWS, _ROUNDS = 16, 3
_PRODUCT = {"cpu": 1024, "gpu": 8192, "tpu": 8192}


class Check(NamedTuple):
    """Two ways to the same numbers, how far apart they are, and how far they may be."""

    name: str
    found: float
    limit: float


def seconds(call: Callable[[], object]) -> float:
    """Returns the least time that a call takes, once compiled."""
    jax.block_until_ready(call())
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        jax.block_until_ready(call())
        times.append(time.perf_counter() - began)
    return min(times)


def random_batch(config: TrainingConfig, length: int, vocab_size: int) -> dict[str, np.ndarray]:
    """Returns a batch of random tokens, of which the last quarter are learnt."""
    rng = np.random.default_rng(0)
    B, T, A = config.train.batch_size, length, max(1, length // 4)
    return {
        "tokens": rng.integers(2, vocab_size, (B, T)).astype(np.int32),
        "positions": np.tile(np.arange(T, dtype=np.int32), (B, 1)),
        "places": np.tile(np.arange(T - A, T, dtype=np.int32), (B, 1)),
        "targets": rng.integers(2, vocab_size, (B, A)).astype(np.int32),
        "weights": np.ones((B, A), np.float32),
    }


def vocabulary(config: TrainingConfig) -> int:
    return build(config).shapes()["embedding"]["embedding"].shape[0]


class Stepping:
    """Training steps on one batch, over some devices."""

    def __init__(self, config: TrainingConfig, length: int, devices: list[jax.Device]) -> None:
        trainable, train = build(config), config.train
        transform = optimizer.build(config.optimizer, train.steps)
        cut = mesh.make(config.mesh, train.batch_size // train.accumulate, devices)
        self._state = mesh.place(cut, update.start(trainable.init(), transform, train))
        self._step = update.build(trainable.loss, transform, train, cut, self._state)
        self.batch = random_batch(config, length, vocabulary(config))
        self._placed = mesh.place_batch(cut, self.batch)

    def __call__(self) -> tuple[float, float]:
        """Takes a step; returns the loss and the gradient's norm."""
        self._state, measured = self._step(self._state, self._placed)
        return float(measured.loss), float(measured.gradient_norm)


def changed(config: TrainingConfig, **changes: dict) -> TrainingConfig:
    """Returns a config with other settings in its tables."""
    tables = {k: getattr(config, k).model_copy(update=v) for k, v in changes.items()}
    return config.model_copy(update=tables)


def decoding_gap(config: TrainingConfig, length: int) -> float:
    """Returns by how much, at most, a decoded token is not the likeliest of a full forward pass.

    In units of its logit.
    """
    V = vocabulary(config)
    model = Transformer(config.model, V, nnx.Rngs(0))
    graph, params = nnx.split(model)
    rng = np.random.default_rng(0)
    prompts = [rng.integers(2, V, length - i).astype(np.int32) for i in range(_ROWS)]
    decoder = Decoder(graph, config.model, 1, _ROWS)
    answers = [found.tokens for found in decoder.decode(params, [Prompt(p) for p in prompts])]
    rows = [np.concatenate(row) for row in zip(prompts, answers, strict=True)]
    # What stands to the right of a token does not matter to it.
    tokens_BxT = np.zeros((_ROWS, max(map(len, rows))), np.int32)
    for b, row in enumerate(rows):
        tokens_BxT[b, : len(row)] = row
    logits_BxTxV = np.asarray(_forward(graph, params, tokens_BxT))
    gaps = []
    for b, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        logits = logits_BxTxV[b, len(prompt) - 1 :][: len(answer)]
        chosen = np.take_along_axis(logits, answer[:, None], axis=1)[:, 0]
        gaps.append(np.max(logits.max(axis=1) - chosen, initial=0))
    return float(np.max(gaps))


@partial(jax.jit, static_argnums=0)
def _forward(graph: nnx.GraphDef, params: nnx.State, tokens_BxT: jax.Array) -> jax.Array:
    """Returns the logits after every token, all at once."""
    model = nnx.merge(graph, params)
    positions = jnp.broadcast_to(jnp.arange(tokens_BxT.shape[1]), tokens_BxT.shape)
    return model.logits(model(tokens_BxT, positions)[0])


def parity(length: int) -> list[Check]:
    """Compares what must be the same, in float32 as exact as the device has it."""
    devices = jax.devices()
    rows = _ROWS * len(devices)
    plain = changed(configs.load(_PARITY), train={"batch_size": rows, "accumulate": 1})
    short = changed(plain, model={"max_answer": 32, "context": 2 * length + 64})

    def apart(one: TrainingConfig, over: list[jax.Device]) -> float:
        return float(np.max(np.abs(np.array(Stepping(one, length, over)()) / expected - 1)))

    with jax.default_matmul_precision("highest"):
        expected = np.array(Stepping(plain, length, devices[:1])())
        cut = changed(plain, mesh={"fsdp": len(devices)})
        return [
            Check("decoded tokens, full forward pass", decoding_gap(short, length), 1e-3),
            Check(
                "a step in 4 parts",
                apart(changed(plain, train={"accumulate": 4}), devices[:1]),
                1e-4,
            ),
            Check(f"a step over {len(devices)} devices", apart(plain, devices), 1e-4),
            Check(f"a step cut over {len(devices)} devices", apart(cut, devices), 1e-4),
            Check(
                "a step in bfloat16",
                apart(changed(plain, model={"dtype": "bfloat16"}), devices[:1]),
                5e-2,
            ),
        ]


def answering(config: TrainingConfig, length: int) -> tuple[float, int]:
    """Returns the seconds that a batch of prompts takes on one device, and the answers' tokens."""
    V = vocabulary(config)
    graph, params = nnx.split(Transformer(config.model, V, nnx.Rngs(0)))
    rng = np.random.default_rng(0)
    decoder = Decoder(graph, config.model, 1)
    prompts = [Prompt(rng.integers(2, V, length).astype(np.int32)) for _ in range(decoder.batch)]
    count = sum(len(completion.tokens) for completion in decoder.decode(params, prompts))
    return seconds(lambda: [c.tokens for c in decoder.decode(params, prompts)]), count


def peak() -> str:
    """Returns the most memory that the first device has had in use, in GB, where it tells."""
    found = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    return "not told" if found is None else f"{found / 1e9:.2f}"


def speed(name: str, config: TrainingConfig, length: int, rate: float) -> list[str]:
    """Returns a config's row of the table."""
    step = Stepping(config, length, jax.devices())
    took = seconds(step)
    tokens = step.batch["tokens"].size
    done, _ = operations(config, Fed(step.batch, tokens), vocabulary(config))
    decoding, answered = answering(config, length)
    return [
        *(name, config.model.dtype, f"{config.train.batch_size} x {length}"),
        *(f"{took:.4f}", f"{tokens / took:,.0f}", f"{done / took / 1e12:.3f}"),
        f"{done / took / (rate * jax.device_count()):.0%}",
        *(f"{decoding:.3f}", f"{answered / decoding:,.0f}", peak()),
    ]


@click.command()
@click.argument("names", nargs=-1, metavar="[CONFIG]...")
@click.option("--length", default=256, show_default=True, help="Tokens of a row, and of a prompt.")
@click.option("--batch-size", type=int, help="Rows of a step.  [default: the config's]")
@click.option("--accumulate", type=int, help="Parts of a step.  [default: the config's]")
@click.option("--answer", default=128, show_default=True, help="Most tokens of an answer.")
def main(
    names: tuple[str, ...],
    length: int,
    batch_size: int | None,
    accumulate: int | None,
    answer: int,
) -> None:
    console, device = terminal.output(), jax.devices()[0]
    console.print(
        f"{jax.device_count()} x {device.device_kind} ({device.platform}), {jax.__version__}"
    )
    checks = parity(min(length, 64))
    report = Table("the same", "apart by", "at most", "", title="Parity")
    for check in checks:
        word = "right" if check.found <= check.limit else "WRONG"
        report.add_row(check.name, f"{check.found:.1e}", f"{check.limit:.0e}", word)
    console.print(report)
    report = Table(
        *("config", "dtype", "rows x tokens", "s/step", "tokens/s", "TFLOP/s", "of matrix rate"),
        *("s/answers", "answer tokens/s", "peak GB"),
        title="Speed",
    )
    rates: dict[str, float] = {}
    for name in names or (_SMALL if device.platform == "cpu" else configs.of_kind("transformer")):
        config = configs.load(name)
        train = {"batch_size": batch_size, "accumulate": accumulate}
        config = changed(
            config,
            train={key: value for key, value in train.items() if value},
            model={"max_answer": answer, "context": max(config.model.context, length + answer)},
        )
        dtype = config.model.dtype
        rates[dtype] = rates.get(dtype) or matrix_rate(dtype, _PRODUCT[jax.default_backend()])
        report.add_row(*speed(name, config, length, rates[dtype]))
    console.print(report)
    for dtype, rate in rates.items():
        console.print(f"matrix rate of a device, {dtype}: {rate / 1e12:.3f} TFLOP/s")
    sys.exit(any(check.found > check.limit for check in checks))


if __name__ == "__main__":
    main()
