"""What a TransNAR must be exactly: a Transformer while gates are shut, and a frozen reasoner."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pyarrow as pa
import pytest
from flax import nnx
from pydantic import ValidationError

from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models.nar.network import Latents as Held
from clrs_text_bench.models.training import mesh, optimizer, update
from clrs_text_bench.models.training.config import Mesh, Optimizer, Train
from clrs_text_bench.models.training.trainable import module_state
from clrs_text_bench.models.transnar.network import TransNar
from clrs_text_bench.models.transnar.reading import CrossAttention, Latents, Reader

from . import tiny_transnar as tiny


@pytest.fixture(scope="module")
def reasoner():
    return tiny.reasoner()


@pytest.fixture(scope="module")
def table():
    return tiny.table()


def batches(examples):
    """Returns one batch of every shape of examples."""
    rows = {}
    for row, shape in enumerate(examples.shapes):
        rows.setdefault(shape, []).append(row)
    return [examples.batch(np.array(of), 0) for of in rows.values()]


def one_batch(trainable, table):
    """Returns all rows of a table, which have one shape."""
    (batch,) = batches(trainable.encode(table))
    return batch


def rows_of_one_shape():
    return generate_batch("bfs", 5, count=4)


PROGRAMS = {}


def logits(trainable, params, batch):
    """Returns a batch's logits; a program is compiled once for each shape of a trainable."""
    key = id(trainable), tuple((name, x.shape) for name, x in batch.items())
    if key not in PROGRAMS:
        PROGRAMS[key] = trainable, jax.jit(trainable.logits)
    return np.asarray(PROGRAMS[key][1](params, batch))


@pytest.mark.parametrize(
    "reading",
    [{}, {"layers": (1,)}, {"combine": "mlp"}, {"progressive": True}, {"latents": "edges"}],
    ids=lambda x: "-".join(x) or "paper",
)
def test_with_shut_gates_logits_are_the_plain_transformers_bit_for_bit(reasoner, reading):
    trainable = tiny.trainable(reasoner, tiny.config(**reading))
    params = trainable.init()
    batch = one_batch(trainable, rows_of_one_shape())
    text = trainable.text

    def plain(params, batch):
        model = nnx.merge(text._graph, module_state(text._shapes, params))
        return model.logits(model(batch["tokens"], batch["positions"])[0])

    expected = np.asarray(jax.jit(plain)(params["transformer"], batch))
    np.testing.assert_array_equal(logits(trainable, params, batch), expected)
    opened = logits(trainable, tiny.opened(params), batch)
    assert np.abs(opened - expected).max() > 1e-3


def trained(trainable, params, batch, **settings):
    """Returns the parameters after one step, and the gradients of it."""
    train = Train(steps=2, batch_size=len(batch["tokens"]))
    transform = optimizer.build(
        Optimizer(learning_rate=0.1, warmup_steps=0), train.steps, trainable.scales()
    )
    state = update.start(params, transform, train)

    def step(state, batch):
        gradients = jax.grad(lambda p: trainable.loss(p, batch)[0])(state.params)
        updates, _ = transform.update(gradients, state.optimizer, state.params)
        return jax.tree.map(jnp.add, state.params, updates), gradients

    return tiny.compiled(step, state, batch)


def changed(before, after):
    """Returns the names of the reasoner's parts that are not bit for bit what they were."""
    return {
        part
        for part, arrays in before.items()
        if any(
            not np.array_equal(x, y)
            for x, y in zip(jax.tree.leaves(arrays), jax.tree.leaves(after[part]), strict=True)
        )
    }


@pytest.mark.parametrize("computed", ["step", "block"])
def test_a_frozen_reasoner_stays_as_it_was_and_has_no_gradient(reasoner, computed):
    trainable = tiny.trainable(reasoner, tiny.config(nar={"computed": computed}))
    params = tiny.opened(trainable.init())
    after, gradients = trained(trainable, params, one_batch(trainable, rows_of_one_shape()))
    assert changed(params["nar"], after["nar"]) == set()
    assert all(not np.any(x) for x in jax.tree.leaves(gradients["nar"]))
    assert {"readers", "transformer"} == changed(
        {k: params[k] for k in ("readers", "transformer")}, after
    )


