"""A TransNAR's and a reasoner's steps over meshes of virtual devices, told as JSON.

python -m tests.models.mesh_process
"""

import json

import jax
import numpy as np
import pyarrow as pa

from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models.nar.trainable import TrainableNar
from clrs_text_bench.models.training import checkpoint, mesh, optimizer, update
from clrs_text_bench.models.training.config import Mesh, Optimizer, Train

from . import tiny_reasoner, tiny_transnar

STEPS, ROWS = 3, 8
# Devices, and over how many of them parameters are cut.
MESHES = {"one": (1, 1), "cut": (8, 8), "cut copies": (8, 4)}


def drawn(trainable):
    """Returns parameters that are drawn, gates among them, without compiling anything."""
    generator = np.random.default_rng(0)
    return jax.tree.map(
        lambda x: (0.2 * generator.normal(size=x.shape)).astype(np.float32), trainable.shapes()
    )


def trained(trainable, batch, devices, fsdp):
    """Returns each step's loss and gradient norm, and what became of the parameters."""
    train, params = Train(steps=STEPS, batch_size=ROWS), drawn(trainable)
    settings = Optimizer(learning_rate=0.01, warmup_steps=0)
    transform = optimizer.build(settings, STEPS, trainable.scales())
    lying = mesh.make(Mesh(fsdp=fsdp), ROWS, jax.devices()[:devices])
    state = mesh.place(lying, update.start(params, transform, train))
    placed = mesh.place_batch(lying, batch)
    step = update.build(trainable.loss, transform, train, lying, state, stage=trainable.stage)
    step = jax.jit(step).lower(state, placed).compile(tiny_reasoner.QUICKLY)
    losses = []
    for _ in range(STEPS):
        state, measured = step(state, placed)
        losses.append([float(measured.loss), float(measured.gradient_norm)])
    sizes = [(x.size, x.addressable_shards[0].data.size) for x in jax.tree.leaves(state.params)]
    return {
        "losses": losses,
        "cut": sum(whole == fsdp * part for whole, part in sizes if fsdp > 1),
        "frozen": [checkpoint.tree_hash(x.get("nar")) for x in (params, state.params)],
    }


def transnar():
    """Returns a TransNAR whose reasoner runs in its steps, and rows of several algorithms."""
    nar = {"computed": "step", "steps": "learned"}
    config = tiny_transnar.config({"num_layers": 1}, nar)
    trainable = tiny_transnar.trainable(tiny_transnar.shapes_only(), config)
    tables = [generate_batch(name, 5, count=3) for name in tiny_transnar.ALGORITHMS]
    table = pa.concat_tables(tables).unify_dictionaries().slice(0, ROWS)
    examples = trainable.encode(table)
    of_text = examples._sequences.shapes
    of_text[:] = [max(of_text)] * len(of_text)
    return trainable, examples.batch(np.arange(ROWS), 0)


def nar():
    """Returns a reasoner, and a batch of rows."""
    config = tiny_reasoner.config("triplet-gmpnn", ("insertion_sort", "bfs"))
    trainable = TrainableNar(config, seed=0)
    table = generate_batch("insertion_sort", 5, count=ROWS, graph_hints=True)
    return trainable, trainable.encode(table).batch(np.arange(ROWS), 0)


def main():
    mesh._SMALLEST_CUT = 128  # so that a tiny model's matrices are cut, the reasoner's too
    print(
        json.dumps(
            {
                kind: {name: trained(*made(), *MESHES[name]) for name in names}
                for kind, made, names in (
                    ("transnar", transnar, ("one", "cut")),
                    ("nar", nar, ("one", "cut copies")),
                )
            }
        )
    )


if __name__ == "__main__":
    main()
