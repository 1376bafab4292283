"""Fingerprints of inputs, and what is counted with them."""

import numpy as np
import pyarrow as pa
import pytest

from clrs_text_bench import schema
from clrs_text_bench.datasets import OverlapRecord
from clrs_text_bench.generators import generate_batch, overlap
from clrs_text_bench.recipes import Cell


def table(rows):
    """Makes a table whose graph inputs are these."""
    columns = {"graph_inputs": pa.array(rows, schema.DATASET.field("graph_inputs").type)}
    return pa.table(columns)


def prints(rows):
    return overlap.fingerprints(table(rows)).tolist()


def test_equal_inputs_alone_have_equal_fingerprints():
    a, b, c, d = prints([[0.1, 0.2], [0.2, 0.1], [0.1, 0.2], [0.1, 0.3]])
    assert a == c
    assert len({a, b, d}) == 3
    assert overlap.fingerprints(table([])).tolist() == []


def test_fingerprints_are_fixed():
    """They are kept beside an unfinished data set, which another process may go on with."""
    assert prints([[0.0, 1.0, 0.5]]) == [16309024692443537528]


def test_zeros_of_both_signs_are_one_number():
    assert len(set(prints([[0.0, 1.0], [-0.0, 1.0]]))) == 1


def test_a_slice_has_the_fingerprints_of_its_own_rows():
    whole = table([[float(i), 0.5] for i in range(10)])
    expected = overlap.fingerprints(whole)
    np.testing.assert_array_equal(overlap.fingerprints(whole.slice(3, 4)), expected[3:7])
    pieces = pa.concat_tables([whole.slice(0, 2), whole.slice(2)])
    np.testing.assert_array_equal(overlap.fingerprints(pieces), expected)


@pytest.mark.parametrize("width", [1, 2, 16, 40])
def test_inputs_that_differ_little_do_not_collide(width):
    """100,000 rows of few different words, as graphs are: an equal pair by chance is 1 in 10^9."""
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 2, (100_000, width)).astype(np.float32)
    rows[:, : min(2, width)] = rng.integers(0, 1000, (100_000, min(2, width))) / 1000
    found = overlap.fingerprints(table(list(rows)))
    assert len(np.unique(found)) == len(np.unique(rows, axis=0))


def test_bits_of_fingerprints_are_even():
    found = overlap.fingerprints(table([[i / 1000, 0.0] for i in range(4096)]))
    shares = [np.mean((found >> np.uint64(bit)) & np.uint64(1)) for bit in range(64)]
    assert np.all(np.abs(np.array(shares) - 0.5) < 5 * 0.5 / np.sqrt(4096))


def test_a_cells_overlap_is_counted():
    cell = Cell("test", "bfs", 4, 5, (0,))
    own, train = np.array([1, 1, 2, 3, 4], np.uint64), np.array([1, 4, 4, 9], np.uint64)
    record = OverlapRecord(split="test", algorithm="bfs", length=4, rows=5, distinct=4)
    assert overlap.measure(cell, own, None) == record
    assert overlap.measure(cell, own, train) == record.model_copy(update={"in_train": 3})
    short = overlap.measure(cell, own[:2], train)
    assert (short.rows, short.distinct, short.in_train, short.wanted) == (2, 1, 2, 5)
    empty = overlap.measure(cell, own[:0], train)
    assert (empty.rows, empty.distinct, empty.in_train, empty.wanted) == (0, 0, 0, 5)


def test_seen_lets_every_input_through_once():
    seen = overlap.Seen(overlap.fingerprints(table([[1.0], [2.0]])))
    drawn = table([[3.0], [1.0], [4.0], [3.0], [5.0], [6.0]])
    assert seen.fresh(drawn, 10)["graph_inputs"].to_pylist() == [[3.0], [4.0], [5.0], [6.0]]
    assert seen.fresh(drawn, 10).num_rows == 0
    more = table([[7.0], [8.0], [9.0]])
    assert seen.fresh(more, 2)["graph_inputs"].to_pylist() == [[7.0], [8.0]]
    # What was not taken is not used up.
    assert seen.fresh(more, 2)["graph_inputs"].to_pylist() == [[9.0]]


def test_bfs_at_length_4_has_few_inputs():
    """Four nodes and a source: 4,096 inputs at the most, which 10,000 draws nearly use up."""
    found = overlap.fingerprints(generate_batch("bfs", 4, count=10_000))
    assert 1000 < len(np.unique(found)) <= 4096
