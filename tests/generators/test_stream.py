"""Endless streams: any step alone, cut over hosts, in proportion, no sample twice."""

import itertools
import re
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from clrs_text_bench import recipes, schema
from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import generate_batch, stream
from clrs_text_bench.generators.mixing import Mix, _permuted
from clrs_text_bench.recipes import Cell

from .orders import recipe, split

DOCS = Path(__file__).parents[2] / "docs" / "streams.md"
TWO = ["minimum", "insertion_sort"]

# 4 cells of 30 samples and 2 of 10: rounds of 14 samples, 140 in all.
UNEVEN = recipe(
    split("train", [4, 5], 30, algorithms=TWO),
    split("train", [6], 10, algorithms=TWO),
    split("test", [4], 7, algorithms=TWO),
)


def take(batches, count):
    """Returns the first batches of a stream, and ends it."""
    try:
        return list(itertools.islice(batches, count))
    finally:
        batches.close()


def first(count, *arguments, **options):
    return take(stream(*arguments, **options), count)


def identities(tables):
    return [
        (row["split"], row["algo_name"], row["length"], row["seed"], row["index"])
        for table in tables
        for row in table.select(list(schema.IDENTITY)).to_pylist()
    ]


@pytest.fixture(scope="module")
def whole():
    """Forty steps of ten rows: nearly three times the recipe's samples."""
    return first(40, UNEVEN, 10)


def test_batches_have_the_schema_and_size(whole):
    assert all(b.schema.equals(schema.DATASET) and b.num_rows == 10 for b in whole)


@pytest.mark.parametrize("start", [1, 7, 39, 1_000_000])
def test_a_stream_is_taken_up_at_a_step(whole, start):
    (found,) = first(1, UNEVEN, 10, start)
    (again,) = first(1, UNEVEN, 10, start)
    assert found.equals(again)
    if start < len(whole):
        assert found.equals(whole[start])


def test_any_steps_are_the_same_however_many_are_made_at_a_time(whole, monkeypatch):
    monkeypatch.setattr("clrs_text_bench.generators.streams._BLOCK_BYTES", 1)
    assert all(a.equals(b) for a, b in zip(first(5, UNEVEN, 10, 3), whole[3:8], strict=True))


@pytest.mark.parametrize("shards", [2, 5])
def test_shards_are_together_the_whole(whole, shards):
    pieces = [first(6, UNEVEN, 10, 2, shard=(i, shards)) for i in range(shards)]
    for step, tables in enumerate(zip(*pieces, strict=True)):
        assert {t.num_rows for t in tables} == {10 // shards}
        assert pa.concat_tables(tables).combine_chunks().equals(whole[2 + step].combine_chunks())


def test_rows_are_those_of_their_identity(whole):
    for row in whole[30].to_pylist():
        name, length = row["algo_name"], row["length"]
        alone = generate_batch(name, length, count=1, seed=row["seed"], start=row["index"])
        assert alone.to_pylist() == [row]


def test_no_sample_comes_twice(whole):
    seen = identities(whole)
    assert len(set(seen)) == len(seen) == 400


def test_the_recipes_own_samples_come_first(whole):
    own = {
        (c.split, c.algorithm, c.length, 0, i)
        for c in UNEVEN.cells("train")
        for i in range(c.count)
    }
    assert set(identities(whole[:14])) == own
    assert not own & set(identities(whole[14:]))


def test_cells_come_in_proportion_in_every_round():
    batches = first(9, UNEVEN, 14)
    orders = set()
    for batch in batches:
        cells = list(zip(batch["algo_name"].to_pylist(), batch["length"].to_pylist(), strict=True))
        counts = {cell: cells.count(cell) for cell in cells}
        assert counts == {(n, k): 1 if k == 6 else 3 for n in TWO for k in (4, 5, 6)}
        orders.add(tuple(cells))
    assert len(orders) == 9


def test_indices_run_on_cell_by_cell():
    seen = {}
    for _, name, length, _, index in identities(first(60, UNEVEN, 14)):
        seen.setdefault((name, length), []).append(index)
    for (_, length), indices in seen.items():
        assert sorted(indices) == list(range(60 if length == 6 else 180))


def test_several_seeds_come_as_in_the_data_set():
    entry = {**split("train", [4], 5, algorithms=["minimum"]), "seeds": [3, 9]}
    seen = [(seed, index) for *_, seed, index in identities(first(4, recipe(entry), 5))]
    assert set(seen[:10]) == {(s, i) for s in (3, 9) for i in range(5)}
    assert set(seen[10:]) == {(s, i) for s in (3, 9) for i in range(5, 10)}


def test_a_seed_of_ones_own_replaces_the_recipes():
    (zero,), (other,) = first(1, UNEVEN, 28), first(1, UNEVEN, 28, seed=5)
    assert set(other["seed"].to_pylist()) == {5}
    assert not set(zero["question"].to_pylist()) & set(other["question"].to_pylist())
    assert first(1, UNEVEN, 28, seed=0)[0].equals(zero)


def test_splits_share_no_sample(whole):
    test = first(10, UNEVEN, 10, split="test")
    assert {row[0] for row in identities(test)} == {"test"}
    assert not set(identities(test)) & set(identities(whole))
    inputs = {row[4] for row in identities(test)} & {row[4] for row in identities(whole)}
    assert inputs  # the same indices
    questions = [{q for t in tables for q in t["question"].to_pylist()} for tables in (test, whole)]
    assert not questions[0] & questions[1]


def test_hints_are_the_recipes():
    hinted = recipe(split("train", [4], 5, algorithms=TWO), hints=True)
    (batch,) = first(1, hinted, 6)
    assert batch["use_hints"].to_pylist() == [True] * 6
    assert batch["graph_hints"].null_count == 0
    (plain,) = first(1, UNEVEN, 6)
    assert plain["graph_hints"].null_count == 6


def test_another_engine_makes_the_same_places(toy, whole):
    (batch,) = first(1, UNEVEN, 10, 3, engine=toy)
    assert identities([batch]) == identities([whole[3]])


def test_a_closed_stream_leaves_no_thread():
    batches = stream(UNEVEN, 10)
    next(batches)
    assert any(t.name.startswith("stream") for t in threading.enumerate())
    batches.close()
    assert not any(t.name.startswith("stream") for t in threading.enumerate())


@pytest.mark.parametrize("size", [1, 2, 3, 5, 16, 17, 180, 1000])
def test_a_round_is_a_permutation(size):
    rounds = [_permuted(np.arange(size), size, np.full(size, k, np.uint64)) for k in range(20)]
    assert all(sorted(r) == list(range(size)) for r in map(np.ndarray.tolist, rounds))
    if size > 15:
        assert len({tuple(r.tolist()) for r in rounds}) == 20


def test_every_order_of_a_small_round_is_as_likely():
    """Chi square over the 24 orders of 4: beyond 73 less than once in a million."""
    count = 24_000
    keys = np.repeat(np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15), 4)
    orders = _permuted(np.tile(np.arange(4), count), 4, keys).reshape(count, 4)
    counts = np.unique(orders @ np.array([64, 16, 4, 1]), return_counts=True)[1]
    assert len(counts) == 24
    assert np.sum((counts - 1000) ** 2 / 1000) < 73