@pytest.mark.parametrize(
    ("tuned", "expected"),
    [("processor", {"processor"}), ("all", {"encoders", "processor", "decoders"})],
)
def test_a_tuned_reasoner_learns_where_it_is_told_to(reasoner, tuned, expected):
    trainable = tiny.trainable(reasoner, tiny.config(nar={"computed": "step", "tuned": tuned}))
    params = tiny.opened(trainable.init())
    after, gradients = trained(trainable, params, one_batch(trainable, rows_of_one_shape()))
    assert any(np.any(x) for x in jax.tree.leaves(gradients["nar"]["processor"]))
    assert changed(params["nar"], after["nar"]) >= expected - {"decoders"}
    assert changed(params["nar"], after["nar"]) <= expected | {"halting"}


def test_a_reasoner_compiled_by_itself_has_the_same_gradients(reasoner):
    nar = {"computed": "step", "tuned": "processor"}
    trainable = tiny.trainable(reasoner, tiny.config(nar=nar))
    params = tiny.opened(trainable.init())
    batch = one_batch(trainable, rows_of_one_shape())
    train = Train(batch_size=len(batch["tokens"]), accumulate=2)
    devices = mesh.make(Mesh(), 2, jax.devices()[:1])
    found = []
    for stage in (None, trainable.stage):
        transform = optax.sgd(1.0)
        state = update.start(jax.tree.map(jnp.copy, params), transform, train)
        step = update.build(trainable.loss, transform, train, devices, state, stage=stage)
        after, measured = step(state, batch)
        found.append((after.params, measured))
    assert float(measured.gradient_norm) > 0
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-6), *found)
    assert changed(params["nar"], after.params["nar"]) == {"processor"}


def test_the_loss_is_the_same_whenever_latents_are_computed_and_whatever_is_beside_a_row(
    reasoner, table
):
    in_step = tiny.trainable(reasoner, tiny.config(nar={"computed": "step"}))
    ahead = tiny.trainable(reasoner, tiny.config())
    params = tiny.opened(ahead.init())
    of_rows = [x.encode(table) for x in (in_step, ahead)]
    shapes = of_rows[1].shapes
    assert len(set(shapes)) > 1
    # Rows of several algorithms in one batch, padded to the longest.
    names = table["algo_name"].to_pylist()
    mixed = [names.index(name) for name in tiny.ALGORITHMS]
    for of_text in (examples._sequences.shapes for examples in of_rows):
        of_text[:] = [max(of_text)] * len(of_text)
    alone = []
    for examples, trainable in zip(of_rows, (in_step, ahead), strict=True):
        batch = examples.batch(np.array(mixed), 0)
        total, weight = jax.jit(trainable.loss)(params, batch)
        alone.append(float(total / weight))
    np.testing.assert_allclose(*alone, rtol=1e-5)
    single = [
        jax.jit(ahead.loss)(params, of_rows[1].batch(np.array([i] * len(mixed)), 0)) for i in mixed
    ]
    expected = sum(float(t) / len(mixed) for t, _ in single) / sum(
        float(w) / len(mixed) for _, w in single
    )
    np.testing.assert_allclose(alone[1], expected, rtol=1e-5)


def test_padding_a_graph_changes_no_logit(reasoner):
    trainable = tiny.trainable(reasoner, tiny.config())
    params = tiny.opened(trainable.init())
    examples = trainable.encode(rows_of_one_shape())
    batch = examples.batch(np.arange(4), 0)
    assert batch["held/of_nodes"].shape[2] == 8
    examples.shapes = [shape._replace(N=12) for shape in examples.shapes]
    padded = examples.batch(np.arange(4), 0)
    assert padded["held/of_edges"].shape[2:4] == (12, 12)
    np.testing.assert_allclose(
        logits(trainable, params, padded), logits(trainable, params, batch), rtol=1e-5, atol=1e-5
    )


def test_readers_that_are_computed_again_have_the_same_gradients(reasoner):
    found = []
    for remat in (False, True):
        trainable = tiny.trainable(reasoner, tiny.config({"remat": remat, "num_layers": 2}))
        params = tiny.opened(trainable.init())
        batch = one_batch(trainable, rows_of_one_shape())

        def gradient(params, batch, trainable=trainable):
            return jax.grad(lambda p: trainable.loss(p, batch)[0])(params)

        # A block and a reader of each of the two layers.
        assert str(jax.make_jaxpr(gradient)(params, batch)).count("remat2[") == 4 * remat
        found.append(tiny.compiled(gradient, params, batch))
    kept, again = found
    assert np.any(kept["readers"]["1"]["of"]["edges"]["kv"]["kernel"])
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-6), kept, again)


