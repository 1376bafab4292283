"""The reasoner computes what dm-clrs's network computes, for all algorithms at once, padded."""

import jax
import numpy as np
import pytest
from flax import nnx

from clrs_text_bench import tasks
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models.nar import exchange, graphs, measuring
from clrs_text_bench.models.nar.config import NarConfig
from clrs_text_bench.models.nar.layout import Layout
from clrs_text_bench.models.nar.network import Reasoner

from . import upstream_net

_LENGTH, _ROWS = 5, 3
_N, _T = 8, 32  # room for more nodes and steps than there are
_H, _F = 8, 3

# Compiling takes far longer than running; results differ in rounding only.
_QUICKLY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


@pytest.fixture(scope="module")
def network():
    config = NarConfig(hidden_dim=_H, triplet_dim=_F, halting=False)
    graph, state = nnx.split(Reasoner(config, Layout(config.algorithms), nnx.Rngs(0)))
    generator = np.random.default_rng(0)
    # Biases start at 0, where an error in them would not show.
    params = jax.tree.map(
        lambda x: np.asarray(x) + 0.1 * generator.normal(size=x.shape).astype(np.float32),
        nnx.to_pure_dict(state),
    )
    nnx.replace_by_pure_dict(state, params)
    return graph, state, Layout(config.algorithms)


def rows_of(name, layout):
    table = generate_batch(name, _LENGTH, count=_ROWS, graph_hints=True)
    return graphs.rows(table, layout)


@pytest.fixture(scope="module")
def ours(network):
    """Loss and gradients of an algorithm's rows, by one program for all algorithms."""
    graph, state, layout = network

    def loss(state, batch, algorithm):
        return measuring.loss(nnx.merge(graph, state), batch, _T)[algorithm]

    def batch(found):
        return graphs.stack(found, layout, _N, _T, _T + 1)

    example = batch(rows_of("bfs", layout))
    program = jax.jit(jax.value_and_grad(loss)).lower(state, example, 0).compile(_QUICKLY)
    return lambda name, found: program(state, batch(found), layout.algorithms.index(name))


# One of each kind of probe; gradients of all would take minutes to compile.
_DIFFERENTIATED = (
    *("insertion_sort", "heapsort", "lcs_length", "dfs", "bridges"),
    *("floyd_warshall", "kmp_matcher", "segments_intersect"),
)


@pytest.mark.slow
@pytest.mark.parametrize("name", tasks.names())
def test_losses_and_gradients_are_those_of_dm_clrs(network, ours, name):
    _, state, layout = network
    alone = Layout((name,))
    found = rows_of(name, alone)
    one, outputs = upstream_net.features(alone.tasks[0], found)
    transform = upstream_net.net(alone, _H, _F)

    def loss(params):
        return upstream_net.loss(params, transform, one, outputs, 0, found[0].n)

    place = layout.algorithms.index(name)
    tree = upstream_net.of_one(exchange.to_upstream(layout, nnx.to_pure_dict(state)), place)
    value, gradients = ours(name, rows_of(name, layout))
    if name not in _DIFFERENTIATED:
        expected = jax.jit(loss).lower(tree).compile(_QUICKLY)(tree)
        np.testing.assert_allclose(value, expected, rtol=1e-5)
        return
    program = jax.jit(jax.value_and_grad(loss)).lower(tree).compile(_QUICKLY)
    expected, expected_gradients = program(tree)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    gradients = exchange.to_upstream(layout, nnx.to_pure_dict(gradients))
    for module, parameters in upstream_net.of_one(gradients, place).items():
        for parameter, x in parameters.items():
            np.testing.assert_allclose(
                x, expected_gradients[module][parameter], rtol=1e-3, atol=2e-5, err_msg=module
            )


@pytest.mark.slow
def test_forced_hints_are_those_of_dm_clrs():
    layout = Layout(("dijkstra",))
    config = NarConfig(
        hidden_dim=_H,
        triplet_dim=_F,
        algorithms=layout.algorithms,
        halting=False,
        teacher_forcing=1.0,
    )
    graph, state = nnx.split(Reasoner(config, layout, nnx.Rngs(0)))
    found = rows_of("dijkstra", layout)
    batch = graphs.stack(found, layout, _N, 16, 17)
    noise = np.zeros((len(found), 2), np.uint32)

    def ours(state):
        return measuring.loss(nnx.merge(graph, state), batch, 16, noise)[0]

    one, outputs = upstream_net.features(layout.tasks[0], found)
    transform = upstream_net.net(layout, _H, _F, forced=True)
    tree = exchange.to_upstream(layout, nnx.to_pure_dict(state))

    def theirs(tree):
        return upstream_net.loss(tree, transform, one, outputs, 0, found[0].n)

    value = jax.jit(ours).lower(state).compile(_QUICKLY)(state)
    expected = jax.jit(theirs).lower(tree).compile(_QUICKLY)(tree)
    np.testing.assert_allclose(value, expected, rtol=1e-5)


@pytest.mark.slow
def test_rows_of_a_batch_do_not_touch_each_other(network, ours):
    *_, layout = network
    names = ("quicksort", "floyd_warshall", "graham_scan")
    mixed = [rows_of(name, layout)[0] for name in names]
    for name, row in zip(names, mixed, strict=True):
        together, alone = ours(name, mixed)[0], ours(name, [row] * len(names))[0]
        np.testing.assert_allclose(together, alone, rtol=1e-6)


def test_parameters_under_dm_clrs_names_and_back_are_the_same(network):
    _, state, layout = network
    params = nnx.to_pure_dict(state)
    tree = exchange.to_upstream(layout, params)
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), params)
    again = exchange.to_upstream(layout, exchange.from_upstream(layout, tree, shapes))
    assert tree.keys() == again.keys()
    for module, parameters in tree.items():
        for parameter, x in parameters.items():
            np.testing.assert_array_equal(x, again[module][parameter])


def test_parameters_of_dm_clrs_have_the_names_and_shapes_that_are_expected():
    layout = Layout(("heapsort", "floyd_warshall", "lcs_length"))
    config = NarConfig(hidden_dim=_H, triplet_dim=_F, algorithms=layout.algorithms, halting=False)
    params = nnx.to_pure_dict(nnx.state(Reasoner(config, layout, nnx.Rngs(0))))
    tree = exchange.to_upstream(layout, params)
    transform = upstream_net.net(layout, _H, _F)
    some = [upstream_net.features(t, rows_of(t.name, layout))[0] for t in layout.tasks]
    theirs = jax.eval_shape(lambda key: upstream_net.init(transform, key, some), jax.random.key(0))
    assert {m: {p: x.shape for p, x in found.items()} for m, found in tree.items()} == {
        m: {p: x.shape for p, x in found.items()} for m, found in theirs.items()
    }
