"""The step of training, on a loss whose gradient is known."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import mesh, update
from clrs_text_bench.models.training.config import Train
from clrs_text_bench.models.training.stage import Stage

SIZE = 3


def loss(params, batch):
    """Weighted squares of differences."""
    differences = jnp.sum((params["w"] - batch["x"]) ** 2, axis=1)
    return jnp.sum(batch["weight"] * differences), jnp.sum(batch["weight"])


def batches(count, rows=8):
    rng = np.random.default_rng(0)
    return [
        {
            "x": rng.normal(size=(rows, SIZE)).astype(np.float32),
            "weight": rng.integers(1, 5, rows).astype(np.float32),
        }
        for _ in range(count)
    ]


def of_made(params, batch):
    """The loss above of twice its weights, made of a batch in a stage of its own."""
    differences = jnp.sum((batch["made"] - batch["x"]) ** 2, axis=1)
    return jnp.sum(batch["weight"] * differences), jnp.sum(batch["weight"])


def repeated(params, batch):
    return {"made": params["w"] * batch["two"][:, None]}


STAGE = Stage(reads=lambda name: name == "two", make=repeated)


def with_two(batch):
    return batch | {"two": np.full(len(batch["x"]), 2, np.float32)}


def run(count, loss=loss, stage=None, **settings):
    """Takes steps of plain gradient descent; returns the last state and all measures."""
    train = Train(batch_size=8, **settings)
    transform = optax.sgd(0.1)
    state = update.start({"w": jnp.zeros(SIZE)}, transform, train)
    devices = mesh.make(configs.Mesh(), 8)
    step = update.build(loss, transform, train, devices, state, stage=stage)
    measured = []
    for batch in map(with_two, batches(count)):
        state, found = step(state, batch)
        measured.append(jax.tree.map(float, found))
    return state, measured


def test_the_loss_is_the_weighted_mean_and_the_step_goes_down_its_gradient():
    state, (measured, *_) = run(1)
    (batch,) = batches(1)
    weight = batch["weight"][:, None] / batch["weight"].sum()
    gradient = (-2 * weight * batch["x"]).sum(axis=0)
    np.testing.assert_allclose(state.params["w"], -0.1 * gradient, rtol=1e-5)
    assert measured.loss == pytest.approx((weight * batch["x"] ** 2).sum(), rel=1e-5)
    assert measured.gradient_norm == pytest.approx(np.linalg.norm(gradient), rel=1e-5)


@pytest.mark.parametrize("parts", [2, 4, 8])
def test_gradients_of_parts_add_up_to_the_batchs(parts):
    whole, expected = run(5)
    cut, found = run(5, accumulate=parts)
    np.testing.assert_allclose(cut.params["w"], whole.params["w"], rtol=1e-5)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("parts", [1, 4])
def test_gradients_go_back_through_a_stage_of_its_own(parts):
    def whole(params, batch):
        return of_made(params, batch | repeated(params, batch))

    expected, of_whole = run(3, whole)
    found, of_stages = run(3, of_made, STAGE, accumulate=parts)
    assert np.any(expected.params["w"])
    np.testing.assert_allclose(found.params["w"], expected.params["w"], rtol=1e-5)
    np.testing.assert_allclose(of_stages, of_whole, rtol=1e-5)


def test_the_running_mean_forgets_by_its_decay_and_answers():
    kept = [run(count)[0].params["w"] for count in range(1, 4)]
    state, _ = run(3, ema_decay=0.75)
    mean = np.zeros(SIZE)
    for params in kept:
        mean = 0.75 * mean + 0.25 * np.asarray(params)
    np.testing.assert_allclose(state.answering["w"], mean, rtol=1e-5)
    np.testing.assert_array_equal(state.params["w"], kept[-1])
    assert run(1)[0].mean is None


@pytest.mark.parametrize(("loss", "stage"), [(loss, None), (of_made, STAGE)])
def test_a_step_compiled_ahead_is_the_same_step(loss, stage):
    train, transform = Train(batch_size=8), optax.sgd(0.1)
    devices = mesh.make(configs.Mesh(), 8)
    state = update.start({"w": jnp.zeros(SIZE)}, transform, train)
    batch = with_two(*batches(1))
    placed = mesh.place(devices, state)
    step = update.build(loss, transform, train, devices, placed, workers=1, stage=stage)
    step.announce(batch)
    found, measured = step(mesh.place(devices, state), mesh.place_batch(devices, batch))
    expected, (told,) = run(1, loss, stage)
    np.testing.assert_array_equal(found.params["w"], expected.params["w"])
    assert jax.tree.map(float, measured) == told
    step.close()
