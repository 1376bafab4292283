"""Checkpoints: the latest, to go on from, and the best, to answer with.

checkpoints/latest/STEP/{state,progress,hash}   state: parameters, optimiser's state, running mean
checkpoints/best/STEP/{state,progress,hash}     state: parameters

Orbax puts a checkpoint in place when it is whole, so that a killed run leaves whole ones only.
It does not notice an altered byte of an array, which is what the hash is for.
"""

import contextlib
import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from jax.sharding import SingleDeviceSharding

from clrs_text_bench import storage
from clrs_text_bench.errors import BadInput

from . import distributed, mesh

FOLDER = "checkpoints"

_SMALL_FILES = 1 << 16  # bytes, beside the arrays


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was saved after so many steps."""

    step: int
    state: Any
    progress: dict


class Checkpoints:
    """The checkpoints of one kind, "latest" or "best", of which the newest is kept."""

    def __init__(self, run: Path, kind: str, *, create: bool = False) -> None:
        """Opens the checkpoints of a run's folder.

        Args:
          run: the folder.
          kind: "latest" or "best".
          create: whether the folder may be made.
        """
        self._folder = run / FOLDER / kind
        self._manager = None
        if create or self._folder.is_dir():
            options = ocp.CheckpointManagerOptions(
                max_to_keep=1,
                create=create,
                cleanup_tmp_directories=create,
                enable_async_checkpointing=False,
            )
            self._manager = ocp.CheckpointManager(self._folder.absolute(), options=options)

    @property
    def step(self) -> int | None:
        """Number of steps of the checkpoint there is; None if there is none."""
        return self._manager.latest_step() if self._manager else None

    def save(self, step: int, state: Any, progress: dict, written: Any = None) -> None:
        """Keeps the state after so many steps in place of the one before.

        Args:
          step: number of steps done.
          state: a tree of arrays, as it will be read.
          progress: JSON values.
          written: the same in types of fewer bits, to be written in its place.

        Raises:
          BadInput: if it cannot be written, such as on a full disk; the one before is kept.
        """
        items = ocp.args.Composite(
            state=ocp.args.StandardSave(state if written is None else written),
            progress=ocp.args.JsonSave(progress),
            hash=ocp.args.JsonSave(tree_hash(state)),
        )
        distributed.first(lambda: self._check_room(step, state))
        with self._writing(step):
            self._manager.save(step, args=items)

    def _check_room(self, step: int, state: Any) -> None:
        """Refuses what the disk has no room for, before Orbax tries, whose threads then cry out."""
        needed = sum(x.nbytes for x in jax.tree.leaves(state)) + _SMALL_FILES
        if needed > shutil.disk_usage(self._folder).free:
            with storage.writing(self._where(step)):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _where(self, step: int) -> str:
        return f"checkpoint {self._folder / str(step)}"

    @contextlib.contextmanager
    def _writing(self, step: int) -> Iterator[None]:
        """Turns a failure of the disk into a sentence, and leaves nothing half-written."""
        try:
            with storage.writing(self._where(step)):
                try:
                    yield
                except ValueError as error:
                    # Tensorstore has no error of its own for what the disk says.
                    found = re.search(r"os_error_code='(\d+)'", str(error))
                    if found is None:
                        raise
                    raise OSError(int(found[1]), os.strerror(int(found[1]))) from error
        except BadInput:
            for torn in self._folder.glob("*.orbax-checkpoint-tmp*"):
                shutil.rmtree(torn, ignore_errors=True)
            raise

    def progress(self) -> dict:
        """Returns the JSON values that were saved with the checkpoint there is."""
        items = ocp.args.Composite(progress=ocp.args.JsonRestore())
        return self._restore(items)["progress"]

    def hash(self) -> str:
        """Returns the hash of the arrays of the checkpoint there is, as they were saved."""
        return self._restore(ocp.args.Composite(hash=ocp.args.JsonRestore()))["hash"]

    def restore(self, state: Any) -> Checkpoint:
        """Reads the checkpoint there is.

        Args:
          state: a tree of the shapes and types to expect, and how they are to lie on devices.

        Raises:
          BadInput: if there is none, it is cut short or altered, or it is of other shapes.
        """
        if self.step is None:
            raise BadInput(f"{self._folder} holds no checkpoint; train the run first")
        items = ocp.args.Composite(
            state=ocp.args.StandardRestore(_abstract(state)),
            progress=ocp.args.JsonRestore(),
            hash=ocp.args.JsonRestore(),
        )
        found = self._restore(items)
        if tree_hash(found["state"]) != found["hash"]:
            raise BadInput(
                f"checkpoint {self._folder / str(self.step)} is not as it was saved: its arrays "
                "were altered; train the run again"
            )
        return Checkpoint(self.step, found["state"], dict(found["progress"]))

    def _restore(self, items: ocp.args.Composite) -> Any:
        # What orbax raises on a damaged checkpoint depends on which of its files is damaged.
        try:
            return self._manager.restore(self.step, args=items)
        except Exception as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else ""
            raise BadInput(
                f"checkpoint {self._folder / str(self.step)} is cut short or of another model "
                f"({type(error).__name__}: {reason[:160]}); train the run again"
            ) from error

    def close(self) -> None:
        """Waits for what is being written."""
        if self._manager:
            self._manager.close()


def best(run: Path, params: Any) -> Checkpoint:
    """Reads the best checkpoint of a run; see `Checkpoints.restore`."""
    kept = Checkpoints(run, "best")
    found = kept.restore(params)
    kept.close()
    return found


def _abstract(tree: Any) -> Any:
    """Returns shapes, types and places; what has none is to lie on one device.

    Without a place, Orbax would want the devices that the checkpoint was saved from.
    """
    here = SingleDeviceSharding(jax.local_devices()[0])

    def expected(x: Any) -> jax.ShapeDtypeStruct:
        sharding = getattr(x, "sharding", None) or here
        return jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding)

    return jax.tree.map(expected, tree)


def tree_hash(tree: Any) -> str:
    """Returns a hash of all arrays' names, shapes, types and bytes, however they lie on devices."""
    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        array = mesh.gather(leaf)  # one by one, so that memory for one is enough
        name = jax.tree_util.keystr(path)
        digest.update(f"{name} {array.shape} {array.dtype}\n".encode() + array.tobytes())
    return digest.hexdigest()
