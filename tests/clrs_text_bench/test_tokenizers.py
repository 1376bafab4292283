"""Tokenisers on rows of all thirty tasks as the engine `native` makes them."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clrs_text_bench import registry, tasks, tokenizers

NAMES = ("char", "compact")
ROWS = 3


@pytest.fixture(scope="module")
def engine():
    return registry.load("generators", "native")()


def rows(engine, algorithm, length, use_hints):
    """Returns questions and answers of a few rows."""
    table = engine.generate(
        algorithm,
        length,
        seed=1,
        split="train",
        indices=np.arange(ROWS),
        use_hints=use_hints,
        graph_hints=False,
    )
    return table["question"].to_pylist(), table["answer"].to_pylist()


@pytest.mark.parametrize("use_hints", [False, True])
@pytest.mark.parametrize("algorithm", tasks.names())
def test_rows_of_every_task_are_spelt_without_loss(algorithm, use_hints, engine):
    for length in (4, 7, 12):
        questions, answers = rows(engine, algorithm, length, use_hints)
        for tokenizer in map(tokenizers.get, NAMES):
            for text in (*questions, *answers):
                assert tokenizer.decode(tokenizer.encode(text)) == text
            joint = [q + a for q, a in zip(questions, answers, strict=True)]
            for whole, question, answer in zip(joint, questions, answers, strict=True):
                apart = np.concatenate([tokenizer.encode(question), tokenizer.encode(answer)])
                assert tokenizer.decode(apart) == whole
            counted = tokenizer.lengths([*questions, *answers])
            assert counted.dtype == np.int64
            assert counted.tolist() == [len(tokenizer.encode(t)) for t in (*questions, *answers)]


@pytest.mark.parametrize("use_hints", [False, True])
@pytest.mark.parametrize("algorithm", tasks.names())
def test_an_answer_of_every_task_ends_in_its_only_end_token(algorithm, use_hints, engine):
    questions, answers = rows(engine, algorithm, 7, use_hints)
    for tokenizer in map(tokenizers.get, NAMES):
        for question, answer in zip(questions, answers, strict=True):
            assert tokenizer.end_id not in tokenizer.encode(question)
            ids = tokenizer.encode(answer)
            assert np.flatnonzero(ids == tokenizer.end_id).tolist() == [len(ids) - 1]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_any_unicode_is_spelt_without_loss(name, text):
    tokenizer = tokenizers.get(name)
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.lengths([text]).tolist() == [len(ids)]
    assert ((ids >= 0) & (ids < tokenizer.vocab_size)).all()


@pytest.mark.parametrize("name", NAMES)
def test_lengths_of_no_texts_are_no_lengths(name):
    assert tokenizers.get(name).lengths([]).shape == (0,)


def test_a_fingerprint_is_the_vocabularys_and_not_the_instances():
    assert tokenizers.Char().fingerprint == tokenizers.Char().fingerprint
    assert tokenizers.Compact().fingerprint == tokenizers.Compact().fingerprint
    assert tokenizers.Char().fingerprint != tokenizers.Compact().fingerprint


def test_a_fingerprint_is_the_same_in_another_process():
    """No order of a set or a hash of a string is in it."""
    code = "from clrs_text_bench import tokenizers as t; print(t.get('compact').fingerprint)"
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == tokenizers.get("compact").fingerprint


def test_a_value_is_the_decimal_that_a_token_decodes_to():
    tokenizer = tokenizers.get("compact")
    values = tokenizer.values()
    assert values.shape == (tokenizer.vocab_size,)
    for token in range(tokenizer.vocab_size):
        text = tokenizer.decode([token])
        if "." in text and text != ".":
            assert values[token] == float(text)
            assert tokenizer.encode(text).tolist() == [token]
        else:
            assert np.isnan(values[token]), text
    known = values[~np.isnan(values)]
    np.testing.assert_array_equal(known, np.arange(1000) / 1000)