L, N = 8, 5


def latents(seed=0):
    draw = np.random.default_rng(seed).normal
    mask_BxN = np.array([[True] * 5, [True] * 3 + [False] * 2])
    return Latents(
        draw(size=(2, N, L)).astype(np.float32),
        draw(size=(2, N, N, L)).astype(np.float32),
        mask_BxN,
    )


def reader(**reading):
    config = tiny.config(**reading)
    made = Reader(config.transformer, config.reading, L, nnx.Rngs(0))
    made.gate[...] = jnp.float32(1.0)
    return made


X = np.random.default_rng(1).normal(size=(2, 7, 16)).astype(np.float32)


def test_keys_of_edges_stand_in_the_order_of_the_flattened_matrix():
    made, given = reader(), latents()
    memory = made.remember(given)["edges"]
    alone = made.of["edges"].remember(given.edges_BxNxNxL[:, 3, 1][:, None], np.ones((2, 1), bool))
    np.testing.assert_allclose(
        memory.k_BxHxMxK[:, :, 3 * N + 1], alone.k_BxHxMxK[:, :, 0], rtol=1e-6
    )
    assert not memory.mask_BxM[1, 3 * N + 1]
    assert memory.mask_BxM[1, 2 * N + 1]


def test_permuting_nodes_permutes_the_attention_and_leaves_what_is_read():
    made, given = reader(), latents()
    order = np.array([2, 0, 1, 3, 4])
    moved = Latents(
        given.nodes_BxNxL[:, order],
        given.edges_BxNxNxL[:, order][:, :, order],
        given.mask_BxN[:, order],
    )
    memories, of_moved = made.remember(given), made.remember(moved)
    nodes: CrossAttention = made.of["nodes"]
    weights = nodes.weights(X, memories["nodes"])
    np.testing.assert_allclose(
        nodes.weights(X, of_moved["nodes"]), weights[..., order], rtol=1e-5, atol=1e-6
    )
    pairs = (order[:, None] * N + order[None]).ravel()
    np.testing.assert_allclose(
        made.of["edges"].weights(X, of_moved["edges"]),
        made.of["edges"].weights(X, memories["edges"])[..., pairs],
        rtol=1e-5,
        atol=1e-6,
    )
    assert np.all(np.asarray(weights)[1, ..., 3:] == 0)
    np.testing.assert_allclose(np.sum(weights, axis=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(made(X, of_moved), made(X, memories), rtol=1e-5, atol=1e-5)


def test_what_is_read_is_the_weighted_sum_of_values():
    made, given = reader(latents="nodes"), latents()
    memory = made.remember(given)["nodes"]
    weights = made.of["nodes"].weights(X, memory)
    expected = np.einsum("bhtm,bhmk->bthk", weights, memory.v_BxHxMxK).reshape(X.shape)
    np.testing.assert_allclose(made.of["nodes"](X, memory), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("combine", ["concatenate", "sum", "mlp"])
def test_both_kinds_of_latents_are_combined_as_asked(combine):
    made, given = reader(combine=combine), latents()
    memories = made.remember(given)
    normed = made.norm(X)
    nodes, edges = (made.of[kind](normed, memories[kind]) for kind in ("nodes", "edges"))
    if combine == "sum":
        expected = made.out(nodes + edges)
    else:
        beside = jnp.concatenate([nodes, edges], axis=-1)
        if combine == "mlp":
            beside = jax.nn.relu(made.hidden(beside))
        expected = made.out(beside)
    np.testing.assert_allclose(made(X, memories), X + np.tanh(1.0) * expected, rtol=1e-5, atol=1e-5)


def test_progressive_layers_read_the_steps_at_their_share(reasoner):
    config = tiny.config(progressive=True, layers=(0, 2))
    model = TransNar(config, 50, L, nnx.Rngs(0))
    first, last = latents(0), latents(1)
    held = Held(*(np.stack(x) for x in zip(first[:2], last[:2], strict=True)))
    memory = model.remember(held, first.mask_BxN)
    assert memory.keys() == {"0", "2"}
    for place, given in (("0", first), ("2", last)):
        expected = model.readers[place].remember(given)
        jax.tree.map(np.testing.assert_array_equal, memory[place], expected)
    rows = reasoner.trainable.requests.rows(rows_of_one_shape())
    for of_row in reasoner.trainable.latents(reasoner.params, rows, shares=2):
        assert of_row.nodes_BxNxH.shape == (2, 5, 8)
        assert np.abs(of_row.nodes_BxNxH[0] - of_row.nodes_BxNxH[1]).max() > 1e-3


@pytest.mark.parametrize("positions", ["plain", "randomised"])
def test_answers_are_those_of_whole_passes(reasoner, positions):
    text = {"positions": {"kind": positions, "range": 128}}
    trainable = tiny.trainable(reasoner, tiny.config(text))
    params = tiny.opened(trainable.init(), 1.0)
    table = tiny.table(count=1)
    answers = trainable.completions(params, table)
    examples = trainable.encode(table)
    end = trainable.text.tokenizer.end_id
    for row in range(table.num_rows):
        prompt = trainable.text.tokenizer.encode(table["question"][row].as_py())
        said, stopped = answers[row].tokens, answers[row].finish_reason == "stop"
        batch = examples.batch(np.array([row]), 0)
        whole = np.concatenate([prompt, said])
        room = trainable.config.transformer.max_answer
        places = np.arange(len(prompt) + room)
        if positions == "randomised":
            places = examples._sequences._draw(row, 0)
        batch["tokens"] = np.pad(whole, (0, 128 - len(whole))).astype(np.int32)[None]
        batch["positions"] = np.pad(places, (0, 128))[:128].astype(np.int32)[None]
        following = np.argmax(logits(trainable, params, batch)[0], axis=-1)
        expected = [*said.tolist(), end] if stopped else said.tolist()
        start = len(prompt) - 1
        assert following[start : start + len(expected)].tolist() == expected


def test_text_with_index_hints_is_read_as_a_transformers(reasoner):
    trainable = tiny.trainable(reasoner, tiny.config({"index_hints": "random"}))
    assert trainable.record()["index_hints"] == "random-1"
    rows = rows_of_one_shape()
    batch, plain = one_batch(trainable, rows), one_batch(trainable.text, rows)
    assert plain["tokens"].max() >= trainable.text.tokenizer.vocab_size
    for name, found in plain.items():
        np.testing.assert_array_equal(batch[name], found)


@pytest.mark.parametrize("control", ["shuffled", "zeros"])
def test_other_latents_change_the_loss_as_soon_as_gates_are_open(reasoner, control):
    table = rows_of_one_shape()
    losses = []
    for latents in ("true", control):
        trainable = tiny.trainable(reasoner, tiny.config(nar={"latents": latents}))
        params = trainable.init()
        batch = one_batch(trainable, table)
        loss = jax.jit(trainable.loss)
        losses.append([float(loss(p, batch)[0]) for p in (params, tiny.opened(params))])
    (shut, opened), (shut_control, opened_control) = losses
    assert shut == shut_control
    assert abs(opened - opened_control) > 1e-4


def test_a_config_that_cannot_be_is_refused():
    with pytest.raises(ValidationError, match="layers has 3, and the last layer is 2"):
        tiny.config(layers=(0, 3))
    with pytest.raises(ValidationError, match="ascending"):
        tiny.config(layers=(1, 0))
    with pytest.raises(ValidationError, match='say computed = "step"'):
        tiny.config(nar={"tuned": "all"})


def test_rows_that_a_reasoner_cannot_read_are_refused(reasoner):
    trainable = tiny.trainable(reasoner, tiny.config())
    with pytest.raises(BadInput, match="dfs"):
        trainable.encode(generate_batch("dfs", 5, count=2))
    table = rows_of_one_shape()
    place = table.column_names.index("graph_inputs")
    field = table.schema.field(place)
    empty = table.set_column(place, field, pa.nulls(table.num_rows, field.type))
    with pytest.raises(BadInput, match="needs graph_inputs"):
        trainable.encode(empty)
