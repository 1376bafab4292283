"""Our tasks in reasoning-gym: its own factory makes them, our scores reward them."""

import sys

import pytest

from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import score_answer
from clrs_text_bench.generators import generate_batch

gym = pytest.importorskip("reasoning_gym", reason="needs reasoning-gym, of its extra")

import clrs_text_bench.integrations.reasoning_gym  # noqa: E402, F401

ALGORITHMS = ["minimum", "insertion_sort"]


def make(**changes):
    given = {"algorithms": ALGORITHMS, "lengths": [4, 5, 6], "seed": 0, "size": 40}
    return gym.create_dataset("clrs_text", **(given | changes))


def test_items_are_the_samples_of_their_identity():
    for place, item in enumerate(make(size=8)):
        sample = item["metadata"]
        assert sample["index"] == place
        (row,) = generate_batch(
            sample["algo_name"],
            sample["length"],
            count=1,
            seed=0,
            split="train",
            start=place,
            use_hints=False,
        ).to_pylist()
        assert (item["question"], item["answer"]) == (row["question"], row["answer"])


def test_items_are_the_same_in_any_order_and_data_sets_of_any_size():
    long, short = make(size=40), make(size=10)
    assert [long[i] for i in reversed(range(10))] == [short[i] for i in reversed(range(10))]


def test_every_algorithm_and_length_comes_up_evenly():
    drawn = [(i["metadata"]["algo_name"], i["metadata"]["length"]) for i in make(size=600)]
    counts = {cell: drawn.count(cell) for cell in set(drawn)}
    assert len(counts) == 6
    # 600 draws of 6: within four standard deviations of 100 each.
    assert all(60 < count < 140 for count in counts.values())


def test_neighbouring_seeds_and_splits_share_no_questions():
    """Its own data sets share all but one item of seed 0 with seed 1."""
    first = {item["question"] for item in make(seed=0, lengths=[6])}
    assert len(first) == 40
    assert not first & {item["question"] for item in make(seed=1, lengths=[6])}
    assert not first & {item["question"] for item in make(split="test", lengths=[6])}


def test_rewards_are_our_scores():
    data = make(size=12)
    for item in data:
        sample, truth = item["metadata"], item["answer"]
        assert data.score_answer(truth, item) == 1
        for answer in (truth.strip()[:-1], truth.replace("0", "1", 1), "", None, "I give up"):
            ours = score_answer(sample["algo_name"], sample["length"], answer, truth)
            assert data.score_answer(answer, item) == pytest.approx(ours.clrs, abs=1e-7)
            exact = make(score="exact").score_answer(answer, item)
            assert exact == ours.exact
    chatty = f"So:\n\n```\n{data[0]['answer'].strip()}\n```"
    assert make(extraction="lenient").score_answer(chatty, data[0]) == 1


def test_traced_items():
    item = make(use_hints=True, algorithms=["insertion_sort"])[0]
    assert item["metadata"]["use_hints"]
    assert "|" in item["answer"]
    assert make().score_answer(item["answer"], item) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"algorithms": ["minimun"]}, "did you mean 'minimum'"),
        ({"lengths": [1]}, "length 1 is too small"),
        ({"lengths": []}, "at least one"),
        ({"score": "accuracy"}, "unknown score 'accuracy'"),
        ({"extraction": "loose"}, "unknown extraction 'loose'"),
        ({"size": 0}, "size 0 is below 1"),
    ],
)
def test_bad_settings_are_a_sentence(changes, sentence):
    with pytest.raises(BadInput, match=sentence):
        make(**changes)


def test_there_are_no_more_items_than_asked_for():
    data = make(size=3)
    assert len(list(data)) == 3
    with pytest.raises(IndexError, match="there is no 3"):
        data[3]


def test_its_absence_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "reasoning_gym.factory", None)
    monkeypatch.delitem(sys.modules, "clrs_text_bench.integrations.reasoning_gym")
    with pytest.raises(BadInput, match=r"clrs-text-bench\[reasoning-gym\]"):
        __import__("clrs_text_bench.integrations.reasoning_gym")
