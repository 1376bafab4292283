"""Jobs on a Dask cluster, by the contract of the local pool.

Workers write to the data set's URL themselves; only counts and records of files come back. A job
makes the same bytes wherever and however often it runs, so one that was cut off, by a worker that
died, is simply run again by the scheduler.
"""

import contextlib
import functools
import itertools
import logging
import os
import socket
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from clrs_text_bench import extras
from clrs_text_bench.errors import BadInput, RunFailed
from clrs_text_bench.storage import Folder, sha256
from clrs_text_bench.workers import Done, Progress

from . import jobs

if TYPE_CHECKING:
    import distributed

SCHEME = "dask://"

# What the bytes of a data set depend on.
_PACKAGES = ("clrs-text-bench", "dm-clrs", "numba", "numpy", "pyarrow")
_WHICH_URL = "name a folder or URL that every worker reaches"
_CONNECT_SECONDS = 5
_CLOSE_SECONDS = 2
# So many calls at most are with the scheduler, which keeps each in memory.
_SENT_AHEAD = 10_000

# An engine may use what its process has one of: upstream's samplers seed Python's own generator.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, slots=True)
class Ground:
    """What every worker must find as the client finds it.

    Attributes:
      url: the data set's folder.
      mark: name of a file in it.
      digest: sha256 of that file.
      engine: name of the engine.
      engine_version: its version.
      stream: the stream that it is asked for.
      versions: names of packages with their versions.
    """

    url: str
    mark: str
    digest: str
    engine: str
    engine_version: str
    stream: str
    versions: tuple[tuple[str, str], ...]


class Cluster:
    """A connection to a cluster's scheduler, open within the context.

    Args:
      executor: `dask://HOST:PORT`.
      folder: the data set's folder.
      mark: name of a file in it, there before the first call, by which a worker knows the folder.
      engine: name of the engine that the calls use.
      stream: the stream that it is asked for.

    Raises:
      BadInput: on entering, if no scheduler answers at the address, if it has no workers, if one
        of them has another version of a package than this process, or if the extra is missing.
    """

    def __init__(
        self, executor: str, *, folder: Folder, mark: str, engine: str, stream: str
    ) -> None:
        self._address = _address(executor)
        self._folder, self._mark = folder, mark
        self._engine, self._stream = engine, stream
        self._versions = tuple((name, metadata.version(name)) for name in _PACKAGES)

    def __enter__(self) -> "Cluster":
        self._exits = contextlib.ExitStack()
        with self._exits:
            extras.load("distributed", "cluster", "--executor dask://")
            self._exits.enter_context(_quiet())
            self._client = _connect(self._address)
            self._exits.callback(self._client.close, timeout=_CLOSE_SECONDS)
            self._compare_versions()
            self._exits = self._exits.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    @functools.cached_property
    def _ground(self) -> Ground:
        return Ground(
            url=self._folder.absolute(),
            mark=self._mark,
            digest=sha256(self._folder.read(self._mark)),
            engine=self._engine,
            engine_version=jobs.check_engine(self._engine, stream=self._stream),
            stream=self._stream,
            versions=self._versions,
        )

    def run(
        self, calls: list[tuple[Callable, tuple]], labels: list[str]
    ) -> Iterator[Progress | Done]:
        """Runs calls, yielding progress and results as they come; see `workers.Pool.run`.

        Progress comes with each result. While the cluster has no worker left, this waits for one.

        Raises:
          RunFailed: if the scheduler is lost, if workers die again and again at the same call, or
            if a call fails. Other calls' results, if they came before, were yielded.
          BadInput: if a call raises it, or a worker cannot make what is asked for.
        """
        if not calls:
            return
        with self._while_connected():
            self._ask_all_whether_ready()
        import distributed

        waiting = iter(range(len(calls)))
        places: dict[distributed.Future, int] = {}

        def send(count: int) -> list["distributed.Future"]:
            sent = {}
            for place in itertools.islice(waiting, count):
                future = self._client.submit(_call, *calls[place], self._ground, pure=False)
                sent[future] = place
            places.update(sent)
            return list(sent)

        with self._while_connected():
            coming = distributed.as_completed(send(_SENT_AHEAD), loop=self._client.loop)
        while places:
            with self._while_connected():
                future = next(coming)
                place = places.pop(future)
                rows, result = self._result(future, labels[place])
                coming.update(send(1))
            yield Progress(rows)
            yield Done(place, result)

    def _result(self, future: "distributed.Future", label: str) -> tuple[int, Any]:
        from distributed.scheduler import KilledWorker

        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, (BadInput, RunFailed)):
            raise error
        if isinstance(error, CancelledError):
            if self._is_lost():
                raise error
            raise RunFailed(f"the scheduler at {self._address} dropped {label}")
        if isinstance(error, KilledWorker):
            raise RunFailed(
                f"workers of {self._address} died again and again while making {label}, "
                f"the last of them at {error.last_worker.address}"
            )
        raise RunFailed(
            f"a worker of {self._address} failed while making {label}: "
            f"{type(error).__name__}: {error}"
        )

    def _is_lost(self) -> bool:
        return self._client.status != "running"

    @contextlib.contextmanager
    def _while_connected(self) -> Iterator[None]:
        """Turns whatever is raised when the scheduler is gone into a sentence.

        A call's own errors do not come through here: an `OSError` is the connection's.
        """
        try:
            yield
        except (CancelledError, OSError, RuntimeError) as error:
            refused = isinstance(error, RuntimeError) and not self._is_lost()
            if refused or isinstance(error, RunFailed):
                raise
            raise RunFailed(f"the scheduler at {self._address} was lost") from error

    def _compare_versions(self) -> None:
        """Asks every worker for its packages; nothing of ours is sent for that."""
        for package, ours in self._versions:
            found = self._client.run(metadata.version, package, on_error="return")
            if not found:
                raise BadInput(
                    f"the cluster at {self._address} has no workers; start one with "
                    f"`dask worker {self._address}`"
                )
            for worker, theirs in found.items():
                if theirs != ours:
                    raise BadInput(_other_version(worker, package, theirs, ours))

    def _ask_all_whether_ready(self) -> None:
        found = self._client.run(_check_ready, self._ground, on_error="return")
        for worker, error in found.items():
            if error is not None:
                raise BadInput(f"worker {worker} {error}")


