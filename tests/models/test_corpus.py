import pytest

from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.rows import sample_ids
from clrs_text_bench.models.training.config import Validation
from clrs_text_bench.models.training.corpus import Corpus

from .. import tiny_data


def ids(tables):
    return {s for table in tables for s in sample_ids(table)}


def train_rows(corpus):
    return [table for _, table in corpus.train()]


def test_held_out_rows_are_the_validation_split_where_there_is_one(tmp_path):
    dataset = tiny_data.write(tmp_path, {"train": [4], "validation": [5], "test": [6]})
    corpus = Corpus(dataset, Validation(samples=3))
    held_out = corpus.held_out()
    assert held_out.num_rows == 2 * 3
    assert set(held_out["split"].to_pylist()) == {"validation"}
    assert sum(t.num_rows for t in train_rows(corpus)) == corpus.n_rows == 2 * 20


def test_else_a_share_of_the_train_rows_by_their_identity_alone(tmp_path):
    dataset = tiny_data.write(tmp_path / "a", {"train": [4, 5], "test": [6]}, samples=200)
    corpus = Corpus(dataset, Validation(samples=1000, fraction=0.2))
    train, held_out = ids(train_rows(corpus)), ids([corpus.held_out()])
    assert not train & held_out
    assert len(train | held_out) == 800
    assert 120 < len(held_out) < 200
    assert {s.split for s in train | held_out} == {"train"}
    fewer = tiny_data.write(tmp_path / "b", {"train": [5]}, samples=100)
    again = ids([Corpus(fewer, Validation(samples=1000, fraction=0.2)).held_out()])
    assert again == {s for s in held_out if s.length == 5 and s.index < 100}


def test_a_larger_share_holds_out_what_a_smaller_one_does_and_more(tmp_path):
    dataset = tiny_data.write(tmp_path, {"train": [4]}, samples=200)
    small, large = (
        ids([Corpus(dataset, Validation(samples=1000, fraction=f)).held_out()]) for f in (0.1, 0.3)
    )
    assert small < large


def test_a_data_set_without_a_train_split_is_refused(tmp_path):
    dataset = tiny_data.write(tmp_path, {"test": [4]})
    with pytest.raises(BadInput, match=r"has no split 'train' to train on; it has test"):
        Corpus(dataset, Validation())


def test_a_share_that_holds_nothing_out_is_refused(tmp_path):
    dataset = tiny_data.write(tmp_path, {"train": [4]}, samples=2)
    with pytest.raises(BadInput, match=r"no row of .* is held out"):
        Corpus(dataset, Validation(fraction=1e-9)).held_out()
