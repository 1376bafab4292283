import itertools

import pytest

from clrs_text_bench import schema
from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.rows import sample_ids
from clrs_text_bench.models.training.config import Validation
from clrs_text_bench.models.training.corpus import Corpus

from .. import tiny_data


def corpus_of(dataset, *, seed=0, **settings):
    return Corpus(dataset, Validation(**settings), seed=seed, show=False)


def ids(tables):
    return {s for table in tables for s in sample_ids(table)}


def train_rows(corpus):
    return [table for _, table in corpus.train()]


def test_held_out_rows_are_the_validation_split_where_there_is_one(tmp_path):
    dataset = tiny_data.write(tmp_path, {"train": [4], "validation": [5], "test": [6]})
    corpus = corpus_of(dataset, samples=3)
    held_out = corpus.held_out()
    assert held_out.num_rows == 2 * 3
    assert set(held_out["split"].to_pylist()) == {"validation"}
    assert sum(t.num_rows for t in train_rows(corpus)) == 2 * 20


def test_else_a_share_of_the_train_rows_by_their_identity_alone(tmp_path):
    dataset = tiny_data.write(tmp_path / "a", {"train": [4, 5], "test": [6]}, samples=200)
    corpus = corpus_of(dataset, samples=1000, fraction=0.2)
    train, held_out = ids(train_rows(corpus)), ids([corpus.held_out()])
    assert not train & held_out
    assert len(train | held_out) == 800
    assert 120 < len(held_out) < 200
    assert {s.split for s in train | held_out} == {"train"}
    fewer = tiny_data.write(tmp_path / "b", {"train": [5]}, samples=100)
    again = ids([corpus_of(fewer, samples=1000, fraction=0.2).held_out()])
    assert again == {s for s in held_out if s.length == 5 and s.index < 100}


def test_a_larger_share_holds_out_what_a_smaller_one_does_and_more(tmp_path):
    dataset = tiny_data.write(tmp_path, {"train": [4]}, samples=200)
    small, large = (
        ids([corpus_of(dataset, samples=1000, fraction=f).held_out()]) for f in (0.1, 0.3)
    )
    assert small < large


def test_a_data_set_without_a_train_split_is_refused(tmp_path):
    dataset = tiny_data.write(tmp_path, {"test": [4]})
    with pytest.raises(BadInput, match=r"has no split 'train' to train on; it has test"):
        corpus_of(dataset)


def test_a_share_that_holds_nothing_out_is_refused(tmp_path):
    dataset = tiny_data.write(tmp_path, {"train": [4]}, samples=2)
    with pytest.raises(BadInput, match=r"no row of .* is held out"):
        corpus_of(dataset, fraction=1e-9).held_out()


def first_rows(corpus, rows, count, start=0):
    blocks = corpus.blocks(rows, start, schema.IDENTITY)
    return [s for table in itertools.islice(blocks, count) for s in sample_ids(table)]


def test_an_epoch_has_every_row_once_in_an_order_of_its_own(tmp_path):
    dataset = tiny_data.write(tmp_path, {"train": [4, 5], "validation": [6]})
    found = first_rows(corpus_of(dataset), rows=16, count=10)
    epochs = found[:80], found[80:]
    assert set(epochs[0]) == set(epochs[1]) == ids(train_rows(corpus_of(dataset)))
    assert len(set(epochs[0])) == 80
    assert epochs[0] != epochs[1]
    assert found[:80] != first_rows(corpus_of(dataset, seed=1), rows=16, count=5)


def test_blocks_are_the_same_from_wherever_one_begins(tmp_path):
    dataset = tiny_data.write(tmp_path, {"train": [4, 5], "validation": [6]})
    found = first_rows(corpus_of(dataset), rows=24, count=7)
    assert first_rows(corpus_of(dataset), rows=24, count=4, start=3) == found[3 * 24 :]
    assert {s.split for s in found} == {"train"}
