import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from clrs_text_bench import registry, tokenizers
from clrs_text_bench.models.transformer import decoding
from clrs_text_bench.models.transformer import network as net
from clrs_text_bench.models.transformer import positions as draws
from clrs_text_bench.models.transformer.decoding import Decoder, Prompt
from clrs_text_bench.models.transformer.trainable import TrainableTransformer

from . import tiny_transformer as tiny

END = 1


def prompts(count, seed=0, longest=30, key=None):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, longest, count)
    keys = rng.integers(0, 2**62, (count, 2), dtype=np.uint64)
    return [
        Prompt(tiny.tokens(1, n, seed=i)[0], keys[i] if key else None)
        for i, n in enumerate(lengths)
    ]


@nnx.jit
def next_tokens(model, tokens_T, places_T):
    """Returns what follows each place; what stands after it makes no difference."""
    x, _ = model(tokens_T[None], places_T[None])
    return jnp.argmax(model.logits(x)[0], axis=-1)


def naive(model, prompt, config):
    """Decodes one prompt by running the whole model on the whole sequence for every token."""
    n = len(prompt.tokens)
    room = max(0, min(config.max_answer, config.context - n))
    tokens, places = np.zeros(config.context, np.int32), np.zeros(config.context, np.int32)
    tokens[:n] = prompt.tokens
    places[: n + room] = np.arange(n + room)
    if config.positions.kind == "randomised":
        places[: n + room] = draws.draw(prompt.key, 0, n + room, config.positions.range)
    for t in range(n, n + room):
        following = int(next_tokens(model, jnp.asarray(tokens), jnp.asarray(places))[t - 1])
        if following == END:
            return tokens[n:t].tolist(), "stop"
        tokens[t] = following
    return tokens[n : n + room].tolist(), "length"


@pytest.fixture(scope="module", params=["plain", "randomised", "none"])
def setting(request):
    """A model that ends some of its answers and runs on in others."""
    config = tiny.config(positions={"kind": request.param, "range": 64}, context=40, max_answer=12)
    model = net.Transformer(config, tiny.VOCAB, nnx.Rngs(3))
    table = model.embedding.embedding[...]
    # A longer end token is predicted more often.
    model.embedding.embedding[...] = table.at[END].multiply(6)
    return config, model


@pytest.fixture(autouse=True)
def small_pools(monkeypatch):
    """Lets rows move among pools of 12, 24 and 40 slots."""
    monkeypatch.setattr(decoding, "_SMALLEST", 12)
    monkeypatch.setattr(decoding, "_ANSWER", 2)


DECODERS = {}


def decode(setting, asked, batch):
    config, model = setting
    graph, params = nnx.split(model)
    key = config.positions.kind, batch  # its programs are compiled once
    decoder = DECODERS.setdefault(key, Decoder(graph, config, END, batch))
    return decoder.decode(params, asked)


def plain(completions):
    return [(c.tokens.tolist(), c.finish_reason) for c in completions]


def test_answers_are_those_of_plain_decoding(setting):
    config, model = setting
    asked = prompts(8, key=True)
    found = plain(decode(setting, asked, batch=3))
    assert found == [naive(model, p, config) for p in asked]
    assert {reason for _, reason in found} == {"stop", "length"}


@pytest.mark.parametrize("batch", [1, 8])
def test_an_answer_does_not_depend_on_the_others_nor_on_the_batch(setting, batch):
    asked = prompts(12, key=True)
    expected = plain(decode(setting, asked, batch=3))
    assert plain(decode(setting, asked, batch)) == expected
    order = np.random.default_rng(1).permutation(len(asked))
    shuffled = plain(decode(setting, [asked[i] for i in order], batch))
    assert shuffled == [expected[i] for i in order]
    alone = [plain(decode(setting, [p], batch))[0] for p in asked[:3]]
    assert alone == expected[:3]