def _address(executor: str) -> str:
    """Returns the scheduler's address as Dask writes it."""
    parts = urllib.parse.urlsplit(executor)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        port = None
    if not executor.startswith(SCHEME) or not port or not host or parts.path.strip("/"):
        raise BadInput(
            f"--executor {executor!r} is neither local nor dask://HOST:PORT, such as "
            "dask://10.0.0.1:8786"
        )
    return f"tcp://{parts.netloc}"


def _connect(address: str) -> "distributed.Client":
    import distributed

    try:
        _hear(address)
        return distributed.Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError):
        raise BadInput(
            f"no Dask scheduler answers at {address} within {_CONNECT_SECONDS} seconds; start one "
            "with `dask scheduler`, and see that its port can be reached from here"
        ) from None


def _hear(address: str) -> None:
    """Raises `OSError` unless something speaks up at an address, as a scheduler does on its own.

    Dask itself would wait on a port that takes a connection and stays silent.
    """
    parts = urllib.parse.urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), _CONNECT_SECONDS) as connection:
        if not connection.recv(1):
            raise ConnectionError(f"{address} hung up")


def _other_version(worker: str, package: str, theirs: object, ours: str) -> str:
    if isinstance(theirs, metadata.PackageNotFoundError):
        return f"worker {worker} has no {package}; this process has {ours}: install the same there"
    if isinstance(theirs, Exception):
        return f"worker {worker} does not say which {package} it has: {theirs!r}"
    return (
        f"worker {worker} has {package} {theirs}, this process has {ours}: samples would not be "
        "the same bytes; install one version everywhere"
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps Dask's own log out of ours: what goes wrong is said once, in a sentence.

    Dask must be imported before: it sets the levels of its logs then, the client's apart.
    """
    names = ("distributed", "distributed.client", "tornado", "asyncio")
    logs = [logging.getLogger(name) for name in names]
    before = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)


# What follows runs on the workers.


def _call(function: Callable, arguments: tuple, ground: Ground) -> tuple[int, Any]:
    """Makes one call; returns the rows that it reported, and its result."""
    from distributed import get_worker

    # As in a local worker: an accelerator may be held by a training on the same machine.
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    with _ONE_AT_A_TIME:
        # The worker may have joined when the run was under way already.
        try:
            _check_ready(ground)
        except RunFailed as error:
            raise RunFailed(f"worker {get_worker().address} {error}") from None
        rows: list[int] = []
        result = function(*arguments, rows.append)
        return sum(rows), result


@functools.lru_cache
def _check_ready(ground: Ground) -> None:
    """Raises `RunFailed` if this process could not make the same bytes as the client.

    Asked before every call, and so remembered; a failure is not, it may have been mended.
    """
    for package, theirs in ground.versions:
        ours = metadata.version(package)
        if ours != theirs:
            raise RunFailed(f"has {package} {ours}, the client has {theirs}")
    try:
        version = jobs.check_engine(ground.engine, stream=ground.stream)
    except BadInput as error:
        raise RunFailed(f"cannot make samples: {error}") from None
    if version != ground.engine_version:
        raise RunFailed(f"has engine {ground.engine} {version}, not {ground.engine_version}")
    try:
        found = sha256(Folder.at(ground.url).read(ground.mark))
    except BadInput as error:
        raise RunFailed(f"cannot reach --out: {error}; {_WHICH_URL}") from None
    if found != ground.digest:
        raise RunFailed(f"finds another data set at {ground.url}; {_WHICH_URL}")
