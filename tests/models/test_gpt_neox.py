"""The Transformer as a GPT-NeoX, against transformers' own with the same weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from clrs_text_bench.models.transformer import huggingface
from clrs_text_bench.models.transformer.config import TransformerConfig
from clrs_text_bench.models.transformer.decoding import Decoder, Prompt
from clrs_text_bench.models.transformer.network import Transformer, empty_caches

torch = pytest.importorskip("torch")
from . import tiny_neox  # noqa: E402 (needs torch)

pytestmark = pytest.mark.torch

KINDS = {
    "pythia": {},
    "whole heads turned": {"rotary_pct": 1.0},
    "one half after the other": {"use_parallel_residual": False},
    "tied": {"tie_word_embeddings": True},
    "tanh": {"hidden_act": "gelu_new"},
    "gelu_fast": {"hidden_act": "gelu_fast"},
    "another base and epsilon": {"rotary_emb_base": 500, "layer_norm_eps": 1e-2},
    "all": {
        "rotary_pct": 0.5,
        "use_parallel_residual": False,
        "tie_word_embeddings": True,
        "hidden_act": "gelu_pytorch_tanh",
    },
}


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS)
def pair(request, tmp_path_factory):
    """A model of transformers, and ours read from its folder."""
    theirs = tiny_neox.model(**request.param)
    folder = tmp_path_factory.mktemp("neox")
    theirs.save_pretrained(folder)
    return theirs, load(folder)


def load(folder, **changes):
    config = TransformerConfig(**{**huggingface.model_of(folder), **changes})
    graph, state = nnx.split(
        nnx.eval_shape(lambda: Transformer(config, config.vocab_size, nnx.Rngs(0)))
    )
    nnx.replace_by_pure_dict(state, huggingface.read(folder, config, config.vocab_size).params)
    return nnx.merge(graph, state)


@nnx.jit
def ours_on(model, tokens, places):
    x, _ = model(tokens, places)
    return model.logits(x)


@nnx.jit
def ours_masked(model, tokens, places, mask):
    caches = empty_caches(model.config, *tokens.shape)
    x, _ = model(tokens, places, caches, jnp.zeros(len(tokens), jnp.int32), mask)
    return model.logits(x)


def theirs_on(model, tokens, **options):
    with torch.no_grad():
        return model(torch.tensor(tokens, dtype=torch.long), **options).logits.numpy()


def some_tokens(batch, length, seed=0):
    return np.random.default_rng(seed).integers(0, tiny_neox.VOCAB, (batch, length), np.int32)


def test_logits_are_those_of_transformers(pair):
    theirs, ours = pair
    tokens = some_tokens(3, 40)
    places = np.tile(np.arange(40, dtype=np.int32), (3, 1))
    expected = theirs_on(theirs, tokens)
    assert expected.std() > 0.5
    np.testing.assert_allclose(ours_on(ours, tokens, places), expected, atol=1e-4)


def test_logits_at_spread_positions_are_those_of_transformers(pair):
    """As randomised positions are: ascending, with gaps."""
    theirs, ours = pair
    tokens = some_tokens(2, 12)
    rng = np.random.default_rng(1)
    places = np.sort(np.stack([rng.choice(8192, 12, replace=False) for _ in range(2)]))
    expected = theirs_on(theirs, tokens, position_ids=torch.tensor(places))
    found = ours_on(ours, tokens, places.astype(np.int32))
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("side", ["left", "right"])
def test_logits_of_padded_rows_are_those_of_transformers(pair, side):
    theirs, ours = pair
    lengths, T = (5, 12, 9), 12
    tokens = some_tokens(3, T)
    real = np.stack([np.arange(T) < n for n in lengths])
    if side == "left":
        real = real[:, ::-1]
    places = np.maximum(np.cumsum(real, axis=1) - 1, 0).astype(np.int32)
    expected = theirs_on(
        theirs,
        tokens,
        attention_mask=torch.tensor(real.astype(np.int64)),
        position_ids=torch.tensor(places, dtype=torch.long),
    )
    mask = real[:, None, None, :] & np.tril(np.ones((T, T), bool))[None, None]
    found = ours_masked(ours, tokens, places, jnp.asarray(mask))
    np.testing.assert_allclose(np.asarray(found)[real], expected[real], atol=1e-4)


@pytest.mark.parametrize("kind", ["pythia", "all"])
def test_greedy_answers_are_those_of_transformers_token_for_token(kind, tmp_path):
    theirs = tiny_neox.model(**KINDS[kind])
    theirs.save_pretrained(tmp_path)
    ours = load(tmp_path)
    end, most = 7, 24
    config = ours.config.model_copy(update={"max_answer": most})
    graph, params = nnx.split(ours)
    prompts = [some_tokens(1, n, seed=n)[0] for n in (3, 9, 13, 15)]
    found = Decoder(graph, config, end, batch=4).decode(params, [Prompt(p) for p in prompts])
    for prompt, answer in zip(prompts, found, strict=True):
        with torch.no_grad():
            ids = torch.tensor(prompt[None], dtype=torch.long)
            whole = theirs.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                max_new_tokens=most,
                eos_token_id=end,
                pad_token_id=0,
            )
        expected = whole[0, len(prompt) :].tolist()
        assert [*answer.tokens, end][: len(expected)] == expected
        assert answer.finish_reason == ("stop" if expected[-1] == end else "length")


@pytest.mark.parametrize("kind", ["pythia", "all"])
def test_blocks_computed_again_have_the_gradients_of_blocks_kept(kind, tmp_path):
    tiny_neox.model(**KINDS[kind]).save_pretrained(tmp_path)
    kept, again = load(tmp_path), load(tmp_path, remat=True)
    tokens, places = some_tokens(2, 9), np.tile(np.arange(9, dtype=np.int32), (2, 1))

    def loss(model):
        x, _ = model(tokens, places)
        return jnp.mean(model.logits(x) ** 2)

    expected, found = (jax.tree.leaves(nnx.jit(nnx.grad(loss))(m)) for m in (kept, again))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)
