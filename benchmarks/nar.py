"""The neural algorithmic reasoner beside dm-clrs's network: first steps, training, inference.

    python benchmarks/nar.py [--algorithms bfs,dfs | --algorithms all] [--sizes 8,16,32,64]
                             [--plot FILE]

Both take the very same rows, in batches of 32 on graphs of 16 nodes, at width 128, in float32.
"From nothing" is initialisation, compilation and one training step of each algorithm: ours of all
thirty, theirs of the algorithms asked for, whose mean stands for the others. Their training fails
with today's optax, so that a step of theirs is their loss, its gradient, and optax's clipping and
Adam. Operations are those of both layers of messages and of the decoders of pointers, forward and
twice that backward; the matrix rate is that of one large product in the same run. Memory is the
temporaries of the compiled program, by XLA's account. Inference takes the trace's number of steps.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import clrs
import jax
import numpy as np
import optax
from graph_operations import of_reasoner
from rich.table import Table
from train import matrix_rate

from clrs_text_bench import tasks, terminal
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models.nar import exchange, graphs
from clrs_text_bench.models.nar.config import NarConfig
from clrs_text_bench.models.nar.graphs import Row
from clrs_text_bench.models.nar.layout import Layout
from clrs_text_bench.models.nar.trainable import TrainableNar

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.models import upstream_net

_SIX = ("bfs", "insertion_sort", "floyd_warshall", "dfs", "heapsort", "minimum")
_NODES, _ROWS = 16, 32
_ROUNDS = 5
_INFERENCE = "bfs"
_HIDDEN, _TRIPLET = 128, 8
_MB = 1e6


class Measured(NamedTuple):
    """What a program takes.

    Attributes:
      first: seconds to compile it and run it once.
      seconds: of a run, the least of a few.
      megabytes: of temporaries.
    """

    first: float
    seconds: float
    megabytes: float


def timed(call: Callable[[], object]) -> float:
    """Returns the seconds that a call takes."""
    began = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - began


def rows_of(layout: Layout, name: str, n: int) -> list[Row]:
    """Returns a batch's rows, those of the longest trace first."""
    table = generate_batch(name, n, count=_ROWS, graph_hints=True)
    return sorted(graphs.rows(table, layout), key=lambda row: -row.steps)


def optimiser() -> optax.GradientTransformation:
    return optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3))


class Ours:
    """Training and inference of one network of all algorithms."""

    def __init__(self) -> None:
        self._trainable = TrainableNar(NarConfig(), seed=0, steps="trace")
        self._params = jax.block_until_ready(self._trainable.init())
        self._optimiser = optimiser()
        self._moments = self._optimiser.init(self._params)
        self._programs: dict[tuple[int, ...], jax.stages.Compiled] = {}
        self._updating = jax.jit(self._update, donate_argnums=(0, 1))

    def batch(self, name: str, n: int) -> dict[str, np.ndarray]:
        """Returns a batch as the training loop feeds it."""
        table = generate_batch(name, n, count=_ROWS, graph_hints=True)
        examples = self._trainable.encode(table)
        longest = np.argmax([shape.T for shape in examples.shapes])
        return examples.batch(np.roll(np.arange(_ROWS), -longest), visit=0)

    def train(self, name: str, rounds: int = 0) -> Measured:
        """Trains on a batch; gradients are compiled for each shape, not for each algorithm.

        As in `training.update`, the update is a program of its own, compiled once.
        """
        batch = self.batch(name, _NODES)
        key = tuple(x.shape for x in batch.values())
        compiling = 0.0
        if key not in self._programs:
            began = time.perf_counter()
            self._programs[key] = jax.jit(self._gradients).lower(self._params, batch).compile()
            compiling = time.perf_counter() - began
        program = self._programs[key]

        def run() -> tuple:
            loss, gradients = program(self._params, batch)
            self._params, self._moments = self._updating(self._params, self._moments, gradients)
            return loss, self._params

        first = compiling + timed(run)
        seconds = min((timed(run) for _ in range(rounds)), default=np.nan)
        return Measured(first, seconds, program.memory_analysis().temp_size_in_bytes / _MB)

    def _gradients(self, params: dict, batch: dict) -> tuple:
        loss = jax.value_and_grad(self._trainable.loss, has_aux=True)
        (total, weight), gradients = loss(params, batch)
        return total / weight, jax.tree.map(lambda g: g / weight, gradients)

    def _update(self, params: dict, moments: tuple, gradients: dict) -> tuple:
        updates, moments = self._optimiser.update(gradients, moments)
        return optax.apply_updates(params, updates), moments

    def infer(self, n: int) -> Measured:
        """Executes a batch."""
        rows = rows_of(self._trainable.layout, _INFERENCE, n)
        batch = graphs.stack(rows, self._trainable.layout, n, max(r.steps for r in rows), 1)
        began = time.perf_counter()
        program = jax.jit(self._trainable.executed).lower(self._params, batch).compile()
        first = time.perf_counter() - began
        seconds = min(timed(lambda: program(self._params, batch)) for _ in range(1 + _ROUNDS))
        return Measured(first, seconds, program.memory_analysis().temp_size_in_bytes / _MB)

    def operations(self, name: str) -> float:
        """Returns a training step's operations in the largest matrix products."""
        layout = self._trainable.layout
        return of_reasoner(layout, name, _HIDDEN, self.batch(name, _NODES))