def test_places_of_a_round_too_large_to_hold():
    cells = [Cell("train", "bfs", n, 10**9 - n, (0, 1)) for n in (4, 5, 6)]
    found = Mix(cells).at(np.array([0, 1, 10**10, 10**15]))
    assert len(set(zip(found.cell, found.seed, found.index, strict=True))) == 4


def test_an_order_written_down():
    """Whoever goes on with a stream after an upgrade must find it as it was."""
    cells = [Cell("train", "bfs", n, 2, (0,)) for n in (4, 5, 6)]
    found = Mix(cells).at(np.arange(9))
    assert found.cell.tolist() == [0, 2, 1, 0, 1, 2, 0, 1, 2]
    assert found.index.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        ((UNEVEN, 0), {}, "batch size 0 is below 1"),
        ((UNEVEN, 10, -1), {}, "start -1 is below 0"),
        ((UNEVEN, 10), {"shard": (2, 2)}, r"shard (2, 2) is none of (0, n) to (n - 1, n)"),
        ((UNEVEN, 10), {"shard": (0, 3)}, "batch size 10 cannot be cut evenly into 3 shards"),
        ((UNEVEN, 10), {"seed": 2**63}, "seed 9223372036854775808 does not fit in 64 bits"),
        (
            (UNEVEN, 10),
            {"split": "tain"},
            "unknown split of recipe tests 'tain'; did you mean 'train'?",
        ),
        ((UNEVEN, 10), {"engine": "natve"}, "did you mean 'native'?"),
        (("smok", 10), {}, "unknown recipe 'smok'; did you mean 'smoke'?"),
        ((UNEVEN.model_copy(update={"stream": "upstream"}), 1), {}, "asks for upstream's stream"),
    ],
)
def test_bad_input_is_refused_at_once(arguments, options, sentence):
    with pytest.raises(BadInput, match=re.escape(sentence)):
        stream(*arguments, **options)


def test_a_shipped_recipe_by_name():
    (batch,) = first(1, "smoke", 12)
    names = {c.algorithm for c in recipes.load("smoke").cells("train")}
    assert set(batch["algo_name"].to_pylist()) <= names


def examples():
    return re.findall(r"```python\n(.*?)```", DOCS.read_text(), flags=re.DOTALL)


def test_the_first_example_of_the_documentation(capsys):
    place = {}
    exec(examples()[0].replace('"transnar"', '"smoke"'), place)
    assert place["step"] == 2
    assert place["batch"].num_rows == 256


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_example_with_datasets(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    place = {"__name__": "example"}
    exec(examples()[1], place)
    printed = capsys.readouterr().out
    rows = list(place["dataset"])
    assert len(rows) == 640
    assert rows[0]["question"] in printed
    assert rows[1]["answer"] in printed
    assert place["dataset"].num_shards == 2
    expected = [
        r for i in (0, 1) for b in first(10, "smoke", 64, shard=(i, 2)) for r in b.to_pylist()
    ]
    assert [r["question"] for r in rows] == [r["question"] for r in expected]
