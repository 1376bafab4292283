"""What a training step of a config takes on each device, by XLA's own account of the compiled step.

    python benchmarks/memory.py CONFIG [KEY=VALUE]... [--devices 1,4,8] [--accumulate 1,32]
    python benchmarks/memory.py CONFIG [KEY=VALUE]... --devices 4 --accumulate 64 --tpu v5e:2x2

Nothing is run: the step, on the config's longest sequences, is compiled, parameters and optimiser
cut over all devices. A TransNAR's reasoner need not be there: its config gives the shapes, and all
graphs have --nodes. The devices are virtual CPU devices, and then this is no measurement of a card:
XLA fuses and schedules otherwise there, and on CPUs it undoes `model.remat`. With libtpu installed
they can be TPUs, which this machine need not have; whether a step fits into their memory is XLA's
word.
"""

import itertools
import os
import re
import time
from collections.abc import Sequence
from typing import NamedTuple

import click
import jax
import numpy as np
from jax.experimental import topologies
from jax.sharding import NamedSharding, PartitionSpec
from rich.table import Table
from untrained import REASONER, build, read, text

from clrs_text_bench import terminal
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import mesh, optimizer, update
from clrs_text_bench.models.training.buckets import size_for
from clrs_text_bench.models.training.config import TrainingConfig
from clrs_text_bench.models.training.trainable import Trainable


def cpus(count: int) -> Sequence[jax.Device]:
    """Returns virtual CPU devices; to be called before JAX is used."""
    jax.config.update("jax_num_cpu_devices", count)
    return jax.devices()


def tpus(topology: str) -> Sequence[jax.Device]:
    """Returns the devices of a topology, such as v5e:2x2, to compile for."""
    os.environ["TPU_SKIP_MDS_QUERY"] = "1"
    return topologies.get_topology_desc(topology, "tpu").devices


class Given(NamedTuple):
    """What the step is compiled for besides its config: a TransNAR's reasoner, and nodes."""

    reasoner: str
    nodes: int


def compiled(
    config: TrainingConfig, given: Given, devices: Sequence[jax.Device]
) -> jax.stages.Compiled:
    """Compiles a step on the longest sequences."""
    trainable, train = build(config, given.reasoner), config.train
    transform = optimizer.build(config.optimizer, train.steps, trainable.scales())
    cut = mesh.make(config.mesh, train.batch_size // train.accumulate, devices)
    state = update.expected(trainable.shapes(), transform, train)
    step = update.build(trainable.loss, transform, train, cut, state)
    lying = mesh.shardings(cut, state)
    state = jax.tree.map(
        lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s), state, lying
    )
    rows = NamedSharding(cut, PartitionSpec((mesh.DATA, mesh.FSDP)))
    batch = jax.tree.map(
        lambda x: jax.ShapeDtypeStruct((train.batch_size, *x.shape[1:]), x.dtype, sharding=rows),
        longest(config, trainable, given.nodes),
    )
    return jax.jit(step, donate_argnums=0).lower(state, batch).compile()


def longest(config: TrainingConfig, trainable: Trainable, nodes: int) -> dict[str, np.ndarray]:
    """Returns one of the longest rows."""
    T, A = size_for(text(config).context), text(config).max_answer
    kinds = {"tokens": T, "positions": T, "places": A, "targets": A, "weights": A}
    row = {
        name: np.zeros((1, width), np.float32 if name == "weights" else np.int32)
        for name, width in kinds.items()
    }
    return row | read(trainable, 1, nodes) if config.model.kind == "transnar" else row


def account(config: TrainingConfig, given: Given, devices: Sequence[jax.Device]) -> list[str]:
    """Returns a device's GB: state and batch, temporaries, and all at the peak."""
    try:
        found = compiled(config, given, devices).memory_analysis()
    except jax.errors.JaxRuntimeError as error:
        needed = re.search(r"required for HLO temporaries \(([\d.]+)G\)", str(error))
        if not needed:
            raise
        return ["", f"{float(needed[1]) * 2**30 / 1e9:.2f}", "does not fit"]
    arguments, temporaries = found.argument_size_in_bytes, found.temp_size_in_bytes
    # The state's memory is given to the next state.
    fresh = found.output_size_in_bytes - found.alias_size_in_bytes
    return [f"{x / 1e9:.2f}" for x in (arguments, temporaries, arguments + temporaries + fresh)]


@click.command()
@click.argument("name", metavar="CONFIG")
@click.argument("overrides", nargs=-1)
@click.option("--devices", default="1,4,8", show_default=True)
@click.option("--accumulate", default="1,32", show_default=True, help="Parts of a batch.")
@click.option("--tpu", metavar="TOPOLOGY", help="Compile for TPUs, such as v5e:2x2.")
@click.option("--reasoner", default=REASONER, show_default=True, help="Config of a TransNAR's.")
@click.option("--nodes", default=14, show_default=True, help="Of a TransNAR's graphs.")
def main(
    name: str,
    overrides: tuple[str, ...],
    devices: str,
    accumulate: str,
    tpu: str | None,
    reasoner: str,
    nodes: int,
) -> None:
    counts, cuts = ([int(n) for n in given.split(",")] for given in (devices, accumulate))
    jax.config.update("jax_platforms", "cpu")
    there = tpus(tpu) if tpu else cpus(max(counts))
    given, first = Given(reasoner, nodes), configs.load(name, overrides)
    if first.model.kind == "nar":
        raise click.BadParameter(f"{name} is of a nar, whose rows are not of one length")
    remat_key = "model.transformer.remat" if first.model.kind == "transnar" else "model.remat"
    parameters = build(first, reasoner).shapes()
    total = sum(x.size for x in jax.tree.leaves(parameters))
    report = Table(
        *(
            "devices",
            "remat",
            "accumulate",
            "state and batch",
            "temporaries",
            "peak",
            "compiled in",
        ),
        title=f"{name}: {total / 1e6:.1f} million parameters; GB a device",
    )
    for count, remat, parts in itertools.product(counts, (False, True), cuts):
        changes = (f"{remat_key}={str(remat).lower()}", f"train.accumulate={parts}")
        config = configs.load(name, (*overrides, *changes, f"mesh.fsdp={count}"))
        began = time.perf_counter()
        found = account(config, given, there[:count])
        took = f"{time.perf_counter() - began:.0f} s"
        report.add_row(str(count), "yes" if remat else "no", str(parts), *found, took)
    terminal.output().print(report)


if __name__ == "__main__":
    main()
