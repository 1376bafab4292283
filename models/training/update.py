"""One step of training: gradients, then clipped and applied.

They are two compiled programs, so that the second, which takes a third of the time to compile for a
model of many parameters, is compiled once and not again for every shape of batches.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh

from . import mesh as meshes
from .ahead import Ahead
from .config import Train
from .trainable import Params

# The sum of a batch's losses, and the sum of their weights.
Loss = Callable[[Params, Any], tuple[jax.Array, jax.Array]]


class State(NamedTuple):
    """All that a step changes.

    Attributes:
      params: the parameters.
      optimizer: the optimiser's state.
      mean: running mean of the parameters (see `Train.ema_decay`); None where none is kept.
    """

    params: Params
    optimizer: Any
    mean: Params | None

    @property
    def answering(self) -> Params:
        """The parameters to answer with."""
        return self.params if self.mean is None else self.mean


class Measured(NamedTuple):
    """What a step tells: the batch's mean loss, and the global norm of its gradient."""

    loss: jax.Array
    gradient_norm: jax.Array


def start(params: Params, transform: optax.GradientTransformation, train: Train) -> State:
    """Returns the state before the first step."""
    # A copy: a step gives its state's memory to the next state, and an array of it only once.
    mean = None if train.ema_decay is None else jax.tree.map(jnp.copy, params)
    return State(params, transform.init(params), mean)


def expected(shapes: Any, transform: optax.GradientTransformation, train: Train) -> State:
    """Returns the shapes and types of a state, given those of the parameters."""
    return jax.eval_shape(lambda params: start(params, transform, train), shapes)


class Step:
    """A step, which hands its state's memory on to the next. Under `jax.jit` it is one program."""

    def __init__(self, measure: Ahead, update: Callable, mesh: Mesh, params: Params) -> None:
        """Puts its two parts together; see `build`."""
        self._measure, self._update = measure, update
        self._mesh, self._params = mesh, meshes.lying(mesh, params)

    def __call__(self, state: State, batch: Any) -> tuple[State, Measured]:
        """Returns the next state, and what was measured on the way."""
        gradients, measured = self._measure(state.params, batch)
        return self._update(state, gradients), measured

    def announce(self, batch: dict[str, np.ndarray]) -> None:
        """Begins to compile what a batch of these shapes will need."""
        self._measure.announce(self._params, meshes.lying_batch(self._mesh, batch))

    def close(self) -> None:
        """Compiles nothing more ahead."""
        self._measure.close()


def build(
    loss: Loss,
    transform: optax.GradientTransformation,
    train: Train,
    mesh: Mesh,
    state: State,
    workers: int = 1,
) -> Step:
    """Returns the step.

    Args:
      loss: of a batch.
      transform: the optimiser.
      train: of the run.
      mesh: where states and batches lie.
      state: one of the right shapes.
      workers: how many programs are compiled at a time, of batches that are announced.
    """

    def measure(params: Params, batch: Any) -> tuple[Params, Measured]:
        total, weight, gradients = _gradients(loss, params, batch, train.accumulate)
        gradients = jax.tree.map(lambda g: g / weight, gradients)
        return gradients, Measured(total / weight, optax.tree.norm(gradients))

    def update(state: State, gradients: Params) -> State:
        updates, optimizer = transform.update(gradients, state.optimizer, state.params)
        params = optax.apply_updates(state.params, updates)
        mean = state.mean
        if train.ema_decay is not None:
            mean = optax.incremental_update(params, mean, 1 - train.ema_decay)
        return State(params, optimizer, mean)

    lying = meshes.shardings(mesh, state)
    measuring = jax.jit(measure, out_shardings=(lying.params, meshes.whole(mesh)))
    updating = jax.jit(update, donate_argnums=0, out_shardings=lying)
    return Step(Ahead(measuring, workers), updating, mesh, state.params)


def _gradients(
    loss: Loss, params: Params, batch: Any, parts: int
) -> tuple[jax.Array, jax.Array, Params]:
    """Returns a batch's loss, weight and gradient, all summed, one part after another."""

    def of_part(part: Any) -> tuple:
        (total, weight), gradients = jax.value_and_grad(loss, has_aux=True)(params, part)
        return total, weight, gradients

    if parts == 1:
        return of_part(batch)

    def add(sums: tuple, part: Any) -> tuple[tuple, None]:
        return jax.tree.map(jnp.add, sums, of_part(part)), None

    # Every part takes rows of every device, so that none has to move.
    cut = jax.tree.map(lambda x: x.reshape(-1, parts, *x.shape[1:]).swapaxes(0, 1), batch)
    zeros = jax.tree.map(jnp.zeros_like, jax.eval_shape(of_part, jax.tree.map(lambda x: x[0], cut)))
    sums, _ = jax.lax.scan(add, zeros, cut)
    return sums
