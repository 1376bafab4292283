"""Latents that a reasoner's readers ask for: after the last step, and on the way."""

import jax
import numpy as np
import pytest
from flax import nnx

from clrs_text_bench.models.nar import executing, network
from clrs_text_bench.models.nar.graphs import NODES, STEPS

from . import tiny_reasoner as tiny

ALGORITHMS = ("insertion_sort", "bfs", "binary_search")
SHARES = 4


@pytest.fixture(scope="module", params=tiny.PROCESSORS)
def latents(request):
    """A function from (steps of each row, halts) to what was executed, and the latents passed."""
    model = tiny.reasoner(request.param, ALGORITHMS)
    graph, state = nnx.split(model)
    batch = tiny.batch(model.layout, N=6, T=8, count=2)
    begun = {k: x[:, :1] if k.startswith("hint/") else x for k, x in batch.items()}

    def found(state, steps_B, halts):
        model = nnx.merge(graph, state)
        last = executing.executed(model, begun | {STEPS: steps_B}, halts=halts)
        passed = executing.passed(model, begun, last.steps_B, SHARES)
        return last.steps_B, network.latents(last.features), passed

    run = jax.jit(found, static_argnums=2, compiler_options=tiny.QUICKLY)
    return batch, lambda steps_B, halts: jax.tree.map(np.asarray, run(state, steps_B, halts))


def close(found, expected):
    jax.tree.map(
        lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6), found, expected
    )


def test_latents_on_the_way_are_those_of_executions_that_end_there(latents):
    _, run = latents
    steps_B = np.array([7, 5, 4, 2, 1, 3])
    made_B, last, passed = run(steps_B, False)
    np.testing.assert_array_equal(made_B, steps_B)
    for k in range(SHARES):
        ends_B = np.ceil((k + 1) * steps_B / SHARES).astype(int)
        close(jax.tree.map(lambda x, k=k: x[k], passed), run(ends_B, False)[1])
    close(jax.tree.map(lambda x: x[-1], passed), last)
    assert np.abs(passed.nodes_BxNxH[0] - passed.nodes_BxNxH[1])[0].max() > 1e-3


def test_a_reasoner_that_halts_says_after_how_many_steps(latents):
    batch, run = latents
    most_B = np.full(len(batch[NODES]), 8)
    made_B, last, _ = run(most_B, True)
    assert np.all((made_B >= 1) & (made_B <= most_B))
    close(last, run(made_B, False)[1])
