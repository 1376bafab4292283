"""The feed: which rows each step is trained on."""

import collections

import numpy as np
import pyarrow as pa
import pytest

from clrs_text_bench import schema
from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.training.feed import Feed, Share

NO_ROWS = schema.DATASET.empty_table()
ALONE = Share()
ROWS_A_BLOCK = 64 * 4


class Numbers:
    """Examples that are their questions, numbers, and whose shape is the number's last digit."""

    def __init__(self, table):
        self.numbers = np.array(table["question"].to_pylist(), int)
        self.shapes = [int(n % 3) for n in self.numbers]

    def batch(self, rows, visit):
        return {"numbers": self.numbers[rows], "visit": np.full(len(rows), visit)}

    def tokens(self, rows):
        return int(self.numbers[rows].sum())


class Numbered:
    """Makes `Numbers` ready."""

    columns = ("question",)
    block = 64
    encode = Numbers
    reader = None


def blocks(rows, start, columns):
    """Yields the whole numbers in order, as questions."""
    assert columns == ("question",)
    while True:
        yield pa.table({"question": [str(n) for n in range(start * rows, (start + 1) * rows)]})
        start += 1


def feed(*, held_out=NO_ROWS, share=ALONE, batch_size=4, source=blocks, seed=0):
    return Feed(source, Numbered, held_out, batch_size, seed, share)


def take(iterator, count):
    return [next(iterator) for _ in range(count)]


def numbers(fed):
    return [f.batch["numbers"].tolist() for f in fed]


def test_a_block_visits_every_row_and_fills_shapes_up_with_their_first_rows():
    # 256 rows: 86 of shape 0, 85 of the others each; 22 batches of 4 of each shape.
    visited = numbers(take(iter(feed()), 66))
    assert {len(batch) for batch in visited} == {4}
    assert all(len({n % 3 for n in batch}) == 1 for batch in visited)
    counts = collections.Counter(n for batch in visited for n in batch)
    assert set(counts) == set(range(ROWS_A_BLOCK))
    assert {n for n, count in counts.items() if count == 2} == {0, 3, 1, 4, 7, 2, 5, 8}
    assert set(counts.values()) == {1, 2}
    following = numbers(take(iter(feed()), 67))[-1]
    assert min(following) >= ROWS_A_BLOCK


def test_batches_of_all_shapes_are_mixed():
    order = [batch[0] % 3 for batch in numbers(take(iter(feed()), 66))]
    assert order != sorted(order)
    assert order != [batch[0] % 3 for batch in numbers(take(iter(feed(seed=1)), 66))]


@pytest.mark.parametrize("count", [0, 1, 65, 66, 67, 150])
def test_it_goes_on_from_any_place(count):
    whole = take(iter(feed()), count + 70)[count:]
    first = feed().ahead()
    take(first, count)
    place = first.get_state()
    first.close()
    assert all(isinstance(value, int) for value in place.values())
    again = feed().ahead()
    again.set_state(place)
    found = take(again, 70)
    again.close()
    assert numbers(found) == numbers(whole)
    assert [f.batch["visit"][0] for f in found] == [f.batch["visit"][0] for f in whole]


def test_every_step_is_a_visit_of_its_own():
    visits = [f.batch["visit"][0] for f in take(iter(feed()), 140)]
    assert visits == list(range(1, 141))


def test_processes_share_every_batch():
    whole = take(iter(feed()), 80)
    halves = [take(iter(feed(share=Share(i, 2))), 80) for i in range(2)]
    joined = [[*a, *b] for a, b in zip(*map(numbers, halves), strict=True)]
    assert joined == numbers(whole)
    assert [f.tokens for f in halves[0]] == [f.tokens for f in whole]
    assert whole[0].tokens == sum(numbers(whole)[0])


def test_what_is_held_out_is_not_trained_on():
    held_out = pa.table({"question": [str(n) for n in range(0, 200, 2)]})
    visited = {n for batch in numbers(take(iter(feed(held_out=held_out)), 30)) for n in batch}
    assert not visited & set(range(0, 200, 2))
    assert visited


def test_nothing_but_held_out_rows_is_a_sentence():
    def one(rows, start, columns):
        while True:
            yield pa.table({"question": ["7"] * rows})

    emptied = feed(source=one, held_out=pa.table({"question": ["7"]})).ahead()
    with pytest.raises(BadInput, match="no row is left to train on: all have questions that are"):
        next(emptied)
    emptied.close()


def test_each_shape_is_told_of_once_and_before_it_comes():
    told = []
    ahead = feed().ahead(lambda batch: told.append(int(batch["numbers"][0] % 3)))
    came = [int(next(ahead).batch["numbers"][0] % 3) for _ in range(200)]
    ahead.close()
    assert sorted(told) == [0, 1, 2]
    assert told == sorted(told, key=came.index)
