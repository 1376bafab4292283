"""What is seen within a TransNAR, against what its parts give one by one."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models import load
from clrs_text_bench.models.training import checkpoint, record
from clrs_text_bench.models.training.trainable import module_state
from clrs_text_bench.models.transformer.network import rotation
from clrs_text_bench.models.transnar.reading import Latents
from clrs_text_bench.models.transnar.trained import TrainedTransNar
from clrs_text_bench.protocols import ReadingModel

from . import tiny_reasoner
from . import tiny_transnar as tiny

LAYERS = (0, 2)
LOGGED = [
    {"kind": "initial", "step": 0, "params_hash": "0"},
    {"kind": "train", "step": 2, "loss": 1.0, "watched": {"gate/0": 0.25, "gate/2": -0.5}},
    {"kind": "train", "step": 4, "loss": 0.5, "watched": {"gate/0": 0.5, "gate/2": -0.75}},
    {"kind": "validation", "step": 4, "clrs": 0.0},
]


@pytest.fixture(scope="module", autouse=True)
def _compiled_quickly():
    with tiny_reasoner.quickly():
        yield


@pytest.fixture(scope="module")
def trainable():
    return tiny.trainable(tiny.reasoner(), tiny.config(layers=LAYERS))


@pytest.fixture(scope="module")
def opened(trainable):
    """Parameters whose gates are open, each differently."""
    params = tiny.opened(trainable.init())
    for place, gate in zip(LAYERS, (0.5, -1.0), strict=True):
        params["readers"][str(place)]["gate"] = np.float32(gate)
    return params


@pytest.fixture(scope="module")
def table():
    return generate_batch("bfs", 5, count=3)


@pytest.fixture(scope="module")
def run(trainable, opened, tmp_path_factory):
    return tiny.write_run(tmp_path_factory.mktemp("runs") / "run", trainable, opened, LOGGED)


@pytest.fixture(scope="module")
def model(run, trainable, opened):
    """The run's model on the trainable that tests share, so that a program is compiled once."""
    kept = checkpoint.Checkpoint(1, opened, {})
    return TrainedTransNar(run, trainable, record.read(run), kept, {})


def by_hand(trainable, params, batch):
    """Returns the shares of a batch's first row and its tokens' attention, layer by layer."""
    weights = {k: params[k] for k in ("readers", "transformer")}
    net = nnx.merge(trainable._graph, module_state(trainable._shapes, weights))
    nodes, edges = (batch[f"held/of_{kind}"][:, 0] for kind in ("nodes", "edges"))
    latents = Latents(nodes, edges, jnp.arange(nodes.shape[1])[None] < batch["nodes"][:, None])
    text = net.transformer
    x = text.embedding(batch["tokens"]) * math.sqrt(text.config.hidden_dim)
    turns = rotation(batch["positions"], text.config.rotary_dim, text.config.positions.base)
    ratios, attended = [], []
    for place, block in enumerate(text.blocks):
        x, _ = block(x, turns)
        if place not in LAYERS:
            continue
        reader = net.readers[str(place)]
        memories = reader.remember(latents)
        let_in = jnp.tanh(params["readers"][str(place)]["gate"]) * reader.read(x, memories)
        seen = reader.of["nodes"].weights(reader.norm(x), memories["nodes"])
        attended.append(jnp.mean(seen[0], axis=0))
        x = x + let_in
        norms = (jnp.sqrt(jnp.sum(y[0] ** 2, axis=-1)) for y in (let_in, x))
        ratios.append(next(norms) / next(norms))
    return jnp.stack(ratios), jnp.stack(attended)


def test_shares_and_attention_are_those_of_the_layers_one_by_one(trainable, opened, table, model):
    shares, seen = model.shares(table), model.attention(table)[1]
    assert shares.shape == (3, 2)
    assert np.all(shares > 0.01)
    batch = trainable.answers(opened, table).batch(np.array([1]), 0)
    ratios, attended = tiny.compiled(lambda p, b: by_hand(trainable, p, b), opened, batch)
    places = batch["places"][0][batch["weights"][0] > 0]
    np.testing.assert_allclose(shares[1], ratios[:, places].mean(axis=1), rtol=1e-4)
    np.testing.assert_allclose(seen.nodes, attended[:, places, :5], rtol=1e-4, atol=1e-6)
    assert seen.layers == [0, 2]
    assert seen.edges.shape == (2, len(places), 5, 5)
    np.testing.assert_allclose(seen.edges.sum(axis=(2, 3)), 1, rtol=1e-5)
    said = trainable.text.tokenizer.encode(table["answer"][1].as_py())
    assert seen.tokens == [trainable.text.tokenizer.decode([token]) for token in said.tolist()]


def test_index_hints_are_shown_by_their_index(tmp_path, table):
    hinted = tiny.trainable(tiny.reasoner(), tiny.config({"index_hints": "plain"}, layers=LAYERS))
    params = tiny.opened(hinted.init())
    run = tiny.write_run(tmp_path / "run", hinted, params, LOGGED)
    kept = checkpoint.Checkpoint(1, params, {})
    (seen, *_) = TrainedTransNar(run, hinted, record.read(run), kept, {}).attention(table)
    spelt = "".join(token for token in seen.tokens if not token.startswith("[i"))
    assert spelt == table["answer"][0].as_py().replace(" ", "")
    assert [token for token in seen.tokens if token.startswith("[i")] == [
        f"[i{k}]" for k in range(5)
    ]


def test_shut_gates_give_a_share_of_0(trainable, table, model):
    shut = trainable.init()
    batch = trainable.answers(shut, table).batch(np.arange(32) % 3, 0)
    np.testing.assert_array_equal(model._shares(shut, batch), np.zeros((32, 2)))
    assert trainable.watched(shut) == {"gate/0": 0.0, "gate/2": 0.0}


def test_gates_are_told_now_and_over_training(model):
    assert isinstance(model, ReadingModel)
    assert (model.trained_on, model.tuned) == ("true", False)
    assert model.gates() == pytest.approx({0: np.tanh(0.5), 2: np.tanh(-1.0)})
    assert model.gates_over_training() == {2: {0: 0.25, 2: -0.5}, 4: {0: 0.5, 2: -0.75}}


def test_the_reasoner_is_the_one_that_the_run_holds(trainable, opened, model):
    own = model.reasoner().info()
    assert own.checkpoint == trainable.reasoner.described.hash
    assert own.settings["steps"] == "bound"
    assert own.n_parameters == sum(x.size for x in jax.tree.leaves(opened["nar"]))


@pytest.fixture(scope="module")
def plain(run):
    return load(f"transnar:{run}")


@pytest.mark.parametrize("latents", ["true", "shuffled", "zeros"])
def test_a_spec_says_which_latents_are_read(run, plain, latents):
    asked = load(f"transnar:{run}?latents={latents}")
    assert asked.info().settings == plain.info().settings | {"latents": latents}
    assert asked.trainable.config.nar.latents == latents
    assert asked.trained_on == plain.info().settings["trained_latents"] == "true"


def test_unknown_latents_are_refused(run):
    with pytest.raises(BadInput, match=r"latents = 'ones': input should be 'true', 'shuffled' or"):
        load(f"transnar:{run}?latents=ones")


def test_a_transformers_spec_takes_no_latents(run):
    with pytest.raises(BadInput, match="unknown key 'latents'"):
        load(f"transformer:{run}?latents=zeros")
