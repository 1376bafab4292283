import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clrs_text_bench.identity import SampleId
from clrs_text_bench.models.transformer import positions

KEY = positions.stream_keys([SampleId(0, "train", "bfs", 8, 0)], seed=0)[0]


@settings(deadline=None)
@given(st.integers(1, 64).flatmap(lambda n: st.tuples(st.just(n), st.integers(n, 9000))))
def test_draws_are_distinct_ascending_and_in_range(sizes):
    count, limit = sizes
    drawn = positions.draw(KEY, 3, count, limit)
    assert drawn.shape == (count,)
    assert drawn.dtype == np.int32
    assert (np.diff(drawn) > 0).all()
    assert drawn[0] >= 0
    assert drawn[-1] < limit


def test_every_position_is_as_likely_as_any_other():
    draws = np.concatenate([positions.draw(KEY, visit, 4, 16) for visit in range(4000)])
    counts = np.bincount(draws, minlength=16)
    # 1000 each; the standard deviation is 27.
    assert np.abs(counts - 1000).max() < 150


def test_a_draw_is_a_function_of_run_sample_and_visit_alone():
    assert positions.draw(KEY, 2, 8, 8192).tolist() == positions.draw(KEY, 2, 8, 8192).tolist()
    samples = [
        SampleId(seed, "train", "bfs", length, index)
        for seed, length, index in itertools.product((0, 1), (4, 5), (0, 1))
    ]
    draws = {
        tuple(positions.draw(key, visit, 8, 8192))
        for seed in (0, 1)
        for key in positions.stream_keys(samples, seed)
        for visit in (0, 1, 2)
    }
    assert len(draws) == 2 * len(samples) * 3
