"""How arrays lie on devices: one named mesh from a single CPU to many hosts.

Axis "data" has copies of the parameters, axis "fsdp" parts of them (fully sharded data parallelism,
Rajbhandari et al. 2020, arXiv 1910.02054). Batches are cut over both.
"""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from clrs_text_bench.errors import BadInput

from . import config
from .feed import Share

DATA, FSDP = "data", "fsdp"

# Smaller arrays (norms, biases) are copied to all: cutting them up costs more than it saves.
_SMALLEST_CUT = 4096


def make(settings: config.Mesh, examples: int, devices: Sequence[jax.Device] | None = None) -> Mesh:
    """Returns a mesh over devices.

    Args:
      settings: of the mesh.
      examples: what is cut over it at a time: a batch, or a part of one.
      devices: all of all processes if left out.

    Raises:
      BadInput: if the devices, or a batch, cannot be cut evenly.
    """
    devices = jax.devices() if devices is None else devices
    count = len(devices)
    if count % settings.fsdp:
        raise BadInput(f"mesh.fsdp {settings.fsdp} does not divide the {count} devices there are")
    if examples % count:
        raise BadInput(
            f"{examples} examples (train.batch_size / train.accumulate) cannot be cut evenly over "
            f"{count} devices"
        )
    shape, kinds = (count // settings.fsdp, settings.fsdp), (AxisType.Auto, AxisType.Auto)
    return jax.make_mesh(shape, (DATA, FSDP), axis_types=kinds, devices=devices)


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


def whole(mesh: Mesh) -> NamedSharding:
    """Returns how an array lies that every device has whole."""
    return NamedSharding(mesh, PartitionSpec())


def lying(mesh: Mesh, shapes: Any) -> Any:
    """Returns a tree's shapes and types, with how they lie on a mesh as `shardings` says."""

    def at(x: Any, sharding: NamedSharding) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding)

    return jax.tree.map(at, shapes, shardings(mesh, shapes))


def place(mesh: Mesh, tree: Any) -> Any:
    """Puts arrays that every process has whole onto a mesh, as `shardings` says."""

    def put(x: Any, sharding: NamedSharding) -> jax.Array:
        host = np.asarray(x)
        return jax.make_array_from_callback(host.shape, sharding, lambda index: host[index])

    return jax.tree.map(put, tree, shardings(mesh, tree))


def of_batch(mesh: Mesh) -> NamedSharding:
    """Returns how batches lie: cut along the first axis."""
    return NamedSharding(mesh, PartitionSpec((DATA, FSDP)))


def lying_batch(mesh: Mesh, batch: dict[str, np.ndarray]) -> dict[str, jax.ShapeDtypeStruct]:
    """Returns the shapes and types that a batch has on a mesh of this process's devices alone."""
    sharding = of_batch(mesh)
    return {
        name: jax.ShapeDtypeStruct(
            x.shape, jax.dtypes.canonicalize_dtype(x.dtype), sharding=sharding
        )
        for name, x in batch.items()
    }


def place_batch(mesh: Mesh, batch: dict[str, np.ndarray]) -> dict[str, jax.Array]:
    """Puts each process's share of a batch onto a mesh, cut along the first axis."""
    sharding = of_batch(mesh)
    return {name: jax.make_array_from_process_local_data(sharding, x) for name, x in batch.items()}


def gather(tree: Any) -> Any:
    """Returns a tree's arrays whole, as NumPy arrays, in every process; all must take part."""

    def whole(x: Any) -> np.ndarray:
        if not isinstance(x, jax.Array) or x.is_fully_addressable or x.is_fully_replicated:
            return np.asarray(x)
        return np.asarray(multihost_utils.process_allgather(x, tiled=True))

    return jax.tree.map(whole, tree)
