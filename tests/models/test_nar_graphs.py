"""What the reasoner reads off rows, and how it puts outputs into words."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clrs_text_bench import graph, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models.nar import answering, graphs
from clrs_text_bench.models.nar.layout import Layout
from clrs_text_bench.models.nar.steps import bound


def logits_of(row, layout, N):
    """Returns logits, padded to N nodes, that are high where a row's outputs are true."""
    batch = graphs.stack([row], layout, N, 8, 1)
    found = {}
    for name, x in batch.items():
        stage, _, kind = name.partition("/")
        if stage == "output":
            x = x[0]
            if kind.endswith(("pointer", "permutation")):
                x = np.eye(N)[x]
            found[kind] = 2.0 * x - 1.0
    return found


@pytest.mark.parametrize("name", tasks.names())
@pytest.mark.parametrize("length", [5, 8])
def test_true_outputs_in_words_are_the_answer(name, length):
    layout = Layout(tuple(tasks.names()))
    table = generate_batch(name, length, count=20, graph_hints=True)
    for row, found in zip(table.to_pylist(), graphs.rows(table, layout), strict=True):
        task = tasks.get(name)
        inputs = graph.unpack(name, length, row["graph_inputs"], "input")
        logits = logits_of(found, layout, N=12)
        n = task.n_nodes(length)
        outputs = answering.chosen(layout, task, logits, n)
        words = answering.answer(layout, task, inputs, outputs, logits, n)
        assert words == row["answer"].rstrip("\n")
        true = graph.unpack(name, length, row["graph_outputs"], "output")
        assert outputs.keys() == true.keys()
        for probe in task.stage("output"):
            x = true[probe.name]
            there = x != -1  # masked
            if probe.type == "categorical":
                there = np.all(there, axis=-1)
            np.testing.assert_array_equal(outputs[probe.name][there], x[there])


@given(st.permutations(range(7)))
def test_an_order_becomes_a_cycle_and_an_order_again(order):
    pointers = np.empty(7, int)
    pointers[order[0]] = order[0]
    for before, node in itertools.pairwise(order):
        pointers[node] = before
    cycle, first = graphs.cyclic(pointers)
    assert sorted(cycle) == list(range(7))
    assert first.argmax() == order[0]
    np.testing.assert_array_equal(answering.order(np.eye(7)[cycle], order[0]), pointers)


@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_any_logits_give_an_order(n, seed):
    generator = np.random.default_rng(seed)
    first = int(generator.integers(n))
    pointers = answering.order(generator.normal(size=(n, n)), first)
    node, seen = first, [first]
    while len(seen) < n:
        (node,) = [i for i in range(n) if pointers[i] == node and i != first]
        seen.append(node)
    assert sorted(seen) == list(range(n))


@pytest.mark.parametrize("name", tasks.names())
def test_no_trace_is_longer_than_the_bound(name):
    for length in (4, 5, 8, 13, 20):
        n = tasks.get(name).n_nodes(length)
        steps = generate_batch(name, length, count=200)["n_steps"].to_numpy()
        assert steps.max() - 1 <= bound(name, n)


def test_a_list_pointer_that_stays_the_same_is_an_input():
    layout = Layout(("minimum", "insertion_sort"))
    table = generate_batch("minimum", 4, count=1, graph_hints=True)
    (row,) = graphs.rows(table, layout)
    np.testing.assert_array_equal(row.probes["input"]["pred"], [0, 0, 1, 2])
    assert "pred_h" not in row.probes["hint"]
    assert "pred_h" in {source.name for source in layout.sources(1) if source.stage == "hint"}


def test_hints_are_filled_up_with_their_last_point():
    layout = Layout(("minimum",))
    table = generate_batch("minimum", 4, count=1, graph_hints=True)
    (row,) = graphs.rows(table, layout)
    batch = graphs.stack([row], layout, 6, 5, 6)
    hints = batch["hint/node_mask_one"][0]
    assert hints.shape == (6, 6, 2)
    for slot, name in enumerate(("min_h", "i")):
        np.testing.assert_array_equal(hints[:4, :4, slot], row.probes["hint"][name])
        np.testing.assert_array_equal(hints[4:, :4, slot], [row.probes["hint"][name][-1]] * 2)
    assert not hints[:, 4:].any()
    assert (batch["steps"], batch["nodes"]) == (3, 4)


def test_a_row_without_its_trace_is_named():
    layout = Layout(("minimum",))
    with pytest.raises(BadInput, match=r"row 0 \(minimum, length 4\) has no graph_hints; make"):
        graphs.rows(generate_batch("minimum", 4, count=1), layout)


def test_a_row_of_another_algorithm_is_named():
    table = generate_batch("bfs", 4, count=1, graph_hints=True)
    with pytest.raises(BadInput, match="a row is of bfs, which the network was not made for"):
        graphs.rows(table, Layout(("minimum",)))
