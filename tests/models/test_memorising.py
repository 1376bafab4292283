"""A model large enough learns by heart whatever it is shown: nothing is lost on the way."""

import itertools

import pyarrow as pa
import pytest

from clrs_text_bench import tasks
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import mesh, optimizer, scoring, update
from clrs_text_bench.models.training.feed import Feed
from clrs_text_bench.models.training.trainable import build

_LENGTH, _SAMPLES, _STEPS = 5, 64, 2400

_TOML = f"""
[model]
hidden_dim = 128
num_layers = 3
num_heads = 4
context = 256
max_answer = 128

[train]
steps = {_STEPS}
batch_size = 64
accumulate = 4

[optimizer]
learning_rate = 0.003
warmup_steps = 100
weight_decay = 0.0
"""


@pytest.mark.slow
def test_one_model_learns_64_samples_of_every_algorithm_by_heart():
    tables = [generate_batch(name, _LENGTH, count=_SAMPLES) for name in tasks.names()]
    table = pa.concat_tables(tables).combine_chunks()
    config = configs.parse(_TOML, "memorising.toml", ())
    trainable, train = build(config), config.train

    def blocks(rows, block, columns):
        return itertools.repeat(table.select(columns))

    transform = optimizer.build(config.optimizer, train.steps)
    devices = mesh.make(config.mesh, train.batch_size // train.accumulate)
    state = mesh.place(devices, update.start(trainable.init(), transform, train))
    step = update.build(trainable.loss, transform, train, devices, state)
    feed = iter(Feed(blocks, trainable, table.slice(0, 0), train.batch_size, train.seed))
    for fed in itertools.islice(feed, train.steps):
        state, _ = step(state, mesh.place_batch(devices, fed.batch))
    cells = scoring.score(trainable, state.params, table).cells
    assert {cell: scores["exact"] for cell, scores in cells.items()} == dict.fromkeys(cells, 1.0)
    assert len(cells) == 30
