"""Tiny TransNARs on reasoners that nothing has trained, and batches to run them on."""

import contextlib
import json

import jax
import numpy as np
import pyarrow as pa

from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models.nar.trainable import TrainableNar
from clrs_text_bench.models.training import checkpoint, record
from clrs_text_bench.models.training.config import TrainingConfig
from clrs_text_bench.models.transnar.config import TransNarConfig
from clrs_text_bench.models.transnar.reasoner import Described, Reasoner
from clrs_text_bench.models.transnar.trainable import TrainableTransNar

from . import tiny_reasoner

ALGORITHMS = ("insertion_sort", "bfs", "minimum")
TEXT = {"hidden_dim": 16, "num_layers": 3, "num_heads": 2, "expansion": 2}
TEXT |= {"context": 128, "max_answer": 24}


def config(text=None, nar=None, **reading):
    """Returns the config of a model of three layers."""
    values = {"run": "runs/nar", "steps": "bound", "computed": "block", **(nar or {})}
    return TransNarConfig(transformer={**TEXT, **(text or {})}, nar=values, reading=reading)


def reasoner(steps="bound", processor="triplet-gmpnn"):
    """Returns a reasoner of width 8 whose parameters are drawn."""
    model = tiny_reasoner.config(processor, ALGORITHMS)
    trainable = TrainableNar(model, seed=0, steps=steps)
    generator = np.random.default_rng(0)
    params = jax.tree.map(
        lambda x: x + 0.1 * generator.normal(size=x.shape).astype(np.float32), trainable.init()
    )
    described = Described(model=model, seed=0, hash=checkpoint.tree_hash(params))
    return Reasoner(described, trainable, params, None)


def shapes_only(steps="learned", processor="triplet-gmpnn"):
    """Returns a reasoner of width 8 without parameters, for what is lowered and not run."""
    model = tiny_reasoner.config(processor, ALGORITHMS)
    described = Described(model=model, seed=0, hash="")
    return Reasoner(described, TrainableNar(model, seed=0, steps=steps), None, None)


def trainable(given, config):
    """Returns a TransNAR on a reasoner."""
    return TrainableTransNar(config, given, seed=0, loss="answer")


def table(lengths=(4, 6), count=2):
    """Returns rows of all algorithms and lengths."""
    tables = [generate_batch(x, n, count=count) for x in ALGORITHMS for n in lengths]
    return pa.concat_tables(tables).unify_dictionaries()


def opened(params, gate=0.5):
    """Returns parameters with every gate opened."""
    params = jax.tree.map(lambda x: x, params)
    for reader in params["readers"].values():
        reader["gate"] = np.float32(gate)
    return params


def write_run(folder, trainable, params, metrics=()):
    """Writes the folder of a run whose best checkpoint has these parameters."""
    folder.mkdir(parents=True)
    begun = record.RunRecord(
        config=TrainingConfig(name="tiny", model=trainable.config),
        model=trainable.record(),
        data="tiny",
        data_hash="0" * 64,
        use_hints=False,
        train_algorithms=ALGORITHMS,
        train_lengths=(4, 5),
        command="tests",
        git_commit=None,
        versions={},
        began="2026-01-01T00:00:00+00:00",
    )
    record.write(folder, begun)
    for name, data in trainable.files().items():
        (folder / name).write_bytes(data)
    lines = [json.dumps(line) + "\n" for line in metrics]
    (folder / "metrics.jsonl").write_text("".join(lines))
    with contextlib.closing(checkpoint.Checkpoints(folder, "best", create=True)) as kept:
        kept.save(1, params, {"scores": {}})
    return folder


def compiled(function, *arguments):
    """Runs a function, compiled quickly."""
    program = jax.jit(function).lower(*arguments).compile(tiny_reasoner.QUICKLY)
    return jax.tree.map(np.asarray, program(*arguments))
