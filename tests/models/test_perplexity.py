"""Bits per byte of any text, against hand computations."""

import hashlib
import json
import math
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pyarrow.parquet as pq
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st

from clrs_text_bench import tokenizers
from clrs_text_bench.errors import BadInput
from clrs_text_bench.models import language
from clrs_text_bench.models.trained import TrainedModel
from clrs_text_bench.models.training.trainable import module_state
from clrs_text_bench.models.transformer import positions as draws
from clrs_text_bench.models.transformer.perplexity import perplexity, spelt
from clrs_text_bench.models.transformer.trainable import TrainableTransformer
from clrs_text_bench.models.transformer.windows import windows
from clrs_text_bench.models.transnar.network import TransNar
from clrs_text_bench.models.transnar.trainable import TrainableTransNar

from . import tiny_transformer as tiny
from . import tiny_transnar

CONTEXT = 16
SHORT = "naïve text"
LONG = "A text that is longer than the context.\n\nIt goes on for a while, 12 34.\n"


def trainable(**changes):
    config = tiny.config(tokenizer="char", context=CONTEXT, num_layers=1, **changes)
    return TrainableTransformer(config, seed=0, loss="sequence")


@pytest.fixture(scope="module")
def model():
    return trainable()


@pytest.fixture(scope="module")
def params(model):
    return sharpened(model.init())


def sharpened(params):
    """Makes what is predicted depend on what was read, beyond rounding."""
    return jax.tree.map(lambda x: 3 * x, params)


@given(count=st.integers(1, 60), context=st.integers(1, 20), data=st.data())
def test_windows_score_each_token_once_with_what_stands_before_it(count, context, data):
    stride = data.draw(st.integers(1, context))
    found = windows(count, context, stride)
    scored = [place for w in found for place in range(w.first, w.stop)]
    assert scored == list(range(count))
    for window in found:
        assert window.stop - window.start <= context
        assert window.first < window.stop
        if window.start:
            assert window.first - window.start >= context - stride
    assert all(w.stop - w.start == context for w in found[:-1])


FULL = {}


