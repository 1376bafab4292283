"""A first stage of a loss, in programs of its own.

A program is compiled for every combination of shapes that batches have. Where some of the work
depends on few of them, as a reasoner's does on graphs and not on texts, it is compiled for those
alone. Gradients go back through the cut: no number changes but by rounding.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import Mesh

from . import mesh as meshes
from . import parts
from .ahead import Ahead
from .trainable import Params

Arrays = dict[str, Any]


class Stage(NamedTuple):
    """What is made of a batch before its loss.

    Attributes:
      reads: whether it is this stage, and not the loss, that reads an array of a batch, by name.
      make: of parameters and what it reads: more arrays `[B, ...]` by name, floats, which
        the loss finds in the batch.
    """

    reads: Callable[[str], bool]
    make: Callable[[Params, Arrays], Arrays]


class Staged:
    """A stage's two programs, of the way there and the way back."""

    def __init__(
        self, stage: Stage, accumulate: int, mesh: Mesh, params: Any, workers: int
    ) -> None:
        """Compiles nothing yet.

        Args:
          stage: what they compute.
          accumulate: parts that a batch is cut into.
          mesh: where batches lie.
          params: shapes and types of parameters, and how they lie.
          workers: how many programs are compiled at a time, of batches that are announced.
        """

        def there(params: Params, read: Arrays) -> tuple[Arrays, Callable]:
            def make(params: Params) -> Arrays:
                return parts.each(partial(stage.make, params), read, accumulate)

            return jax.vjp(make, params)

        def back(gradients: Params, way: Callable, d_made: Arrays) -> Params:
            return jax.tree.map(jnp.add, gradients, way(d_made)[0])

        self._stage, self._mesh, self._params = stage, mesh, params
        lying = jax.tree.map(lambda x: x.sharding, params)
        self._there = Ahead(jax.jit(there, out_shardings=(meshes.of_batch(mesh), None)), workers)
        self._back = Ahead(jax.jit(back, donate_argnums=0, out_shardings=lying), workers)

    def made(self, params: Params, batch: Arrays) -> tuple[Arrays, Arrays, Callable]:
        """Returns what the loss reads of a batch, what is made of the rest, and the way back."""
        read, rest = self._parted(batch)
        return rest, *self._there(params, read)

    def gradients(self, gradients: Params, way: Callable, d_made: Arrays) -> Params:
        """Returns the loss's gradients with those of the way back added.

        Args:
          gradients: of the parameters, whose memory is taken.
          way: back, as `made` gave it.
          d_made: the gradients of what was made.
        """
        return self._back(gradients, way, d_made)

    def announce(self, batch: Arrays) -> tuple[Arrays, Arrays]:
        """Begins to compile the way there of a batch of these shapes.

        Returns:
          The shapes of what the loss will read of it, and of what is made.
        """
        read, rest = self._parted(batch)
        self._there.announce(self._params, read)
        made = jax.eval_shape(self._stage.make, self._params, read)
        return rest, meshes.lying_batch(self._mesh, made)

    def _parted(self, batch: Arrays) -> tuple[Arrays, Arrays]:
        read = {name: x for name, x in batch.items() if self._stage.reads(name)}
        return read, {name: x for name, x in batch.items() if name not in read}

    def close(self) -> None:
        """Compiles nothing more ahead."""
        self._there.close()
        self._back.close()
