"""What the native engine draws against what upstream's samplers draw: two-sample tests."""

import numpy as np
import pytest

from clrs_text_bench.generators.native.engine import kernel_names

from .samples import MOST_CASES, MOST_STATISTICS, differences, native_draws, upstream_draws

# From upstream's test of points on a line.
pytestmark = pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors")

_HULLS = ("graham_scan", "jarvis_march")
_LENGTH, _LARGE = 7, 16
# At length 7 a pattern is one character, and at 11 it is two.
_LENGTHS = {"naive_string_matcher": 11, "kmp_matcher": 11}


def _count(algorithm, length=_LENGTH):
    """Upstream looks at all triples of a hull's points, in Python: milliseconds a sample."""
    if algorithm in _HULLS:
        return 1000 if length == _LARGE else 2000
    return 5000


def _assert_drawn_alike(algorithm, length):
    count = _count(algorithm, length)
    found, looked_at = differences(
        native_draws(algorithm, length, count, seed=1),
        upstream_draws(algorithm, length, count, seed=2),
    )
    assert not found
    assert looked_at <= MOST_STATISTICS
    assert 2 * len(kernel_names()) <= MOST_CASES


@pytest.mark.parametrize("algorithm", kernel_names())
def test_inputs_are_distributed_as_upstream_draws_them(algorithm):
    _assert_drawn_alike(algorithm, _LENGTHS.get(algorithm, _LENGTH))


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", kernel_names())
def test_larger_inputs_are_distributed_as_upstream_draws_them(algorithm):
    _assert_drawn_alike(algorithm, _LARGE)


def _symmetric(upper):
    upper = np.triu(upper)
    return upper + np.swapaxes(np.triu(upper, 1), 1, 2)


def _without_loops(draws, rng):
    draws["A"] *= 1 - np.eye(_LENGTH)


def _edges_not_squared(draws, rng):
    draws["A"] = _symmetric(1.0 * (rng.random(draws["A"].shape) < 0.5))


def _plain_weights(draws, rng):
    weights = np.trunc(1000 * rng.random(draws["A"].shape)) / 1000
    draws["A"] = _symmetric(weights * (draws["A"] != 0))


def _loops_weighed_as_pairs_are(draws, rng):
    u, v = rng.random((2, *draws["A"].shape))
    loops = np.eye(_LENGTH) * np.sqrt(u * v + 1e-3)
    draws["A"] = np.where(np.eye(_LENGTH) * draws["A"] != 0, loops, draws["A"])


def _in_order_of_index(draws, rng):
    draws["A"] = np.triu(1.0 * (rng.random(draws["A"].shape) < 0.5), 1)


def _communities_apart(draws, rng):
    """What it is without the edges that are toggled with probability 0.01."""
    place = rng.permuted(np.tile(np.minimum(np.arange(_LENGTH), 3), (len(draws["A"]), 1)), axis=1)
    inside = place[:, :, None] == place[:, None, :]
    draws["A"] = 1.0 * (inside & (rng.random(inside.shape) < 0.5))


def _pattern_at_any_place(draws, rng):
    """What it is if the pattern may be the text's end."""
    characters = rng.integers(4, size=draws["string"].shape)
    for row, place in zip(characters, rng.integers(8, size=len(characters)), strict=True):
        row[place : place + 2] = row[9:]
    draws["key"] = np.eye(4)[characters]


def _target_among_keys(draws, rng):
    place = rng.integers(_LENGTH, size=len(draws["key"]))
    draws["target"] = draws["key"][np.arange(len(place)), place]


def _without_a_coin(draws, rng):
    draws["x"], draws["y"] = rng.random((2, *draws["x"].shape))


def _deadlines_from_zero(draws, rng):
    draws["d"] -= 1


def _times_as_they_come(draws, rng):
    draws["s"], draws["f"] = rng.random((2, *draws["s"].shape))


def _denser_inside(draws, rng):
    """A disk whose radius, not its area, is uniform."""
    radius = np.hypot(draws["x"], draws["y"])
    draws["x"] *= radius / 2
    draws["y"] *= radius / 2


@pytest.mark.parametrize(
    ("algorithm", "spoil"),
    [
        ("bfs", _without_loops),
        ("bfs", _edges_not_squared),
        ("bellman_ford", _plain_weights),
        ("bellman_ford", _loops_weighed_as_pairs_are),
        ("topological_sort", _in_order_of_index),
        ("strongly_connected_components", _communities_apart),
        ("naive_string_matcher", _pattern_at_any_place),
        ("binary_search", _target_among_keys),
        ("segments_intersect", _without_a_coin),
        ("task_scheduling", _deadlines_from_zero),
        ("activity_selector", _times_as_they_come),
        ("jarvis_march", _denser_inside),
    ],
)
def test_other_draws_are_told_apart(algorithm, spoil):
    """The statistics see the mistakes that a sampler is prone to."""
    length = _LENGTHS.get(algorithm, _LENGTH)
    draws = native_draws(algorithm, length, _count(algorithm), seed=1)
    spoil(draws, np.random.default_rng(3))
    found, _ = differences(draws, upstream_draws(algorithm, length, _count(algorithm), seed=2))
    assert found