def nats_by_hand(model, params, text, stride):
    """Scores every token by itself: the whole model on its window, cut off behind the token."""
    tokens = model.tokenizer.encode(text)
    read = np.concatenate([[model.tokenizer.end_id], tokens[:-1]]).astype(np.int32)
    network = nnx.merge(model._graph, module_state(model._shapes, params))
    full = FULL.setdefault("program", nnx.jit(lambda m, t, p: m.logits(m(t, p)[0])))
    kind, total = model.config.positions.kind, 0.0
    for i, token in enumerate(tokens):
        late = max(0, -(-(i + 1 - CONTEXT) // stride)) * stride
        padded = np.zeros((1, CONTEXT), np.int32)
        padded[0, : i + 1 - late] = read[late : i + 1]
        places = np.arange(CONTEXT, dtype=np.int32)[None]
        if kind == "randomised":
            places = places * 0 + drawn(model, text, late)
        logits = np.asarray(full(network, padded, places)[0, i - late], np.float64)
        total += math.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[token]
    return total


def drawn(model, text, start):
    from clrs_text_bench.identity import SampleId

    name = hashlib.sha256(text.encode()).hexdigest()
    (key,) = draws.stream_keys([SampleId(0, "text", name, CONTEXT, start)], 0)
    return draws.draw(key, 0, CONTEXT, model.config.positions.range)


@pytest.mark.parametrize("stride", [1, 5, 8, 16])
def test_bits_per_byte_by_hand(model, params, stride):
    for text in (SHORT, LONG):
        found = perplexity(model, params, text, stride=stride)
        nats = nats_by_hand(model, params, text, stride)
        assert found.nats == pytest.approx(nats, rel=1e-5)
        size = len(text.encode())
        assert found.bytes == size
        # A blank line is one token of two bytes.
        assert found.tokens == size - text.count("\n\n")
        assert found.bits_per_byte == pytest.approx(nats / math.log(2) / size, rel=1e-5)
        assert found.perplexity == pytest.approx(math.exp(nats / found.tokens), rel=1e-4)
        assert found.bits_per_token == pytest.approx(math.log2(found.perplexity))


def test_more_of_what_stands_before_is_another_number(model, params):
    found = {perplexity(model, params, LONG, stride=stride).nats for stride in (1, 5, 16)}
    assert len(found) == 3
    half = perplexity(model, params, LONG)
    assert half == perplexity(model, params, LONG, stride=CONTEXT // 2)


def test_batches_change_nothing(model, params):
    expected = perplexity(model, params, LONG, stride=3, batch=1)
    for batch in (2, 50):
        found = perplexity(model, params, LONG, stride=3, batch=batch)
        assert found.nats == pytest.approx(expected.nats, rel=1e-6)


def test_the_stride_changes_nothing_where_the_text_fits(model, params):
    assert len(model.tokenizer.encode(SHORT)) < CONTEXT
    found = [perplexity(model, params, SHORT, stride=stride) for stride in (1, 7, 16)]
    assert found[0] == found[1] == found[2]


def test_randomised_positions_are_the_windows_own():
    model = trainable(positions={"kind": "randomised", "range": 64})
    params = sharpened(model.init())
    found = perplexity(model, params, LONG, stride=8)
    assert found.nats == pytest.approx(nats_by_hand(model, params, LONG, 8), rel=1e-5)


def test_a_model_that_knows_nothing_pays_the_vocabulary(model, params):
    zeros = jax.tree.map(jnp.zeros_like, params)
    found = perplexity(model, zeros, LONG)
    size = model.tokenizer.vocab_size
    assert found.bits_per_token == pytest.approx(math.log2(size), rel=1e-6)
    assert found.perplexity == pytest.approx(size, rel=1e-5)


def test_training_on_a_text_makes_it_cheaper(model):
    text = "the cat sat on the mat. the dog sat on the log. " * 4
    (tokens,) = [model.tokenizer.encode(text)]
    starts = np.arange(0, len(tokens) - CONTEXT - 1, 5)
    places = starts[:, None] + np.arange(CONTEXT)
    batch = {
        "tokens": tokens[places],
        "targets": tokens[places + 1],
        "positions": np.tile(np.arange(CONTEXT, dtype=np.int32), (len(starts), 1)),
        "places": np.tile(np.arange(CONTEXT, dtype=np.int32), (len(starts), 1)),
        "weights": np.ones(places.shape, np.float32),
    }
    adam = optax.adam(0.02)

    @jax.jit
    def step(params, state):
        gradients = jax.grad(lambda p: model.loss(p, batch)[0] / np.float32(places.size))(params)
        updates, state = adam.update(gradients, state)
        return optax.apply_updates(params, updates), state

    params = model.init()
    before = perplexity(model, params, text).bits_per_byte
    state = adam.init(params)
    for _ in range(60):
        params, state = step(params, state)
    after = perplexity(model, params, text).bits_per_byte
    assert after < 0.6 * before
    assert perplexity(model, params, LONG).bits_per_byte > after + 1


@pytest.mark.parametrize("stride", [0, -1, 17])
def test_a_stride_is_one_of_the_context(model, params, stride):
    with pytest.raises(BadInput, match=f"stride {stride} must be from 1 to the model's context"):
        perplexity(model, params, LONG, stride=stride)


def test_there_must_be_a_text(model, params):
    with pytest.raises(BadInput, match="an empty text has no perplexity"):
        perplexity(model, params, "")


def test_a_model_that_diverged_is_told(model, params):
    broken = jax.tree.map(lambda x: x * jnp.nan, params)
    with pytest.raises(BadInput, match="gives the text nan nats a token; its training has div"):
        perplexity(model, broken, SHORT)


def test_a_tokeniser_that_alters_the_text_is_refused(tmp_path):
    library = pytest.importorskip("tokenizers")
    made = library.Tokenizer(library.models.BPE())
    made.normalizer = library.normalizers.NFC()
    made.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = library.decoders.ByteLevel()
    made.train_from_iterator(
        ["ab"],
        library.trainers.BpeTrainer(
            special_tokens=["<|endoftext|>"],
            initial_alphabet=library.pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    made.save(str(tmp_path / "tokenizer.json"))
    tokenizer = tokenizers.get(str(tmp_path))
    assert len(spelt(tokenizer, "caf\u00e9"))
    with pytest.raises(BadInput, match=r"gives character 4, 'e', back as 'é', so that its tokens"):
        spelt(tokenizer, "cafe\u0301")


def opened(monkeypatch, trainable, params):
    """Lets every spec load a model."""
    model = TrainedModel.__new__(TrainedModel)
    model.trainable, model.params = trainable, params
    monkeypatch.setattr(language.modelspec, "load", lambda spec: model)


def test_a_transnar_without_a_graph_is_the_transformer_within(monkeypatch):
    config = tiny_transnar.config(text={"num_layers": 1, "tokenizer": "char"})
    hybrid = TrainableTransNar.__new__(TrainableTransNar)
    hybrid.text = TrainableTransformer(config.transformer, seed=0, loss="answer")
    network = TransNar(config, hybrid.text.vocab_size, 8, nnx.Rngs(0))
    network.readers["0"].gate[...] = jnp.float32(0.5)
    params = nnx.to_pure_dict(nnx.state(network)) | {"nar": {}}
    opened(monkeypatch, hybrid, params)
    _, text, own = language.text_model("transnar:x")

    tokens, targets = tiny.tokens(2, 9), tiny.tokens(2, 9, seed=1)
    places = np.tile(np.arange(9, dtype=np.int32), (2, 1))

    @nnx.jit
    def unread(network, tokens, places):
        return network.logits(network(tokens, places, memory={})[0])

    logits = unread(network, tokens, places)
    expected = optax.softmax_cross_entropy_with_integer_labels(logits, targets)
    found = text.nats(own, tokens, places, targets)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.fixture
def text(tmp_path):
    file = tmp_path / "text.txt"
    file.write_bytes("minimum:\r\nkey: [0.1 0.22]\npred:\nönce\n".encode())
    return file


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_the_command_and_its_record(run, unbroken, text, tmp_path, suffix):
    out = tmp_path / "new" / f"a.{suffix}"
    asked = ("perplexity", f"transformer:{unbroken}", "--text", text, "--out", out)
    code, output, log = run(*asked, "--stride", 7)
    assert code == 0
    assert f"the record is in {out}" in log
    if suffix == "json":
        record = json.loads(out.read_text())
    else:
        (record,) = pq.read_table(out).to_pylist()
        record |= {name: json.loads(record[name]) for name in ("settings", "versions")}
    assert record["text_sha256"] == hashlib.sha256(text.read_bytes()).hexdigest()
    assert record["bytes"] == len(text.read_bytes())
    assert (record["context"], record["stride"], record["batch_size"]) == (64, 7, 8)
    assert record["model"] == "transformer"
    assert record["settings"]["tokenizer"] == "compact"
    assert len(record["checkpoint"]) == 64
    assert {"jax", "clrs-text-bench"} <= set(record["versions"])
    found = language.measure(language.Asked(asked[1], str(text), 7, 8), show=False)[0]
    assert record["nats"] == found.nats
    assert record["bits_per_byte"] == found.bits_per_byte
    assert f"{found.bits_per_byte:.4f}" in output.splitlines()[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["solver", "--text", "{text}"], "solver gives no probabilities of text; name transformer"),
        (["transformer:{run}?draws=1", "--text", "{text}"], "leave ?draws=1 out of transformer:"),
        (["transformer:{run}", "--text", "gone.txt"], "cannot read --text gone.txt: No such file"),
        (["transformer:{run}", "--text", "{binary}"], "binary is not UTF-8 at byte 3"),
        (["transformer:{run}", "--text", "{empty}"], "an empty text has no perplexity"),
        (["transformer:{run}", "--text", "{text}", "--stride", "65"], "the model's context, 64"),
        (["transformer:{run}", "--text", "{text}", "--out", "a.csv"], "must end in .json or .par"),
        (["transformer:gone", "--text", "{text}"], "run gone does not exist"),
        (["transformer:{run}"], "Missing option '--text'"),
    ],
)
def test_bad_input_is_one_sentence(run, unbroken, text, tmp_path, arguments, message):
    (tmp_path / "binary").write_bytes(b"ab\xff")
    (tmp_path / "empty").write_bytes(b"")
    names = {n: tmp_path / n for n in ("binary", "empty")} | {"text": text, "run": unbroken}
    code, output, log = run("perplexity", *(a.format(**names) for a in arguments))
    assert (code, output) == (2, "")
    assert message in log.splitlines()[-1]
    assert log.splitlines()[-1].startswith("clrs-text-bench: ")


def test_help_imports_nothing_heavy():
    heavy = ["jax", "flax", "pandas", "pyarrow", "rich"]
    code = (
        "import sys, clrs_text_bench.models.perplexity_cli;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