class Theirs:
    """The same of dm-clrs's network, a program for each algorithm."""

    def __init__(self, names: Sequence[str], n: int = _NODES) -> None:
        self.layout = Layout(tuple(names))
        self._n = n
        self._rows = [rows_of(self.layout, name, n) for name in names]
        self._given = [
            upstream_net.features(task, rows)
            for task, rows in zip(self.layout.tasks, self._rows, strict=True)
        ]
        self._transform = upstream_net.net(self.layout, _HIDDEN, _TRIPLET)
        self._optimiser = optimiser()

    def init(self) -> None:
        """Draws the parameters."""
        features = [one for one, _ in self._given]
        self._params = upstream_net.init(self._transform, jax.random.key(0), features)
        self._moments = self._optimiser.init(self._params)
        jax.block_until_ready(self._params)

    def train(self, name: str, rounds: int) -> Measured:
        """Trains on a batch."""
        place = self.layout.place(name)
        given = self._given[place]

        def update(params: dict, moments: tuple, given: tuple) -> tuple:
            def loss(params: dict) -> jax.Array:
                return upstream_net.loss(params, self._transform, *given, place, self._n)

            value, gradients = jax.value_and_grad(loss)(params)
            updates, moments = self._optimiser.update(gradients, moments)
            return optax.apply_updates(params, updates), moments, value

        began = time.perf_counter()
        step = jax.jit(update, donate_argnums=(0, 1))
        program = step.lower(self._params, self._moments, given).compile()

        def run() -> jax.Array:
            self._params, self._moments, value = program(self._params, self._moments, given)
            return value

        jax.block_until_ready(run())
        first = time.perf_counter() - began
        seconds = min((timed(run) for _ in range(rounds)), default=np.nan)
        return Measured(first, seconds, program.memory_analysis().temp_size_in_bytes / _MB)

    def infer(self, name: str) -> Measured:
        """Executes a batch, with parameters that nothing has trained."""
        place = self.layout.place(name)
        one, _ = self._given[place]
        ours = TrainableNar(
            NarConfig(algorithms=self.layout.algorithms, halting=False), seed=0, steps="trace"
        )
        params = exchange.to_upstream(self.layout, ours.init())

        def outputs(params: dict, one: clrs.Features) -> dict:
            return self._transform.apply(params, jax.random.key(0), [one], place)[0]

        began = time.perf_counter()
        program = jax.jit(outputs).lower(params, one).compile()
        first = time.perf_counter() - began
        seconds = min(timed(lambda: program(params, one)) for _ in range(1 + _ROUNDS))
        return Measured(first, seconds, program.memory_analysis().temp_size_in_bytes / _MB)


def inference(ours: Ours, sizes: Sequence[int]) -> list[tuple[int, Measured, Measured]]:
    """Returns what a batch takes at each size, by ours and by theirs."""
    return [(n, ours.infer(n), Theirs((_INFERENCE,), n).infer(_INFERENCE)) for n in sizes]


