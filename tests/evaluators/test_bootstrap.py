import itertools

import numpy as np
import pytest

from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import bootstrap
from clrs_text_bench.evaluators.bootstrap import (
    mean_interval,
    percentiles,
    pooled_interval,
    resampled_means,
)


def naive_means(values, rng, resamples):
    means = []
    for _ in range(resamples):
        drawn = [values[rng.integers(len(values))] for _ in values]
        means.append(sum(drawn) / len(drawn))
    return np.array(means)


def test_every_resample_is_as_likely_as_drawing_with_replacement():
    values = [0.0, 0.5, 1.0]
    every = [np.mean(drawn) for drawn in itertools.product(values, repeat=3)]
    found = resampled_means(values, np.random.default_rng(0), 54_000)
    for mean in set(every):
        assert np.isclose(found, mean).mean() == pytest.approx(every.count(mean) / 27, abs=0.008)


def test_agrees_with_a_naive_loop():
    rng = np.random.default_rng(1)
    values = np.round(rng.beta(0.5, 0.5, 60), 2)
    ours = resampled_means(values, np.random.default_rng(2), 4000)
    naive = naive_means(values, np.random.default_rng(3), 4000)
    assert ours.mean() == pytest.approx(naive.mean(), abs=0.004)
    assert ours.std() == pytest.approx(naive.std(), rel=0.06)
    assert percentiles(ours) == pytest.approx(percentiles(naive), abs=0.012)


def test_answers_taken_together_have_the_interval_of_their_mean_if_that_is_the_score():
    values = np.round(np.random.default_rng(1).beta(0.5, 0.5, 60), 2)
    mean = mean_interval(values, resamples=4000)
    pooled = pooled_interval(lambda times: times @ values / 60, 60, resamples=4000)
    assert pooled.mean == pytest.approx(mean.mean)
    assert (pooled.low, pooled.high) == pytest.approx((mean.low, mean.high), abs=0.012)
    with pytest.raises(BadInput, match="no scores to average"):
        pooled_interval(lambda times: times @ np.zeros(0), 0)


def test_a_fair_coin_over_a_hundred_answers():
    interval = mean_interval([0.0, 1.0] * 50)
    assert interval.mean == 0.5
    assert (interval.low, interval.high) == pytest.approx((0.40, 0.60), abs=0.011)


def test_constant_scores_are_exact():
    interval = mean_interval(np.full(10, 0.1))
    assert (interval.mean, interval.low, interval.high) == (0.1, 0.1, 0.1)
    assert mean_interval([1.0]) == bootstrap.Interval(1.0, 1.0, 1.0)


def test_the_seed_decides():
    values = np.random.default_rng(0).random(50)
    assert mean_interval(values) == mean_interval(values)
    assert mean_interval(values, seed=1) != mean_interval(values, seed=2)
    assert mean_interval(values) == mean_interval(values[::-1])


def test_chunks_do_not_change_the_draws(monkeypatch):
    values = np.random.default_rng(0).random(40)
    whole = resampled_means(values, np.random.default_rng(5), 300)
    monkeypatch.setattr(bootstrap, "_CHUNK", 1000)
    assert np.array_equal(resampled_means(values, np.random.default_rng(5), 300), whole)


def test_float32_scores_are_averaged_in_float64():
    assert mean_interval(np.array([0.5, 0.25] * 1000, np.float32)).mean == 0.375


@pytest.mark.parametrize(
    ("values", "message"),
    [([], "no scores"), ([0.5, float("nan")], "NaN"), ([float("inf")], "infinite")],
)
def test_what_has_no_mean_is_an_error(values, message):
    with pytest.raises(BadInput, match=message):
        mean_interval(values)
