"""Processors within the reasoner: its symmetry, what it forgets, its loss, its training."""

import jax
import numpy as np
import pytest
from flax import nnx

from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models.nar import executing, measuring
from clrs_text_bench.models.nar.graphs import NODES
from clrs_text_bench.models.nar.network import State, step
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import mesh as meshes
from clrs_text_bench.models.training import optimizer, update
from clrs_text_bench.models.training.trainable import build

from . import tiny_reasoner as tiny

# Scalars, masks, categories, pointers of nodes and of edges, and an order.
ALGORITHMS = ("insertion_sort", "dfs", "floyd_warshall", "lcs_length")
N = 5


def permuted(arrays, order):
    """Returns a batch, or logits, with nodes in another order and pointers to their new places."""
    new_place = np.argsort(order)
    found = {}
    for name, x in arrays.items():
        stage, _, kind = name.rpartition("/")
        location, _, of = kind.partition("_")
        first = 2 if stage == "hint" else 1
        for axis in range({"node": 1, "edge": 2}.get(location, 0)):
            x = np.take(x, order, first + axis)
        if of in ("pointer", "permutation"):
            x = new_place[x] if stage else np.take(x, order, -1)
        found[name] = x
    return found


@pytest.mark.slow
@pytest.mark.parametrize("processor", tiny.PROCESSORS)
def test_permuted_nodes_have_permuted_predictions_unless_their_order_is_read(processor):
    model = tiny.reasoner(processor, ALGORITHMS)
    graph, state = nnx.split(model)
    batch = tiny.batch(model.layout, N=N, T=6)
    assert set(batch[NODES]) == {N}

    def predicted(state, batch):
        model = nnx.merge(graph, state)
        begun = {k: x[:, :1] if k.startswith("hint/") else x for k, x in batch.items()}
        found = executing.executed(model, begun, halts=False)
        return executing.outputs(found, None), measuring.loss(model, batch, 6)

    program = jax.jit(predicted).lower(state, batch).compile(tiny.QUICKLY)
    order = np.array([3, 0, 4, 1, 2])
    logits, loss = jax.tree.map(np.asarray, program(state, batch))
    other_logits, other_loss = program(state, permuted(batch, order))
    expected = permuted(logits, order)
    apart = {kind: np.abs(other_logits[kind] - x).max() for kind, x in expected.items()}
    assert {"node_permutation", "node_pointer", "edge_categorical"} <= apart.keys()
    assert np.abs(logits["node_pointer"] - expected["node_pointer"]).max() > 0.1
    if processor in tiny.EQUIVARIANT:
        assert max(apart.values()) < 1e-3, apart
        np.testing.assert_allclose(other_loss, loss, rtol=1e-4)
    else:
        assert apart["node_pointer"] > 0.05
        assert not np.allclose(other_loss, loss, rtol=1e-3)


def test_a_reasoner_whose_gate_is_closed_reads_off_no_latents_of_before():
    model = tiny.reasoner("g-forgetnet")
    tiny.leave_ajar(model.processor, -200.0)
    batch = tiny.batch(model.layout)
    problem, own = model.problem(batch)
    hints = model.start(problem, {k[5:]: x[:, 0] for k, x in batch.items() if k[:5] == "hint/"})
    hidden = np.random.default_rng(0).normal(size=hints.hidden_BxNxH.shape).astype(np.float32)

    def stepped():
        states = (State(x, hints.hints) for x in (hidden, -hidden))
        return [step(model.processor, problem, own, state) for state in states]

    before, after = stepped()
    np.testing.assert_array_equal(before.nodes_BxNxJ, after.nodes_BxNxJ)
    np.testing.assert_array_equal(before.latents_BxNxNxE, after.latents_BxNxNxE)
    tiny.leave_ajar(model.processor, 0.0)
    before, after = stepped()
    assert np.abs(before.nodes_BxNxJ - after.nodes_BxNxJ).max() > 0.1


@pytest.mark.slow
def test_the_penalty_is_the_mean_of_the_gate_in_the_loss_and_has_a_gradient():
    bias = -1.0
    found = {}
    for weight in (0.0, 2.0):
        model = tiny.reasoner("g-forgetnet", penalty_weight=weight)
        tiny.leave_ajar(model.processor, bias)
        graph, state = nnx.split(model)
        batch = tiny.batch(model.layout, N=8, count=2)

        def loss(state, graph=graph, batch=batch):
            return measuring.loss(nnx.merge(graph, state), batch, 8)[0]

        program = jax.jit(jax.value_and_grad(loss)).lower(state).compile(tiny.QUICKLY)
        value, gradients = program(state)
        found[weight] = value, nnx.to_pure_dict(gradients)["processor"]["let_in_1"]["bias"]
    share = 1 / (1 + np.exp(-bias))
    assert found[2.0][0] - found[0.0][0] == pytest.approx(2 * share, abs=1e-4)
    gained = found[2.0][1] - found[0.0][1]
    np.testing.assert_allclose(gained, 2 * share * (1 - share) / len(gained), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("processor", tiny.PROCESSORS)
def test_a_few_steps_of_training_lower_the_loss(processor):
    text = f"""
[model]
kind = "nar"
algorithms = ["minimum"]
hidden_dim = 8
triplet_dim = 2
processor = "{processor}"
[train]
steps = 12
batch_size = 4
[optimizer]
learning_rate = 0.01
warmup_steps = 1
"""
    config = configs.parse(text, "tiny.toml")
    trainable, train = build(config), config.train
    transform = optimizer.build(config.optimizer, train.steps)
    mesh = meshes.make(config.mesh, train.batch_size, jax.devices()[:1])
    state = meshes.place(mesh, update.start(trainable.init(), transform, train))
    step = update.build(trainable.loss, transform, train, mesh, state)
    rows = trainable.encode(generate_batch("minimum", 5, count=4, graph_hints=True))
    batch = meshes.place_batch(mesh, rows.batch(np.arange(4), visit=0))
    losses = []
    for _ in range(train.steps):
        state, measured = step(state, batch)
        losses.append(float(measured.loss))
    assert losses[-1] < 0.9 * losses[0], losses


@pytest.mark.parametrize("value", ["-0.1", "nan", "'much'"])
def test_a_wrong_weight_of_the_penalty_is_named(value):
    text = f'[model]\nkind = "nar"\nalgorithms = ["minimum"]\npenalty_weight = {value}\n'
    with pytest.raises(BadInput, match=r"model.penalty_weight = "):
        configs.parse(text, "tiny.toml")
