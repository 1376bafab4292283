import numpy as np
import pytest

from clrs_text_bench.models.training.batches import Plan


def test_an_epoch_visits_every_example_and_fills_up_with_its_first():
    plan = Plan([10, 3, 8], batch_size=4, seed=0)
    assert plan.steps_per_epoch == 3 + 1 + 2
    visits = [np.zeros(n, int) for n in (10, 3, 8)]
    for step in range(plan.steps_per_epoch):
        bucket, rows = plan.batch(step)
        assert len(rows) == 4
        np.add.at(visits[bucket], rows, 1)
    assert [sorted(set(v.tolist())) for v in visits] == [[1, 2], [1, 2], [1]]
    assert [v.sum() for v in visits] == [12, 4, 8]


@pytest.mark.parametrize("order", [range(40), range(39, -1, -1), [7, 30, 7, 2, 39]])
def test_a_batch_is_a_function_of_seed_and_step(order):
    plan = Plan([10, 3, 8], batch_size=4, seed=5)
    for step in order:
        bucket, rows = plan.batch(step)
        alone_bucket, alone = Plan([10, 3, 8], batch_size=4, seed=5).batch(step)
        assert bucket == alone_bucket
        assert rows.tolist() == alone.tolist()


def test_seeds_and_epochs_shuffle_differently():
    def rows(seed, epoch):
        plan = Plan([64], batch_size=64, seed=seed)
        return tuple(plan.batch(epoch)[1].tolist())

    assert len({rows(seed, epoch) for seed in range(4) for epoch in range(4)}) == 16


def test_examples_are_visited_alike_whatever_bucket_they_are_in():
    plan = Plan([96, 32], batch_size=8, seed=0)
    steps = [plan.batch(step)[0] for step in range(plan.steps_per_epoch * 10)]
    assert np.bincount(steps).tolist() == [120, 40]
