"""What tells the processors from each other, and what all of them keep to."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from clrs_text_bench.models.nar.edges import Edges
from clrs_text_bench.models.nar.processors import Graph

from . import tiny_reasoner as tiny

B, N, H, C = 2, 6, 8, 3


@pytest.fixture(params=tiny.PROCESSORS)
def name(request):
    return request.param


def random_graph(nodes=(N, N)):
    """Returns graphs of so many nodes each, with numbers also where there are none."""
    generator = np.random.default_rng(1)

    def normal(*shape):
        return generator.normal(size=shape).astype(np.float32)

    edges = Edges(normal(B, N, N, C), normal(B, C, H), normal(B, H))
    mask = np.arange(N)[None] < np.array(nodes)[:, None]
    return Graph(normal(B, N, H), edges, normal(B, H), normal(B, N, H), mask, np.bool_(True))


def of_nodes(graph, change):
    """Returns a graph with its nodes' axes changed, of which edges have two."""
    columns = change(change(graph.edges.columns_BxNxNxC, 1), 2)
    return graph._replace(
        nodes_BxNxH=change(graph.nodes_BxNxH, 1),
        edges=graph.edges._replace(columns_BxNxNxC=columns),
        hidden_BxNxH=change(graph.hidden_BxNxH, 1),
        mask_BxN=change(graph.mask_BxN, 1),
    )


def test_padding_changes_nothing(name):
    processor, n = tiny.processor(name), 4
    graph = random_graph((n, n))
    made = processor(graph)

    def other(x, axis):
        if x.dtype == bool:
            return x
        there = (np.arange(N) < n).reshape(-1, *(1,) * (x.ndim - 1 - axis))
        return np.where(there, x, 7.0 - x)

    otherwise = processor(of_nodes(graph, other))
    alone = processor(of_nodes(graph, lambda x, axis: x.take(np.arange(n), axis)))
    np.testing.assert_array_equal(otherwise.nodes_BxNxH[:, :n], made.nodes_BxNxH[:, :n])
    np.testing.assert_array_equal(otherwise.edges_BxNxNxH[:, :n, :n], made.edges_BxNxNxH[:, :n, :n])
    np.testing.assert_allclose(alone.nodes_BxNxH, made.nodes_BxNxH[:, :n], atol=1e-5)
    np.testing.assert_allclose(alone.edges_BxNxNxH, made.edges_BxNxNxH[:, :n, :n], atol=1e-5)
    if made.penalty_B is not None:
        np.testing.assert_array_equal(otherwise.penalty_B, made.penalty_B)
        np.testing.assert_allclose(alone.penalty_B, made.penalty_B, atol=1e-6)


def test_permuted_nodes_have_permuted_latents_unless_their_order_is_read(name):
    processor, graph = tiny.processor(name), random_graph()
    order = np.array([3, 0, 5, 1, 4, 2])
    made = processor(graph)
    permuted = processor(of_nodes(graph, lambda x, axis: x.take(order, axis)))
    # Triplets are no part of what an aggregator reduces.
    edges = made.edges_BxNxNxH[:, order][:, :, order]
    np.testing.assert_allclose(permuted.edges_BxNxNxH, edges, atol=1e-5)
    apart = np.abs(permuted.nodes_BxNxH - made.nodes_BxNxH[:, order]).max()
    if name in tiny.EQUIVARIANT:
        assert apart < 1e-5
    else:
        assert apart > 1e-2


def test_every_parameter_has_a_gradient(name):
    graph, state = nnx.split(tiny.processor(name))
    given = random_graph((N, 4))

    def total(state):
        made = nnx.merge(graph, state)(given)
        weights = jnp.cos(jnp.arange(H))
        there = given.mask_BxN[:, :, None]
        nodes = jnp.sum(jnp.where(there, made.nodes_BxNxH * weights[None, None], 0))
        return nodes + jnp.sum(made.edges_BxNxNxH[:, :4, :4])

    gradients = nnx.to_pure_dict(jax.jit(jax.grad(total))(state))
    for path, x in jax.tree.leaves_with_path(gradients):
        assert np.all(np.isfinite(x)), path
        assert np.any(x != 0), path


def lstm(sequence, of_input, bias, of_output):
    """The last output of an LSTM by its definition (Gers et al. 2000), element by element."""

    def logistic(x):
        return 1 / (1 + np.exp(-x))

    cell = output = np.zeros(H)
    for x in sequence:
        gates = x @ of_input + bias + output @ of_output
        i, g, f, o = (gates[k * H : (k + 1) * H] for k in range(4))
        cell = logistic(f + 1) * cell + logistic(i) * np.tanh(g)
        output = logistic(o) * np.tanh(cell)
    return output


def test_rnar_reads_messages_in_the_order_of_their_senders():
    rnar, nodes = tiny.processor("rnar"), (N, 4)
    graph = random_graph(nodes)
    params = jax.tree.map(lambda x: np.asarray(x, np.float64), nnx.to_pure_dict(nnx.state(rnar)))

    def layer(name, x):
        return x @ params[name]["kernel"] + params[name]["bias"]

    z = np.concatenate([graph.nodes_BxNxH, graph.hidden_BxNxH], axis=-1)
    received = rnar.aggregate(rnar.messages(graph, z), graph.mask_BxN)
    edges = graph.edges.times(np.eye(H, dtype=np.float32))
    for b, n in enumerate(nodes):
        for receiver in range(n):
            sequence = []
            for sender in range(n):
                x = layer("m_1", z[b, receiver]) + layer("m_2", z[b, sender])
                x = x + layer("m_e", edges[b, sender, receiver]) + layer("m_g", graph.graph_BxH[b])
                x = layer("mlp_0", np.maximum(x, 0))
                sequence.append(layer("mlp_1", np.maximum(x, 0)))
            cell = params["lstm"]
            expected = lstm(
                sequence,
                cell["of_input"]["kernel"],
                cell["of_input"]["bias"],
                cell["of_output"]["kernel"],
            )
            np.testing.assert_allclose(received[b, receiver], expected, atol=1e-5)


def test_g_forgetnet_with_its_gate_closed_depends_on_no_latents_of_before():
    processor, graph = tiny.processor("g-forgetnet"), random_graph()
    later = graph._replace(hidden_BxNxH=-2 * graph.hidden_BxNxH)
    tiny.leave_ajar(processor, -200.0)
    for x, y in zip(processor(graph), processor(later), strict=True):
        np.testing.assert_array_equal(x, y)
    tiny.leave_ajar(processor, 0.0)
    one, two = processor(graph), processor(later)
    assert np.abs(one.nodes_BxNxH - two.nodes_BxNxH).max() > 0.1
    assert np.abs(one.edges_BxNxNxH - two.edges_BxNxNxH).max() > 0.1
    np.testing.assert_allclose(one.hidden_BxNxH, graph.hidden_BxNxH / 2)


def test_g_forgetnets_penalty_is_the_mean_of_its_gate_where_there_are_nodes():
    processor, nodes = tiny.processor("g-forgetnet"), (N, 4)
    graph = random_graph(nodes)
    made = processor(graph)
    gate = np.asarray(made.hidden_BxNxH) / graph.hidden_BxNxH
    for b, n in enumerate(nodes):
        assert made.penalty_B[b] == pytest.approx(gate[b, :n].mean(), abs=1e-5)
