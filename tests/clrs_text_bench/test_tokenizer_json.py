"""Tokenisers of language models, on rows of all thirty tasks and on any text."""

import sys

import numpy as np
import pytest
import tokenizers as library
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

from clrs_text_bench import registry, tasks, tokenizers
from clrs_text_bench.errors import BadInput

ROWS = 2
END, PADDING = "<|endoftext|>", "<|padding|>"


@pytest.fixture(scope="module")
def rows():
    """Questions and answers of all tasks, without traces and with."""
    engine = registry.load("generators", "native")()
    found = []
    for algorithm in tasks.names():
        for use_hints in (False, True):
            table = engine.generate(
                algorithm,
                11,
                seed=1,
                split="train",
                indices=np.arange(ROWS),
                use_hints=use_hints,
                graph_hints=False,
            )
            found += zip(*(table[n].to_pylist() for n in ("question", "answer")), strict=True)
    return found


def make(texts, special=(END, PADDING)):
    """A byte-level BPE, as that of GPT-NeoX: special tokens first, runs of spaces last."""
    made = library.Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        show_progress=False,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    made.train_from_iterator(texts, trainer)
    made.add_tokens([" " * count for count in range(8, 1, -1)])
    return made


@pytest.fixture(scope="module")
def texts(rows):
    return [question + answer for question, answer in rows]


@pytest.fixture(scope="module")
def neox(texts, tmp_path_factory):
    """A tokeniser with a token for the blank line."""
    path = tmp_path_factory.mktemp("neox") / "tokenizer.json"
    make(texts).save(str(path))
    return path


@pytest.fixture(scope="module")
def plain(texts, tmp_path_factory):
    """One without."""
    path = tmp_path_factory.mktemp("plain") / "tokenizer.json"
    make([text.replace("\n\n", "\n") for text in texts]).save(str(path))
    return path


@pytest.fixture(params=["neox", "plain"])
def path(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=[False, True], ids=["numbers", "digits"])
def tokenizer(request, path):
    return tokenizers.get(str(path), split_digits=request.param)


