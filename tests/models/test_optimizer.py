import jax.numpy as jnp
import numpy as np
import pytest

from clrs_text_bench.models.training import optimizer
from clrs_text_bench.models.training.config import Optimizer


def test_the_rate_rises_in_a_line_and_falls_by_a_cosine():
    rate = optimizer.schedule(Optimizer(learning_rate=2.0, warmup_steps=10, final_share=0.1), 110)
    assert [float(rate(s)) for s in (0, 5, 10)] == pytest.approx([0.0, 1.0, 2.0])
    assert float(rate(60)) == pytest.approx((2.0 + 0.2) / 2)
    assert float(rate(110)) == pytest.approx(0.2)


def test_without_a_warm_up_the_first_step_is_at_the_peak():
    rate = optimizer.schedule(Optimizer(learning_rate=2.0, warmup_steps=0), 10)
    assert float(rate(0)) == 2.0


def test_gradients_are_clipped_and_only_matrices_decay():
    config = Optimizer(learning_rate=0.1, warmup_steps=0, weight_decay=0.5)
    transform = optimizer.build(config, 10)
    params = {"matrix": jnp.ones((2, 2)), "vector": jnp.ones(2)}
    zero = {name: jnp.zeros_like(x) for name, x in params.items()}
    updates, _ = transform.update(zero, transform.init(params), params)
    np.testing.assert_allclose(updates["matrix"], -0.1 * 0.5 * np.ones((2, 2)), rtol=1e-6)
    np.testing.assert_array_equal(updates["vector"], np.zeros(2))
    large = {name: 1e30 * x for name, x in params.items()}
    updates, _ = transform.update(large, transform.init(params), params)
    assert all(np.isfinite(u).all() for u in updates.values())
