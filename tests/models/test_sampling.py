"""Drawn tokens, and averages over draws of positions."""

import jax
import numpy as np
import pytest
from flax import nnx

from clrs_text_bench import identity
from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.transformer import network as net
from clrs_text_bench.models.transformer import positions as draws
from clrs_text_bench.models.transformer.decoding import Decoder, Prompt
from clrs_text_bench.models.transformer.sampling import Sampling, split

from . import tiny_transformer as tiny

SAMPLES = [identity.SampleId(0, "test", "bfs", 4, index) for index in range(400)]


def test_a_spec_without_options_is_greedy():
    assert split("runs/a") == ("runs/a", Sampling())
    assert split("runs/a?temperature=0.5&seed=3&draws=2") == (
        "runs/a",
        Sampling(temperature=0.5, seed=3, draws=2),
    )


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("a?temprature=1", "unknown key 'temprature'; did you mean 'temperature'?"),
        ("a?temperature=hot", "temperature = 'hot': input should be a valid number"),
        ("a?temperature=-1", "temperature = '-1': input should be greater than or equal to 0"),
        ("a?temperature=nan", "temperature = 'nan': input should be a finite number"),
        ("a?draws=0", "draws = '0': input should be greater than or equal to 1"),
        ("a?", "after ? stand options such as"),
        ("a?seed=1&seed=2", "each once"),
    ],
)
def test_a_wrong_option_is_a_sentence(spec, sentence):
    with pytest.raises(BadInput) as error:
        split(spec)
    assert sentence in str(error.value)
    assert spec in str(error.value)


def model_of(kind="plain"):
    config = tiny.config(positions={"kind": kind, "range": 64}, context=24, max_answer=3)
    return config, net.Transformer(config, tiny.VOCAB, nnx.Rngs(3))


def decode(config, model, prompts, sampling, batch=50):
    graph, params = nnx.split(model)
    decoder = Decoder(graph, config, end_id=1, batch=batch, sampling=sampling)
    return [c.tokens.tolist() for c in decoder.decode(params, prompts)]


def test_drawn_tokens_have_the_probabilities_of_the_softmax():
    config, model = model_of()
    tokens = tiny.tokens(1, 6)[0]
    sampling = Sampling(temperature=0.25, seed=1)
    prompts = [Prompt(tokens, None, key) for key in sampling.keys(SAMPLES)]
    found = [answer[0] if answer else 1 for answer in decode(config, model, prompts, sampling)]
    x, _ = model(tokens[None], np.arange(6)[None])
    expected = jax.nn.softmax(model.logits(x)[0, -1] / 0.25)
    counts = np.bincount(found, minlength=tiny.VOCAB)
    deviations = (counts - 400 * expected) / np.sqrt(400 * expected * (1 - expected) + 1)
    assert np.abs(deviations).max() < 5
    assert (counts > 0).sum() > 3


def test_a_drawn_answer_follows_from_sample_and_seed_alone():
    config, model = model_of()
    tokens = tiny.tokens(1, 6)[0]

    def answers(seed, samples, batch):
        sampling = Sampling(temperature=1, seed=seed)
        prompts = [Prompt(tokens, None, key) for key in sampling.keys(samples)]
        return decode(config, model, prompts, sampling, batch)

    whole = answers(1, SAMPLES[:40], 50)
    assert answers(1, SAMPLES[30:40], 7) == whole[30:]
    assert answers(2, SAMPLES[:40], 50) != whole
    assert len({tuple(a) for a in whole}) > 20


def test_averaged_draws_take_the_token_of_the_highest_mean_logarithm():
    config, model = model_of("randomised")
    keys = draws.stream_keys(SAMPLES[:6], 0)
    prompts = [Prompt(tiny.tokens(1, 5, seed=i)[0], key) for i, key in enumerate(keys)]
    found = decode(config, model, prompts, Sampling(draws=3), batch=4)
    for prompt, answer in zip(prompts, found, strict=True):
        visits = (0, (1 << 63) + 1, (1 << 63) + 2)
        places = [draws.draw(prompt.key, visit, 5 + 3, 64) for visit in visits]
        written = prompt.tokens
        for token in [*answer, 1][:3]:
            logs = [
                jax.nn.log_softmax(
                    model.logits(model(written[None], p[None, : len(written)])[0])[0, -1]
                )
                for p in places
            ]
            assert int(np.argmax(np.mean(logs, axis=0))) == token
            written = np.append(written, token)
    assert len({tuple(a) for a in found}) > 1


def test_one_draw_is_the_first_of_several():
    key = draws.stream_keys(SAMPLES[:1], 0)[0]
    seen = {tuple(draws.draw(key, visit, 4, 8192)) for visit in (0, 1, (1 << 63) + 1)}
    assert len(seen) == 3
