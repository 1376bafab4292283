"""One step of training: gradients, then clipped and applied.

They are two compiled programs, so that the second, which takes a third of the time to compile for a
model of many parameters, is compiled once and not again for every shape of batches. What is shared
by fewer shapes may be apart, too (see `stage`).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh

from . import mesh as meshes
from . import parts
from .ahead import Ahead
from .config import Train
from .stage import Stage, Staged
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

    def __init__(
        self, measure: Ahead, update: Callable, mesh: Mesh, params: Params, staged: Staged | None
    ) -> None:
        """Puts its parts together; see `build`."""
        self._measure, self._update, self._staged = measure, update, staged
        self._mesh, self._params = mesh, params

    def __call__(self, state: State, batch: Any) -> tuple[State, Measured]:
        """Returns the next state, and what was measured on the way."""
        made, way = {}, None
        if self._staged:
            batch, made, way = self._staged.made(state.params, batch)
        gradients, d_made, loss = self._measure(state.params, batch, made)
        if self._staged:
            gradients = self._staged.gradients(gradients, way, d_made)
        state, norm = self._update(state, gradients)
        return state, Measured(loss, norm)

    def announce(self, batch: dict[str, np.ndarray]) -> None:
        """Begins to compile what a batch of these shapes will need."""
        shapes, made = meshes.lying_batch(self._mesh, batch), {}
        if self._staged:
            shapes, made = self._staged.announce(shapes)
        self._measure.announce(self._params, shapes, made)

    def close(self) -> None:
        """Compiles nothing more ahead."""
        self._measure.close()
        if self._staged:
            self._staged.close()


def build(
    loss: Loss,
    transform: optax.GradientTransformation,
    train: Train,
    mesh: Mesh,
    state: State,
    workers: int = 1,
    stage: Stage | None = None,
) -> Step:
    """Returns the step.

    Args:
      loss: of a batch.
      transform: the optimiser.
      train: of the run.
      mesh: where states and batches lie.
      state: one of the right shapes.
      workers: how many programs are compiled at a time, of batches that are announced.
      stage: what is made of a batch before its loss; None if that takes it as it is.
    """

    def measure(params: Params, batch: Any, made: Any) -> tuple[Params, Any, jax.Array]:
        total, weight, found = _gradients(loss, params, batch, made, train.accumulate)
        return *jax.tree.map(lambda g: g / weight, found), total / weight

    def update(state: State, gradients: Params) -> tuple[State, jax.Array]:
        updates, optimizer = transform.update(gradients, state.optimizer, state.params)
        params = optax.apply_updates(state.params, updates)
        mean = state.mean
        if train.ema_decay is not None:
            mean = optax.incremental_update(params, mean, 1 - train.ema_decay)
        return State(params, optimizer, mean), optax.tree.norm(gradients)

    lying, whole = meshes.shardings(mesh, state), meshes.whole(mesh)
    measuring = jax.jit(measure, out_shardings=(lying.params, meshes.of_batch(mesh), whole))
    updating = jax.jit(update, donate_argnums=0, out_shardings=(lying, whole))
    params = meshes.lying(mesh, state.params)
    staged = Staged(stage, train.accumulate, mesh, params, workers) if stage else None
    return Step(Ahead(measuring, workers), updating, mesh, params, staged)


def _gradients(
    loss: Loss, params: Params, batch: Any, made: Any, accumulate: int
) -> tuple[jax.Array, jax.Array, tuple[Params, Any]]:
    """Returns a batch's loss and weight, and the gradients of parameters and of what was made.

    All are summed, one part after another.
    """

    def of_part(part: Any, made: Any) -> tuple:
        def both(params: Params, made: Any) -> tuple[jax.Array, jax.Array]:
            return loss(params, {**part, **made})

        (total, weight), found = jax.value_and_grad(both, (0, 1), has_aux=True)(params, made)
        return total, weight, *found

    if accumulate == 1:
        total, weight, *found = of_part(batch, made)
        return total, weight, tuple(found)

    def add(sums: tuple, part: tuple) -> tuple[tuple, Any]:
        *found, d_made = of_part(*part)
        return jax.tree.map(jnp.add, sums, tuple(found)), d_made

    cut = parts.cut((batch, made), accumulate)
    *shapes, _ = jax.eval_shape(of_part, *jax.tree.map(lambda x: x[0], cut))
    sums, d_made = jax.lax.scan(add, jax.tree.map(jnp.zeros_like, tuple(shapes)), cut)
    total, weight, gradients = sums
    return total, weight, (gradients, parts.joined(d_made))
