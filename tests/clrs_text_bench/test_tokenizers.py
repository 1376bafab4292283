"""Tokenisers, on rows of all thirty tasks as the engine `native` makes them and on any text."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clrs_text_bench import clrs30, registry, tasks, tokenizers
from clrs_text_bench.errors import BadInput

NAMES = tokenizers.names()
LENGTHS = (4, 7, 11, 12)
ROWS = 4


@pytest.fixture(scope="module")
def engine():
    return registry.load("generators", "native")()


@pytest.fixture(params=[False, True], ids=["plain", "traced"])
def rows(request, algorithm, engine):
    """Questions and answers of a few samples of a task.

    Over all tasks, numbers there are whole, of one to three decimals, negative, above 1, or -1 for
    what is masked.
    """
    found = []
    for length in LENGTHS:
        table = engine.generate(
            algorithm,
            length,
            seed=1,
            split="train",
            indices=np.arange(ROWS),
            use_hints=request.param,
            graph_hints=False,
        )
        columns = (table[name].to_pylist() for name in ("question", "answer"))
        found += zip(*columns, strict=True)
    return found


@pytest.mark.parametrize("algorithm", tasks.names())
def test_rows_of_every_task_are_spelt_without_loss(algorithm, rows):
    texts = [text for row in rows for text in row]
    for tokenizer in map(tokenizers.get, NAMES):
        for text in texts:
            assert tokenizer.decode(tokenizer.encode(text)) == text
        for question, answer in rows:
            apart = np.concatenate([tokenizer.encode(question), tokenizer.encode(answer)])
            assert tokenizer.decode(apart) == question + answer
        counted = tokenizer.lengths(texts)
        assert counted.dtype == np.int64
        assert counted.tolist() == [len(tokenizer.encode(text)) for text in texts]


@pytest.mark.parametrize("algorithm", tasks.names())
def test_an_answer_of_every_task_ends_in_its_only_end_token(algorithm, rows):
    for tokenizer in map(tokenizers.get, NAMES):
        for question, answer in rows:
            assert tokenizer.end_id not in tokenizer.encode(question)
            ids = tokenizer.encode(answer)
            assert np.flatnonzero(ids == tokenizer.end_id).tolist() == [len(ids) - 1]


@pytest.mark.parametrize("algorithm", tasks.names())
def test_no_text_of_a_task_needs_bytes_in_compact(algorithm, rows):
    """Whatever a task writes is words, brackets and numbers of the vocabulary."""
    tokenizer = tokenizers.get("compact")
    bytes_ = range(2, 258)
    for row in rows:
        for text in row:
            assert not [i for i in tokenizer.encode(text) if i in bytes_], text


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=300, deadline=None)
@given(text=st.text())
def test_no_text_at_all_is_lost(name, text):
    tokenizer = tokenizers.get(name)
    ids = tokenizer.encode(text)
    assert ids.dtype == np.int32
    assert tokenizer.decode(ids) == text
    assert tokenizer.lengths([text]).tolist() == [len(ids)]
    starts = tokenizer.starts(text)
    assert starts.shape == ids.shape
    for start in starts[len(ids) // 2 :][:1]:
        assert tokenizer.decode(ids[starts < start]) == text[:start]
    assert ((ids >= 0) & (ids < tokenizer.vocab_size)).all()


# Pieces that the compact vocabulary treats in ways of their own, in every order.
PIECES = [" ", "  ", "-", "0.5", "0.50", "0.123", "1.727", "-1", "1", "12", "100", "007", "1.0"]
PIECES += ["0.", ".5", "9.9", "10.5", "[", "]", "[[", "]], [[", "], [", "\n", "\n\n", ":", ": "]
PIECES += ["bfs", "bfs:\n", "key: ", "pi", "trace | ", "é", "٣", "_", ","]


@settings(max_examples=2000, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=8))
def test_numbers_signs_and_spaces_are_kept_in_every_order(pieces):
    tokenizer = tokenizers.get("compact")
    text = "".join(pieces)
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_ids_decode_to_text(name, data):
    tokenizer = tokenizers.get(name)
    ids = st.lists(st.integers(0, tokenizer.vocab_size - 1), max_size=20)
    assert isinstance(tokenizer.decode(data.draw(ids)), str)


@pytest.mark.parametrize("name", NAMES)
def test_padding_decodes_to_nothing(name):
    tokenizer = tokenizers.get(name)
    pad = tokenizer.pad_id
    ids = tokenizer.encode("[0.5 1.25]\n\n")
    spread = [pad, *(i for token in ids.tolist() for i in (token, pad))]
    assert tokenizer.decode(spread) == "[0.5 1.25]\n\n"


@pytest.mark.parametrize("name", NAMES)
def test_lengths_of_no_texts_are_no_lengths(name):
    assert tokenizers.get(name).lengths([]).shape == (0,)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("bfs:\ns: 0, A: [[0 1], [1 0]]\npi:\n", 13),
        ("[0.1 0.25 0.333]\n\n", 6),
        ("[-0.5 1.727]\n\n", 7),
        ("[-1 99]\n\n", 5),
        ("[100]", 5),
        ("[007]", 5),
        ("", 0),
    ],
)
def test_compact_spells_in_so_many_tokens(text, pieces):
    assert len(tokenizers.get("compact").encode(text)) == pieces


def test_the_same_number_is_the_same_token_wherever_it_stands():
    tokenizer = tokenizers.get("compact")
    ids = tokenizer.encode("[0.5 0.5 0.5]").tolist()
    assert len(set(ids[1:-1])) == 1


def test_char_is_one_token_a_byte():
    tokenizer = tokenizers.get("char")
    assert len(tokenizer.encode("aé\n\n")) == 1 + 2 + 1


def test_broken_utf8_becomes_replacement_characters():
    tokenizer = tokenizers.get("char")
    first_of_two = tokenizer.encode("é")[:1]
    assert tokenizer.decode([*tokenizer.encode("a"), *first_of_two]) == "a\ufffd"


@pytest.mark.parametrize(
    ("name", "size", "fingerprint"),
    [("char", 258, "c36d7b07c404"), ("compact", 1718, "98c6a83d4f54")],
)
def test_a_vocabulary_stays_as_it_is(name, size, fingerprint):
    """Another vocabulary needs a new version: old checkpoints must be refused, not misread."""
    tokenizer = tokenizers.get(name)
    assert tokenizer.vocab_size == size
    assert tokenizer.fingerprint[:12] == fingerprint


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


def test_no_word_ends_in_a_digit():
    """A number after a digit implies a space, so no other token may end in one."""
    words = [p.name for t in clrs30.TASKS for p in t.probes] + [t.name for t in clrs30.TASKS]
    assert not [w for w in words if w[-1].isdigit()]


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


def test_values_of_tokens_of_a_text():
    values = tokenizers.get("compact").values()
    encode = tokenizers.get("compact").encode
    assert values[encode("0.0 0.5 0.999")].tolist() == [0.0, 0.5, 0.999]
    assert np.isnan(values[encode("bfs:\n7")]).all()


def test_a_character_has_no_value():
    assert np.isnan(tokenizers.get("char").values()).all()


def test_an_unknown_tokenizer_is_named_with_the_nearest():
    with pytest.raises(BadInput, match=r"unknown tokenizer 'compat'; did you mean 'compact'\?"):
        tokenizers.get("compat")