def test_rows_of_every_task_are_spelt_without_loss(tokenizer, rows):
    for question, answer in rows:
        apart = [tokenizer.encode(question), tokenizer.encode(answer)]
        assert apart[0].dtype == np.int32
        assert tokenizer.decode(np.concatenate(apart)) == question + answer
        assert tokenizer.lengths([question, answer]).tolist() == [len(ids) for ids in apart]
        starts = tokenizer.starts(question)
        middle = starts[len(starts) // 2]
        assert starts.shape == apart[0].shape
        assert tokenizer.decode(apart[0][starts < middle]) == question[:middle]
        assert max(ids.max() for ids in apart) < tokenizer.vocab_size


def test_an_answer_of_every_task_ends_in_its_only_end_token(tokenizer, rows):
    for question, answer in rows:
        assert tokenizer.end_id not in tokenizer.encode(question)
        ids = tokenizer.encode(answer)
        assert np.flatnonzero(ids == tokenizer.end_id).tolist() == [len(ids) - 1]


def test_the_end_is_the_blank_line_of_the_vocabulary_or_the_end_of_text(neox, plain):
    for path, token in ((neox, "ĊĊ"), (plain, END)):
        tokenizer, ids = tokenizers.get(str(path)), library.Tokenizer.from_file(str(path))
        assert tokenizer.end_id == ids.token_to_id(token)
        assert tokenizer.pad_id == ids.token_to_id(PADDING)
        assert tokenizer.decode([tokenizer.end_id]) == "\n\n"
        assert tokenizer.decode([tokenizer.pad_id]) == ""


def test_rows_are_spelt_as_the_library_spells_them(neox, rows):
    ours, theirs = tokenizers.get(str(neox)), library.Tokenizer.from_file(str(neox))
    for question, answer in rows:
        for text in (question, answer):
            assert ours.encode(text).tolist() == theirs.encode(text).ids


def test_split_digits_are_single_with_the_space_before(path, rows):
    tokenizer = tokenizers.get(str(path), split_digits=True)
    spelt = [tokenizer.decode([i]) for i in tokenizer.encode(rows[0][0])]
    assert max(sum(c.isdigit() for c in token) for token in spelt) == 1
    whole = [
        tokenizers.get(str(path)).decode([i])
        for i in tokenizers.get(str(path)).encode("[0.123 0.5]")
    ]
    assert max(sum(c.isdigit() for c in token) for token in whole) > 1
    assert [tokenizer.decode([i]) for i in tokenizer.encode("a 12")] == ["a", " 1", "2"]


@settings(max_examples=200, deadline=None)
@given(text=st.text() | st.lists(st.sampled_from([END, PADDING, "\n", " ", "1", "a"])).map("".join))
@pytest.mark.parametrize("split_digits", [False, True])
def test_no_text_at_all_is_lost_and_none_is_a_special_token(neox, split_digits, text):
    tokenizer = tokenizers.get(str(neox), split_digits=split_digits)
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert not {0, 1} & set(ids.tolist())


@settings(max_examples=100, deadline=None)
@given(ids=st.lists(st.integers(0, 600), max_size=20))
def test_any_ids_decode_to_text(neox, ids):
    """Ids beyond the vocabulary as well: an embedding table may have more rows."""
    assert isinstance(tokenizers.get(str(neox)).decode(ids), str)


def test_what_is_exported_spells_numbers_the_same_by_itself(path, tmp_path, rows):
    tokenizer = tokenizers.get(str(path), split_digits=True)
    (tmp_path / "tokenizer.json").write_bytes(tokenizer.as_used())
    again = tokenizers.get(str(tmp_path))
    for question, _ in rows:
        np.testing.assert_array_equal(again.encode(question), tokenizer.encode(question))


def test_a_fingerprint_is_of_the_file_and_the_option(neox, plain):
    found = {
        tokenizers.get(str(path), split_digits=split).fingerprint
        for path in (neox, plain)
        for split in (False, True)
    }
    assert len(found) == 4
    assert tokenizers.get(str(neox.parent)).fingerprint in found  # by its folder


def test_a_file_that_changed_is_read_anew(neox, plain, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(neox.read_bytes())
    before = tokenizers.get(str(path)).fingerprint
    path.write_bytes(plain.read_bytes())
    assert tokenizers.get(str(path)).fingerprint != before


def test_a_vocabulary_without_an_end_is_a_sentence(texts, tmp_path):
    path = tmp_path / "tokenizer.json"
    make([text.replace("\n\n", "\n") for text in texts], special=()).save(str(path))
    with pytest.raises(BadInput, match=r"has no token for a blank line, nor an end of text"):
        tokenizers.get(str(path))


def test_a_tokeniser_that_loses_text_is_a_sentence(texts, tmp_path):
    path, made = tmp_path / "tokenizer.json", make(texts)
    made.normalizer = normalizers.Lowercase()
    made.save(str(path))
    with pytest.raises(BadInput, match=r"does not give every text back as it was"):
        tokenizers.get(str(path))


def test_what_is_no_tokeniser_is_a_sentence(tmp_path):
    with pytest.raises(BadInput, match=r"cannot read tokenizer .*none.json: No such file"):
        tokenizers.get(str(tmp_path / "none.json"))
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(BadInput, match=r"tokenizer.json is no tokenizer.json: "):
        tokenizers.get(str(tmp_path))


def test_a_missing_library_is_a_sentence_that_names_the_extra(neox, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    (tmp_path / "tokenizer.json").write_bytes(neox.read_bytes())
    with pytest.raises(BadInput, match=r"pip install 'clrs-text-bench\[huggingface\]'"):
        tokenizers.get(str(tmp_path))
