"""Several processes as one run: how they find each other, agree, and part.

Every process does the same steps on its share of each batch. What only one may do, such as writing
a file, process 0 does. A single process goes the same way and waits for nobody.
"""

import atexit
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import jax
import numpy as np

from clrs_text_bench.errors import BadInput, RunFailed

from . import rendezvous

AUTO = "auto"

_T = TypeVar("_T")
_LAST_WORDS = 2.0  # seconds that process 0 leaves the others to say why they end
_PART = 30  # seconds that processes that are done wait for each other
_SMALLEST_MESSAGE = 256


@contextlib.contextmanager
def joined(
    coordinator: str | None, processes: int | None, process: int | None, timeout: int
) -> Iterator[None]:
    """Makes this process one of several for as long as the context lasts.

    Args:
      coordinator: HOST:PORT of process 0, the same for all; "auto" to take it, and what else is
        left out, from the cluster's environment; None for one process alone.
      processes: how many there are.
      process: which of them this is, from 0.
      timeout: seconds to wait for the others.

    Raises:
      BadInput: if these do not fit together, or the others are not found in time.
      RunFailed: if another process is lost.
    """
    if coordinator is None:
        if processes is not None or process is not None:
            raise BadInput("--processes and --process need --coordinator HOST:PORT, or auto")
        yield
        return
    if coordinator != AUTO:
        _check(coordinator, processes, process)
        rendezvous.meet(coordinator, processes, process, timeout)
    _start(coordinator, processes, process, timeout)
    try:
        yield
    except BaseException as error:
        _leave_at_exit(error)
        if _is_of_others(error):
            raise RunFailed(
                f"process {jax.process_index()} cannot go on with the others "
                f"({str(error).splitlines()[0][:160]}); when all are there again, go on with "
                "--resume"
            ) from error
        raise
    jax.distributed.shutdown()


def _check(coordinator: str, processes: int | None, process: int | None) -> None:
    host, colon, port = coordinator.rpartition(":")
    if not (host and colon and port.isdecimal() and 0 < int(port) < 2**16):
        raise BadInput(f"--coordinator {coordinator} is not like 10.0.0.1:9876, or auto")
    if processes is None or process is None:
        raise BadInput(
            f"--coordinator {coordinator} needs --processes, how many there are, and --process, "
            "which this one is"
        )
    if processes < 1:
        raise BadInput(f"--processes {processes} must be 1 or more")
    if not 0 <= process < processes:
        raise BadInput(
            f"--process {process} must be from 0 to {processes - 1}, as --processes is {processes}"
        )


def _start(coordinator: str, processes: int | None, process: int | None, timeout: int) -> None:
    try:
        jax.distributed.initialize(
            None if coordinator == AUTO else coordinator,
            processes,
            process,
            initialization_timeout=timeout,
            shutdown_timeout_seconds=_PART,
        )
    except ValueError as error:
        raise BadInput(
            "--coordinator auto finds no cluster here (SLURM, Open MPI, Kubernetes or Cloud TPU); "
            "name --coordinator HOST:PORT, --processes and --process"
        ) from error


def _leave_at_exit(error: BaseException) -> None:
    """Ends the process, once it has said why, without waiting for others that may never come."""

    def leave() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        if is_first():
            # With process 0 the service ends that all hold on to.
            time.sleep(_LAST_WORDS)
        os._exit(2 if isinstance(error, BadInput) else 1)

    atexit.register(leave)


def _is_of_others(error: BaseException) -> bool:
    """Returns whether an error comes of the loss of another process."""
    # A connection between CPUs that is lost is a ValueError.
    return isinstance(error, jax.errors.JaxRuntimeError) or (
        isinstance(error, ValueError) and not isinstance(error, BadInput) and "Gloo" in str(error)
    )


def is_first() -> bool:
    """Returns whether this is process 0, which writes files and shows progress."""
    return jax.process_index() == 0


def first(work: Callable[[], object]) -> None:
    """Lets process 0 do something, while the others wait.

    Raises:
      BadInput: in every process, if it does in process 0.
    """
    if jax.process_count() == 1:
        work()
        return
    error = _attempt(work)[1] if is_first() else None
    if refused := exchange((error or "").encode())[0]:
        raise BadInput(refused.decode())


def together(work: Callable[[], _T]) -> _T:
    """Does something in every process; returns what came of it in this one.

    Raises:
      BadInput: in every process, if it does in any.
    """
    if jax.process_count() == 1:
        return work()
    value, error = _attempt(work)
    for process, found in enumerate(exchange((error or "").encode())):
        if found:
            raise BadInput(error or f"process {process}: {found.decode()}")
    return value


def same(values: dict[str, str]) -> None:
    """Sees that all processes were given the same, each thing under its name.

    Raises:
      BadInput: in every process, if they were not.
    """
    messages = [json.loads(message) for message in exchange(json.dumps(values).encode())]
    for process, found in enumerate(messages):
        for name, value in messages[0].items():
            if found[name] != value:
                raise BadInput(
                    f"process {process} has another {name} than process 0; start all processes "
                    "with the same"
                )


def _attempt(work: Callable[[], _T]) -> tuple[_T | None, str | None]:
    try:
        return work(), None
    except BadInput as error:
        return None, str(error)


def exchange(message: bytes) -> list[bytes]:
    """Returns the messages of all processes, in their order; all must send one."""
    if jax.process_count() == 1:
        return [message]
    from jax.experimental import multihost_utils

    sizes = multihost_utils.process_allgather(np.int32(len(message))).ravel()
    # In powers of two: few programs are compiled.
    room = max(_SMALLEST_MESSAGE, 1 << (int(sizes.max()) - 1).bit_length())
    padded = np.zeros(room, np.uint8)
    padded[: len(message)] = np.frombuffer(message, np.uint8)
    found = multihost_utils.process_allgather(padded)
    return [row[:size].tobytes() for row, size in zip(found, sizes, strict=True)]
