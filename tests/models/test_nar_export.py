"""The reasoner's programs, lowered for accelerators that this machine need not have."""

import jax
import numpy as np
import pyarrow as pa
import pytest
from jax import export

from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models.nar import graphs
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import mesh, optimizer, update
from clrs_text_bench.models.training.trainable import build

from .tiny_reasoner import PROCESSORS

# One of each kind of probe that there is.
NAMES = ("heapsort", "lcs_length", "dfs", "bridges", "floyd_warshall", "kmp_matcher")


@pytest.fixture(scope="module", params=PROCESSORS)
def config(request):
    names = ", ".join(f'"{name}"' for name in NAMES)
    model = f'kind = "nar"\nalgorithms = [{names}]\nprocessor = "{request.param}"'
    return configs.parse(f"[model]\n{model}\n[train]\nbatch_size = 8\n", "nar.toml")


@pytest.fixture(scope="module")
def table():
    tables = [generate_batch(name, 5, count=1, graph_hints=True) for name in NAMES]
    return pa.concat_tables(tables).unify_dictionaries()


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
def test_a_training_step_lowers(config, table, platform):
    trainable, train = build(config), config.train
    transform = optimizer.build(config.optimizer, train.steps)
    state = update.expected(trainable.shapes(), transform, train)
    devices = mesh.make(config.mesh, train.batch_size, jax.devices()[:1])
    step = update.build(trainable.loss, transform, train, devices, state)
    batch = trainable.encode(table).batch(np.zeros(train.batch_size, int), visit=0)
    exported = export.export(jax.jit(step), platforms=[platform])(state, batch)
    assert exported.platforms == (platform,)
    assert "stablehlo.dot_general" in exported.mlir_module()


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
def test_answering_lowers(config, table, platform):
    trainable = build(config)
    rows = graphs.rows(table, trainable.layout)
    batch = graphs.stack(rows, trainable.layout, 8, 64, 1)
    params = trainable.shapes()
    exported = export.export(jax.jit(trainable.executed), platforms=[platform])(params, batch)
    assert exported.platforms == (platform,)
    assert "stablehlo.while" in exported.mlir_module()
