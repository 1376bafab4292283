"""Low-rank adapters of a reasoner, and parameters that learn at a rate of their own."""

import jax
import numpy as np
import pytest

from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models.transnar import adapters

from . import tiny_transnar as tiny
from .test_transnar import changed, one_batch, trained

RANK = 2


@pytest.fixture(scope="module")
def reasoner():
    return tiny.reasoner()


def table():
    return generate_batch("bfs", 5, count=4)


def adapted(reasoner, **nar):
    return tiny.trainable(
        reasoner, tiny.config(nar={"tuned": "adapters", "rank": RANK, "computed": "step", **nar})
    )


def test_adapters_that_nothing_has_trained_change_no_bit(reasoner):
    params = adapters.init(reasoner.params, RANK, seed=0)
    found = adapters.adapted(reasoner.params, params)
    assert changed(reasoner.params, found) == set()


def test_an_adapter_adds_a_product_of_its_rank(reasoner):
    params = adapters.init(reasoner.params, RANK, seed=0)
    params["m_1/kernel"]["up"] = np.random.default_rng(0).normal(size=(RANK, 8)).astype(np.float32)
    found = adapters.adapted(reasoner.params, params)
    assert changed(reasoner.params, found) == {"processor"}
    before, after = (x["processor"]["m_1"]["kernel"] for x in (reasoner.params, found))
    added = np.asarray(params["m_1/kernel"]["down"]) @ params["m_1/kernel"]["up"]
    np.testing.assert_allclose(after - before, added, atol=1e-6)
    assert np.linalg.matrix_rank(added) == RANK
    others = {k: v for k, v in found["processor"].items() if k != "m_1"}
    assert changed({k: reasoner.params["processor"][k] for k in others}, others) == set()


def test_every_matrix_of_the_processor_has_an_adapter_and_nothing_else(reasoner):
    found = adapters.init(reasoner.params, RANK, seed=0)
    sizes = [x.shape for x in jax.tree.leaves(reasoner.params["processor"]) if x.ndim == 2]
    assert sorted((x["down"].shape[0], x["up"].shape[1]) for x in found.values()) == sorted(sizes)
    shapes = jax.tree.map(lambda x: x.shape, adapters.shapes(reasoner.params, RANK))
    assert shapes == jax.tree.map(lambda x: x.shape, found)


def test_adapters_learn_and_the_reasoner_beneath_stays_as_it_was(reasoner):
    trainable = adapted(reasoner)
    params = tiny.opened(trainable.init())
    after, gradients = trained(trainable, params, one_batch(trainable, table()))
    assert changed(params["nar"], after["nar"]) == set()
    assert all(not np.any(x) for x in jax.tree.leaves(gradients["nar"]))
    grown = [name for name, x in after["adapters"].items() if np.any(x["up"])]
    assert "m_1/kernel" in grown
    assert changed(params["nar"], trainable.executing(after)) == {"processor"}


def test_answers_are_of_the_adapted_reasoner(reasoner):
    plain = tiny.trainable(reasoner, tiny.config(nar={"computed": "step"}))
    trainable = adapted(reasoner)
    params = tiny.opened(trainable.init(), gate=2.0)
    for adapter in params["adapters"].values():
        adapter["up"] = adapter["up"] + 0.5
    merged = {k: v for k, v in params.items() if k != "adapters"}
    merged["nar"] = jax.tree.map(np.asarray, trainable.executing(params))
    found = trainable.answer(params, table())
    assert (
        found["prediction"].to_pylist() == plain.answer(merged, table())["prediction"].to_pylist()
    )


def test_the_rate_of_gates_and_of_a_tuned_reasoner_is_their_own(reasoner):
    config = tiny.config(
        nar={"tuned": "adapters", "computed": "step", "learning_rate_scale": 0.25},
        gate_learning_rate_scale=10.0,
    )
    scales = tiny.trainable(reasoner, config).scales()
    gates = {reader.pop("gate") for reader in scales["readers"].values()}
    assert gates == {10.0}
    rest = {part: set(jax.tree.leaves(of_part)) for part, of_part in scales.items()}
    assert rest == {"nar": {0.0}, "adapters": {0.25}, "readers": {1.0}, "transformer": {1.0}}
