"""Whether training and decoding are right, and how fast they are, on the devices that JAX finds.

    python benchmarks/accelerator.py [CONFIG]... [--length 256] [--batch-size 64] [--answer 128]
                                     [--nodes 14] [--reasoner nar-paper]

First parity: decoding token by token against a full forward pass, a step in parts and a step cut
over all devices against a plain one, bfloat16 against float32; of a Transformer, of a TransNAR with
open gates, and of a reasoner. A check that fails ends in exit code 1. Then, for each config, one
training step and the answering of a batch: all that are shipped, on a CPU the small ones.

Text is random tokens of one length. A TransNAR reads random latents, or executes graphs in its
step, as its config says; its reasoner is drawn, by the config that is named. A reasoner executes
its first algorithm, and its tokens are nodes times steps. The matrix rate is that of a large
product in the same run and the config's own dtype; a step is held to that of all devices. The peak
of memory is what the first device has seen since the start.
"""

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import click
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from graph_operations import of_readers, of_reasoner
from rich.table import Table
from train import matrix_rate, operations
from untrained import REASONER, build, drawn, latents, read, text

from clrs_text_bench import terminal
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models.nar.graphs import NODES
from clrs_text_bench.models.nar.network import Latents
from clrs_text_bench.models.nar.trainable import TrainableNar
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import mesh, optimizer, update
from clrs_text_bench.models.training.buckets import size_for
from clrs_text_bench.models.training.config import TrainingConfig
from clrs_text_bench.models.training.feed import Fed
from clrs_text_bench.models.training.trainable import Trainable, module_state
from clrs_text_bench.models.transformer.decoding import Completion, Decoder, Prompt
from clrs_text_bench.models.transformer.network import Transformer
from clrs_text_bench.models.transnar.examples import OF_EDGES, OF_NODES
from clrs_text_bench.models.transnar.network import Memory, TransNar

_PARITY = "smoke"
_TRANSNAR = """
[model]
kind = "transnar"
nar = { run = "drawn" }
reading = { progressive = true }
[model.transformer]
hidden_dim = 32
num_layers = 2
num_heads = 2
"""
_NAR = """
[model]
kind = "nar"
algorithms = ["insertion_sort"]
hidden_dim = 16
triplet_dim = 4
"""
_ROWS, _ROUNDS, _PROMPTS = 16, 3, 64
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


class Given(NamedTuple):
    """What a config is tried on: tokens of a row, nodes of a graph, the config of a reasoner."""

    length: int
    nodes: int
    reasoner: str


