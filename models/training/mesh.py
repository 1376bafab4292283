"""How arrays lie on devices: one named mesh from a single CPU to many hosts.

Axis "data" has copies of the parameters, axis "fsdp" parts of them (fully sharded data parallelism,
Rajbhandari et al. 2020, arXiv 1910.02054). Batches are cut over both.
"""

from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from clrs_text_bench.errors import BadInput

from . import config
from .feed import Share

DATA, FSDP = "data", "fsdp"

# Smaller arrays (norms, biases) are copied to all: cutting them up costs more than it saves.
_SMALLEST_CUT = 4096


def make(settings: config.Mesh, examples: int) -> Mesh:
    """Returns a mesh over all devices of all processes.

    Args:
      settings: of the mesh.
      examples: what is cut over it at a time: a batch, or a part of one.

    Raises:
      BadInput: if the devices, or a batch, cannot be cut evenly.
    """
    devices = jax.device_count()
    if devices % settings.fsdp:
        raise BadInput(f"mesh.fsdp {settings.fsdp} does not divide the {devices} devices there are")
    if examples % devices:
        raise BadInput(
            f"{examples} examples (train.batch_size / train.accumulate) cannot be cut evenly over "
            f"{devices} devices"
        )
    shape = (devices // settings.fsdp, settings.fsdp)
    return jax.make_mesh(shape, (DATA, FSDP), axis_types=(AxisType.Auto, AxisType.Auto))


def share() -> Share:
    """Returns which rows of each batch this process reads."""
    return Share(jax.process_index(), jax.process_count())


def shardings(mesh: Mesh, shapes: Any) -> Any:
    """Returns how a tree of parameters, or of an optimiser's state, lies on a mesh.

    An array is cut along its longest axis that "fsdp" divides, if it is worth it.
    """
    return jax.tree.map(lambda x: NamedSharding(mesh, _cut(mesh.shape[FSDP], x.shape)), shapes)


def _cut(parts: int, shape: tuple[int, ...]) -> PartitionSpec:
    fitting = [axis for axis, size in enumerate(shape) if size % parts == 0]
    if parts == 1 or not fitting or np.prod(shape) < _SMALLEST_CUT:
        return PartitionSpec()
    chosen = max(fitting, key=lambda axis: shape[axis])
    return PartitionSpec(*(FSDP if axis == chosen else None for axis in range(len(shape))))


def place(mesh: Mesh, tree: Any) -> Any:
    """Puts arrays that every process has whole onto a mesh, as `shardings` says."""

    def put(x: Any, sharding: NamedSharding) -> jax.Array:
        host = np.asarray(x)
        return jax.make_array_from_callback(host.shape, sharding, lambda index: host[index])

    return jax.tree.map(put, tree, shardings(mesh, tree))


def place_batch(mesh: Mesh, batch: dict[str, np.ndarray]) -> dict[str, jax.Array]:
    """Puts each process's share of a batch onto a mesh, cut along the first axis."""
    sharding = NamedSharding(mesh, PartitionSpec((DATA, FSDP)))
    return {name: jax.make_array_from_process_local_data(sharding, x) for name, x in batch.items()}


def gather(tree: Any) -> Any:
    """Returns a tree's arrays whole, as NumPy arrays, in every process."""
    if jax.process_count() == 1:
        return jax.tree.map(np.asarray, tree)
    from jax.experimental import multihost_utils

    return multihost_utils.process_allgather(tree, tiled=True)