def test_rows_are_moved_when_they_are_full_and_given_away_when_they_have_ended(
    setting, monkeypatch
):
    """More prompts than rows, whose answers end anywhere and overflow one pool or two."""
    config, model = setting
    often = nnx.clone(model)
    table = model.embedding.embedding[...]
    often.embedding.embedding[...] = table.at[END].multiply(2)
    graph, params = nnx.split(often)
    decoder = Decoder(graph, config, END, batch=4)
    assert list(zip(decoder.sizes, decoder.rows, strict=True)) == [(12, 4), (24, 2), (40, 1)]
    reads, moves = [], []
    read, move = decoder.read, decoder.move

    def seen_read(key, params, pool, asked):
        reads.append(np.sum(asked.rows_C < len(pool.rows.token_B)))
        return read(key, params, pool, asked)

    def seen_move(key, larger, pool, rows_C):
        moves.append((key, np.sum(rows_C < len(larger.rows.token_B))))
        return move(key, larger, pool, rows_C)

    monkeypatch.setattr(decoder, "read", seen_read)
    monkeypatch.setattr(decoder, "move", seen_move)
    asked = prompts(40, longest=16, key=True)
    found = decoder.decode(params, asked)
    assert plain(found) == [naive(often, p, config) for p in asked]
    assert len({len(c.tokens) for c in found}) > 3
    assert sum(reads) == 40
    assert {size for size, _ in moves} == {24, 40}
    assert all(1 <= count <= 4 for _, count in moves)
    assert all(c.seconds > 0 for c in found)


def test_a_prompt_that_fills_the_context_gets_an_empty_answer(setting):
    asked = [Prompt(tiny.tokens(1, n)[0], np.zeros(2, np.uint64)) for n in (39, 40, 41, 500)]
    found = decode(setting, asked, batch=3)
    assert [len(c.tokens) <= 1 for c in found] == [True] * 4
    assert plain(found)[1:] == [([], "length")] * 3


def test_the_answer_ends_where_the_context_does(setting):
    config, _ = setting
    asked = [Prompt(tiny.tokens(1, n, seed=n)[0], np.zeros(2, np.uint64)) for n in range(25, 40)]
    for prompt, completion in zip(asked, decode(setting, asked, batch=3), strict=True):
        room = min(config.max_answer, config.context - len(prompt.tokens))
        assert len(completion.tokens) <= room
        if completion.finish_reason == "length":
            assert len(completion.tokens) == room


def test_no_prompts_get_no_answers(setting):
    assert decode(setting, [], batch=3) == []


def minimum(length, count):
    """Returns rows of the data set."""
    return registry.load("generators", "native")().generate(
        "minimum",
        length,
        seed=0,
        split="train",
        indices=np.arange(count),
        use_hints=False,
        graph_hints=False,
    )


def test_a_question_that_fills_the_context_is_answered_for_lack_of_room():
    trainable = TrainableTransformer(tiny.config(context=20), seed=0, loss="answer")
    (found,) = trainable.answer(trainable.init(), minimum(40, 1)).to_pylist()
    assert (found["prediction"], found["finish_reason"], found["n_tokens"]) == ("", "length", 0)


@pytest.mark.slow
def test_a_model_that_learnt_eight_rows_by_heart_answers_them():
    config = tiny.config(hidden_dim=32, num_layers=1, numbers="random")
    trainable, rows = TrainableTransformer(config, seed=0, loss="answer"), minimum(5, 8)
    sequences = trainable.encode(rows)
    assert len(set(sequences.shapes)) == 1
    batch = sequences.batch(np.arange(8), 0)
    optimizer = optax.adam(1e-2)

    @jax.jit
    def step(params, state):
        (loss, _), gradients = jax.value_and_grad(trainable.loss, has_aux=True)(params, batch)
        updates, state = optimizer.update(gradients, state)
        return optax.apply_updates(params, updates), state, loss

    params = trainable.init()
    state = optimizer.init(params)
    for _ in range(200):
        params, state, loss = step(params, state)
    assert float(loss) < 0.1

    tokenizer = tokenizers.get(config.tokenizer)
    answers = [a.removesuffix("\n\n") for a in rows["answer"].to_pylist()]
    assert len(set(answers)) > 1
    found = trainable.answer(params, rows)
    assert [a.removesuffix("\n\n") for a in found["prediction"].to_pylist()] == answers
    assert set(found["finish_reason"].to_pylist()) == {"stop"}
    assert found["n_tokens"].to_pylist() == [len(tokenizer.encode(a)) for a in answers]