def random_text(config: TrainingConfig, length: int) -> dict[str, np.ndarray]:
    """Returns a batch of random tokens, of which the last quarter are learnt."""
    rng, vocab_size = np.random.default_rng(0), vocabulary(config)
    B, T, A = config.train.batch_size, length, max(1, length // 4)
    return {
        "tokens": rng.integers(2, vocab_size, (B, T)).astype(np.int32),
        "positions": np.tile(np.arange(T, dtype=np.int32), (B, 1)),
        "places": np.tile(np.arange(T - A, T, dtype=np.int32), (B, 1)),
        "targets": rng.integers(2, vocab_size, (B, A)).astype(np.int32),
        "weights": np.ones((B, A), np.float32),
    }


def batch_of(config: TrainingConfig, trainable: Trainable, given: Given) -> Fed:
    """Returns a batch, and how many tokens it has, or nodes times steps."""
    B = config.train.batch_size
    if isinstance(trainable, TrainableNar):
        name = trainable.layout.algorithms[0]
        table = generate_batch(name, given.nodes, count=B, graph_hints=True)
        examples, rows = trainable.encode(table), np.arange(B)
        return Fed(examples.batch(rows, 0), examples.tokens(rows))
    batch = random_text(config, given.length)
    if config.model.kind == "transnar":
        batch |= read(trainable, B, given.nodes)
    return Fed(batch, batch["tokens"].size)


def vocabulary(config: TrainingConfig) -> int:
    of_text = config.model_copy(update={"model": text(config)})
    return build(of_text, REASONER).shapes()["embedding"]["embedding"].shape[0]


def is_drawn_by_itself(config: TrainingConfig) -> bool:
    """Returns whether a model needs no reasoner and no pretrained parameters to begin."""
    return config.model.kind == "transformer" and config.model.init is None


class Stepping:
    """Training steps on one batch, over some devices."""

    def __init__(self, config: TrainingConfig, given: Given, devices: list[jax.Device]) -> None:
        trainable, train = build(config, given.reasoner), config.train
        params = trainable.init() if is_drawn_by_itself(config) else drawn(trainable)
        transform = optimizer.build(config.optimizer, train.steps, trainable.scales())
        cut = mesh.make(config.mesh, train.batch_size // train.accumulate, devices)
        self._state = mesh.place(cut, update.start(params, transform, train))
        self._step = update.build(trainable.loss, transform, train, cut, self._state)
        self.trainable, self.fed = trainable, batch_of(config, trainable, given)
        self._placed = mesh.place_batch(cut, self.fed.batch)

    def __call__(self) -> tuple[float, float]:
        """Takes a step; returns the loss and the gradient's norm."""
        self._state, measured = self._step(self._state, self._placed)
        return float(measured.loss), float(measured.gradient_norm)


def changed(config: TrainingConfig, **changes: dict) -> TrainingConfig:
    """Returns a config with other settings in its tables; "text" is that of the Transformer."""
    of_text = changes.pop("text", {})
    tables = {k: getattr(config, k).model_copy(update=v) for k, v in changes.items()}
    config = config.model_copy(update=tables)
    model = text(config).model_copy(update=of_text)
    if config.model.kind == "transnar":
        model = config.model.model_copy(update={"transformer": model})
    return config.model_copy(update={"model": model})


def remember(model: TransNar, given: dict[str, jax.Array]) -> Memory:
    """Returns what layers read of latents `[B, K, ...]`."""
    nodes, edges = (jnp.swapaxes(given[kind], 0, 1) for kind in (OF_NODES, OF_EDGES))
    mask_BxN = jnp.arange(nodes.shape[2])[None] < given[NODES][:, None]
    return model.remember(Latents(nodes, edges), mask_BxN)


class Answering:
    """The answering of random prompts, `length` tokens each and one less, and so on."""

    def __init__(self, config: TrainingConfig, given: Given, rows: int, shorter: int) -> None:
        """Draws the model and the prompts.

        Args:
          config: of the model.
          given: what it is tried on.
          rows: number of prompts.
          shorter: by how much each prompt is shorter than the one before.
        """
        V, rng = vocabulary(config), np.random.default_rng(0)
        of_row: list = [None] * rows
        if config.model.kind == "transnar":
            trainable = build(config, given.reasoner)
            L = trainable.reasoner.described.model.hidden_dim
            made = nnx.eval_shape(lambda: TransNar(config.model, V, L, nnx.Rngs(0)))
            self.graph, shapes = nnx.split(made)
            params = {k: x for k, x in drawn(trainable).items() if k != "nar"}
            self.params = module_state(shapes, params)
            self.read = latents(trainable, rows, given.nodes)
            self.read[NODES] = np.full(rows, given.nodes, np.int32)
            of_row = [{k: x[b] for k, x in self.read.items()} for b in range(rows)]
        else:
            self.graph, self.params = nnx.split(Transformer(config.model, V, nnx.Rngs(0)))
            self.read = None
        self.prompts = [
            Prompt(rng.integers(2, V, given.length - b * shorter).astype(np.int32), read=of_row[b])
            for b in range(rows)
        ]
        remembers = None if self.read is None else remember
        self.decoder = Decoder(self.graph, text(config), 1, rows, remember=remembers)

    def __call__(self) -> list[Completion]:
        """Answers all prompts."""
        return self.decoder.decode(self.params, self.prompts)

    def gap(self) -> float:
        """Returns by how much, at most, a token is not the likeliest of a full forward pass.

        In units of its logit.
        """
        rows = [
            np.concatenate([p.tokens, c.tokens]) for p, c in zip(self.prompts, self(), strict=True)
        ]
        # What stands to the right of a token does not matter to it.
        tokens_BxT = np.zeros((len(rows), max(map(len, rows))), np.int32)
        for b, row in enumerate(rows):
            tokens_BxT[b, : len(row)] = row
        logits_BxTxV = np.asarray(_forward(self.graph, self.params, tokens_BxT, self.read))
        gaps = []
        for b, (prompt, row) in enumerate(zip(self.prompts, rows, strict=True)):
            start = len(prompt.tokens)
            logits = logits_BxTxV[b, start - 1 : len(row) - 1]
            chosen = np.take_along_axis(logits, row[start:, None], axis=1)[:, 0]
            gaps.append(np.max(logits.max(axis=1) - chosen, initial=0))
        return float(np.max(gaps))


@partial(jax.jit, static_argnums=0)
def _forward(
    graph: nnx.GraphDef, params: nnx.State, tokens_BxT: jax.Array, given: dict | None
) -> jax.Array:
    """Returns the logits after every token, all at once."""
    model = nnx.merge(graph, params)
    positions = jnp.broadcast_to(jnp.arange(tokens_BxT.shape[1]), tokens_BxT.shape)
    memory = {} if given is None else {"memory": remember(model, given)}
    return model.logits(model(tokens_BxT, positions, **memory)[0])


def parity(given: Given) -> Iterator[Check]:
    """Compares what must be the same, in float32 as exact as the device has it."""
    rows = {"batch_size": _ROWS * jax.device_count(), "accumulate": 1}
    plain = changed(configs.load(_PARITY), train=rows)
    hybrid = changed(configs.parse(_TRANSNAR, "TransNAR"), train=rows)
    nar = configs.parse(_NAR, "reasoner", (f"train.batch_size={rows['batch_size']}",))
    with jax.default_matmul_precision("highest"):
        yield from of_transformer(plain, given)
        yield from of_hybrid(hybrid, given)
        yield Apart(nar, given).cut("reasoner")


class Apart:
    """By how much other steps differ from a config's own on the first device."""

    def __init__(self, config: TrainingConfig, given: Given) -> None:
        self._config, self._given = config, given
        self._expected = np.array(Stepping(config, given, jax.devices()[:1])())

    def __call__(self, config: TrainingConfig, devices: list[jax.Device]) -> float:
        """Returns the greatest share that loss or gradient norm of a step differ by."""
        found = np.array(Stepping(config, self._given, devices)())
        return float(np.max(np.abs(found / self._expected - 1)))

    def cut(self, name: str) -> Check:
        """Checks a step whose parameters are cut over all devices."""
        devices = jax.devices()
        config = self._config.model_copy(update={"mesh": configs.Mesh(fsdp=len(devices))})
        whole = f"{name}: a step cut over {len(devices)} devices"
        return Check(whole, self(config, devices), 1e-4)

    def bfloat16(self, name: str) -> Check:
        """Checks a step in bfloat16."""
        config = changed(self._config, text={"dtype": "bfloat16"})
        return Check(f"{name}: a step in bfloat16", self(config, jax.devices()[:1]), 5e-2)


def decoding(name: str, config: TrainingConfig, given: Given) -> Check:
    """Checks decoding token by token."""
    short = changed(config, text={"max_answer": 32, "context": 2 * given.length + 64})
    gap = Answering(short, given, _ROWS, 1).gap()
    return Check(f"{name}: decoded tokens, full forward pass", gap, 1e-3)


def of_transformer(config: TrainingConfig, given: Given) -> Iterator[Check]:
    apart, devices, name = Apart(config, given), jax.devices(), "Transformer"
    yield decoding(name, config, given)
    parts = apart(changed(config, train={"accumulate": 4}), devices[:1])
    yield Check(f"{name}: a step in 4 parts", parts, 1e-4)
    yield Check(f"{name}: a step over {len(devices)} devices", apart(config, devices), 1e-4)
    yield apart.cut(name)
    yield apart.bfloat16(name)


def of_hybrid(config: TrainingConfig, given: Given) -> Iterator[Check]:
    apart, name = Apart(config, given), "TransNAR"
    yield decoding(name, config, given)
    yield apart.cut(name)
    yield apart.bfloat16(name)


def answering(config: TrainingConfig, given: Given) -> tuple[float, int]:
    """Returns the seconds that a batch of prompts takes on one device, and the answers' tokens."""
    answer = Answering(config, given, _PROMPTS, 0)
    count = sum(len(completion.tokens) for completion in answer())
    return seconds(lambda: [c.tokens for c in answer()]), count


def peak() -> str:
    """Returns the most memory that the first device has had in use, in GB, where it tells."""
    found = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    return "not told" if found is None else f"{found / 1e9:.2f}"


def executing(trainable: TrainableNar, given: Given) -> tuple[float, int]:
    """Returns the seconds that a batch of graphs takes on one device, and the number of answers."""
    table = generate_batch(trainable.layout.algorithms[0], given.nodes, count=_PROMPTS)
    params = jax.device_put(drawn(trainable))
    return seconds(lambda: trainable.answer(params, table)["seconds"].to_numpy()), _PROMPTS


def done(config: TrainingConfig, step: Stepping, given: Given) -> float:
    """Returns a step's operations in matrix products."""
    batch, model = step.fed.batch, config.model
    if model.kind == "nar":
        layout = step.trainable.layout
        return of_reasoner(layout, layout.algorithms[0], model.hidden_dim, batch)
    count, _ = operations(
        config.model_copy(update={"model": text(config)}), step.fed, vocabulary(config)
    )
    if model.kind == "transnar":
        latent_dim = step.trainable.reasoner.described.model.hidden_dim
        B, T = batch["tokens"].shape
        count += of_readers(model, latent_dim, B, T, size_for(given.nodes))
    return count


def speed(name: str, config: TrainingConfig, given: Given, rate: float) -> list[str]:
    """Returns a config's row of the table."""
    step, is_nar = Stepping(config, given, jax.devices()), config.model.kind == "nar"
    took = seconds(step)
    count = done(config, step, given)
    if is_nar:
        decoding, answered = executing(step.trainable, given)
    else:
        decoding, answered = answering(config, given)
    width = given.nodes if is_nar else given.length
    return [
        *(name, dtype_of(config), f"{config.train.batch_size} x {width}"),
        *(f"{took:.4f}", f"{step.fed.tokens / took:,.0f}", f"{count / took / 1e12:.3f}"),
        f"{count / took / (rate * jax.device_count()):.0%}",
        *(f"{decoding:.3f}", f"{answered / decoding:,.0f}", peak()),
    ]


def dtype_of(config: TrainingConfig) -> str:
    return "float32" if config.model.kind == "nar" else text(config).dtype


def chosen() -> list[str]:
    """Returns the configs to try: all that are shipped, on a CPU what it has patience for."""
    if jax.default_backend() != "cpu":
        return list(configs.shipped())
    return [name for name in configs.shipped() if name.endswith("smoke") or name == "quickstart"]


@click.command()
@click.argument("names", nargs=-1, metavar="[CONFIG]...")
@click.option("--length", default=256, show_default=True, help="Tokens of a row, and of a prompt.")
@click.option("--batch-size", type=int, help="Rows of a step.  [default: the config's]")
@click.option("--accumulate", type=int, help="Parts of a step.  [default: the config's]")
@click.option("--answer", default=128, show_default=True, help="Most tokens of an answer.")
@click.option("--nodes", default=14, show_default=True, help="Of a graph.")
@click.option("--reasoner", default=REASONER, show_default=True, help="Config of a TransNAR's.")
def main(
    names: tuple[str, ...],
    length: int,
    batch_size: int | None,
    accumulate: int | None,
    answer: int,
    nodes: int,
    reasoner: str,
) -> None:
    console, device = terminal.output(), jax.devices()[0]
    console.print(
        f"{jax.device_count()} x {device.device_kind} ({device.platform}), {jax.__version__}"
    )
    checks = []
    for check in parity(Given(min(length, 64), min(nodes, 8), reasoner)):
        checks.append(check)
        word = "right" if check.found <= check.limit else "WRONG"
        console.print(
            f"{check.name}: apart by {check.found:.1e}, at most {check.limit:.0e}, {word}"
        )
    report = Table(
        *(
            "config",
            "dtype",
            "rows x tokens, nodes",
            "s/step",
            "tokens/s",
            "TFLOP/s",
            "of matrix rate",
        ),
        *("s/answers", "tokens or graphs/s", "peak GB"),
        title="Speed",
    )
    rates: dict[str, float] = {}
    train = {"batch_size": batch_size, "accumulate": accumulate}
    for name in names or chosen():
        config = configs.load(name)
        if config.model.kind == "nar":
            changes = {"batch_size": batch_size or config.train.batch_size}
            config = config.model_copy(update={"train": config.train.model_copy(update=changes)})
        else:
            config = changed(
                config,
                train={key: value for key, value in train.items() if value},
                text={
                    "max_answer": answer,
                    "context": max(text(config).context, length + answer),
                },
            )
        dtype = dtype_of(config)
        rates[dtype] = rates.get(dtype) or matrix_rate(dtype, _PRODUCT[jax.default_backend()])
        row = speed(name, config, Given(length, nodes, reasoner), rates[dtype])
        report.add_row(*row)
        console.print(*row, sep="  ")  # at once: a cut-off run keeps what it measured
    console.print(report)
    for dtype, rate in rates.items():
        console.print(f"matrix rate of a device, {dtype}: {rate / 1e12:.3f} TFLOP/s")
    sys.exit(any(check.found > check.limit for check in checks))


if __name__ == "__main__":
    main()
