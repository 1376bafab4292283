"""Rows that other processes read, beside the same rows read in this one."""

from itertools import count
from threading import Semaphore

import jax
import numpy as np
import pyarrow as pa
import pytest

from clrs_text_bench import schema
from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models.nar.trainable import TrainableNar
from clrs_text_bench.models.training import cores
from clrs_text_bench.models.training.feed import Feed
from clrs_text_bench.models.transformer.trainable import TrainableTransformer

from . import tiny_reasoner, tiny_transformer, tiny_transnar

HINTS = {"index_hints": "random", "positions": {"kind": "randomised", "range": 256}}


def transformer():
    config = tiny_transformer.config(**HINTS, context=128, max_answer=32)
    return TrainableTransformer(config, seed=0, loss="answer")


def nar():
    config = tiny_reasoner.config("triplet-gmpnn", tiny_transnar.ALGORITHMS)
    return TrainableNar(config, seed=0)


def transnar():
    return tiny_transnar.trainable(tiny_transnar.reasoner(), tiny_transnar.config())


@pytest.fixture(params=[transformer, nar, transnar])
def trainable(request):
    with tiny_reasoner.quickly():
        yield request.param()


def blocks(rows, start, columns):
    """Yields two samples of each algorithm and length a block, other ones each."""
    for seed in count(start):
        tables = [
            generate_batch(x, n, count=2, seed=seed, graph_hints=True)
            for x in tiny_transnar.ALGORITHMS
            for n in (4, 5)
        ]
        yield pa.concat_tables(tables).unify_dictionaries().select(columns)


def feed(trainable, readers):
    held_out = schema.DATASET.empty_table()
    return Feed(blocks, trainable, held_out, batch_size=2, seed=0, readers=readers)


def taken(iterator, number):
    return [next(iterator).batch for _ in range(number)]


def assert_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert a.keys() == b.keys()
        jax.tree.map(np.testing.assert_array_equal, a, b)


def test_batches_are_those_of_one_process_also_from_the_middle_on(trainable):
    alone = feed(trainable, readers=0).ahead()
    expected = taken(alone, 24)
    alone.close()
    helped = feed(trainable, readers=2).ahead()
    assert_same(taken(helped, 15), expected[:15])
    place = helped.get_state()
    assert_same(taken(helped, 3), expected[15:18])
    helped.set_state(place)
    assert_same(taken(helped, 9), expected[15:])
    helped.close()


def test_the_next_block_is_made_ready_while_one_is_trained_on(monkeypatch):
    with tiny_reasoner.quickly():
        trainable = transnar()
    made, ready = Semaphore(0), trainable.ready

    def counted(*arguments):
        made.release()
        return ready(*arguments)

    monkeypatch.setattr(trainable, "ready", counted)
    found = feed(trainable, readers=1).open(0)
    next(found)
    assert all(made.acquire(timeout=60) for _ in range(2))
    assert not made.acquire(timeout=0.1)  # and no more than that
    found.close()


def test_rows_that_do_not_fit_are_refused_as_in_one_process():
    config = tiny_transformer.config(context=16, max_answer=8)
    refused = []
    for readers in (0, 1):
        found = feed(TrainableTransformer(config, seed=0, loss="answer"), readers).ahead()
        with pytest.raises(BadInput) as error:
            next(found)
        found.close()
        refused.append(str(error.value))
    assert refused[0] == refused[1]
    assert "model.context 16" in refused[0]


def test_a_cpu_needs_its_cores_to_compute():
    assert cores.readers() == cores.compilers() == 0


def test_accelerators_leave_the_cores_free(monkeypatch):
    monkeypatch.setattr(cores.jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda of: set(range(64)))
    assert (cores.readers(), cores.compilers()) == (8, 16)