def plot(found: list[tuple[int, Measured, Measured]], path: str) -> None:
    """Saves time and memory of inference by size."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    sizes = [n for n, *_ in found]
    figure, axes = pyplot.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    # Blue and vermilion of Okabe and Ito, told apart by markers, too.
    for label, i, colour, marker in (
        ("clrs-text-bench", 1, "#0072B2", "o"),
        ("dm-clrs", 2, "#D55E00", "s"),
    ):
        for axis, values in zip(
            axes,
            ([1e3 * row[i].seconds for row in found], [row[i].megabytes for row in found]),
            strict=True,
        ):
            axis.plot(sizes, values, color=colour, marker=marker, label=label)
    for axis, label in zip(axes, ("time of a batch (ms)", "temporary memory (MB)"), strict=True):
        axis.set(xlabel="nodes", ylabel=label, xscale="log", yscale="log")
        axis.set_xticks(sizes, [str(n) for n in sizes])
        axis.minorticks_off()
    axes[0].legend(frameon=False)
    figure.suptitle(f"Inference, {_INFERENCE}, {_ROWS} rows")
    figure.savefig(path, dpi=150)


def _numbers(_: click.Context, __: click.Parameter, value: str) -> list[int]:
    return [int(n) for n in value.split(",") if n]


@click.command()
@click.option("--algorithms", default=",".join(_SIX), show_default=True, help="Or: all.")
@click.option("--sizes", default="8,16,32,64", show_default=True, callback=_numbers)
@click.option("--plot", "path", metavar="FILE", help="Where to save time and memory by size.")
def main(algorithms: str, sizes: list[int], path: str | None) -> None:
    names = tasks.names() if algorithms == "all" else algorithms.split(",")
    console = terminal.output()
    began = time.perf_counter()
    ours = Ours()
    initialised = time.perf_counter() - began
    for name in tasks.names():
        ours.train(name)
    from_nothing = time.perf_counter() - began
    console.print(
        f"clrs-text-bench: all {len(tasks.names())} algorithms have made a step after "
        f"{from_nothing:.0f} s, initialised after {initialised:.0f} s"
    )
    own = {name: ours.train(name, _ROUNDS) for name in names}
    theirs = Theirs(names)
    spent = timed(theirs.init)
    console.print(f"dm-clrs: {len(names)} algorithms are initialised after {spent:.0f} s")
    peers = {name: theirs.train(name, _ROUNDS) for name in names}
    whole = (spent + sum(peer.first for peer in peers.values())) * len(tasks.names()) / len(names)
    rate = matrix_rate()
    report = Table(
        *("algorithm", "s/step", "dm-clrs", "ratio", "of matrix rate"),
        *("MB", "dm-clrs MB", "dm-clrs to first step"),
        title=f"A training step: {_ROWS} rows, {_NODES} nodes, width {_HIDDEN}",
    )
    for name in names:
        mine, peer = own[name], peers[name]
        report.add_row(
            *(name, f"{mine.seconds:.3f}", f"{peer.seconds:.3f}"),
            f"{peer.seconds / mine.seconds:.1f}",
            f"{ours.operations(name) / mine.seconds / rate:.0%}",
            *(f"{mine.megabytes:.0f}", f"{peer.megabytes:.0f}", f"{peer.first:.0f} s"),
        )
    console.print(report)
    console.print(f"matrix rate: {rate / 1e9:.0f} GFLOP/s")
    if sizes:
        report = Table(
            *("nodes", "ms", "dm-clrs ms", "ratio", "MB", "dm-clrs MB", "compiled in", "dm-clrs"),
            title=f"Inference: {_ROWS} rows of {_INFERENCE}",
        )
        found = inference(ours, sizes)
        for n, mine, peer in found:
            report.add_row(
                *(str(n), f"{1e3 * mine.seconds:.1f}", f"{1e3 * peer.seconds:.1f}"),
                f"{peer.seconds / mine.seconds:.1f}",
                *(f"{mine.megabytes:.1f}", f"{peer.megabytes:.1f}"),
                *(f"{mine.first:.0f} s", f"{peer.first:.0f} s"),
            )
        console.print(report)
        if path:
            plot(found, path)
    ratios = [peers[name].seconds / own[name].seconds for name in names]
    measured = "measured" if len(names) == len(tasks.names()) else f"from {len(names)} measured"
    print(
        f"dm-clrs / ours: from nothing {whole / from_nothing:.1f} (theirs {whole:.0f} s, "
        f"{measured}); a step {np.exp(np.mean(np.log(ratios))):.2f}, least {min(ratios):.2f}"
    )


if __name__ == "__main__":
    main()
