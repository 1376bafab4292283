"""Initial weights of a reasoner."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from clrs_text_bench.models.nar import initial


@pytest.mark.parametrize("shape", [(3, 5), (2, 128, 128)], ids=["part of a block", "three blocks"])
def test_weights_are_drawn_from_the_normal_that_is_cut_off_at_twice_its_deviation(shape):
    drawn = np.asarray(initial.truncated_normal(0.5)(jax.random.key(0), shape))
    assert drawn.shape == shape
    assert np.abs(drawn).max() <= 1
    test = stats.kstest(drawn.ravel() / 0.5, stats.truncnorm(-2, 2).cdf)
    assert test.pvalue > 0.01
    assert len(np.unique(drawn)) > 0.99 * drawn.size


def test_linear_layers_deviate_by_the_root_of_what_they_read():
    drawn = np.asarray(initial.linear(64)(jax.random.key(1), (64, 512)))
    assert drawn.std() == pytest.approx(stats.truncnorm(-2, 2).std() / 8, rel=0.02)


def test_a_program_draws_the_same():
    draw, key = initial.truncated_normal(1.0), jax.random.key(2)
    within = jax.jit(lambda key: draw(key, (7, 300)))(key)
    np.testing.assert_array_equal(draw(key, (7, 300)), within)


def test_keys_draw_apart():
    draw = initial.truncated_normal(1.0)
    first, second = (np.asarray(draw(jax.random.key(i), (100,), jnp.float32)) for i in (0, 1))
    assert np.abs(np.corrcoef(first, second)[0, 1]) < 0.4
