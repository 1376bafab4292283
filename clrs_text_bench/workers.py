"""A pool of worker processes that knows which of them died, and at what.

Each worker is a fresh interpreter: it imports what it needs once, on the first call that needs it.
"""

import contextlib
import multiprocessing
import os
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from clrs_text_bench import interrupts
from clrs_text_bench.errors import BadInput, RunFailed


@dataclass(frozen=True, slots=True)
class Progress:
    """Rows that a worker has made since it last said so."""

    rows: int


@dataclass(frozen=True, slots=True)
class Done:
    """The result of one call."""

    place: int
    result: Any


@dataclass(frozen=True, slots=True)
class _Failed:
    sentence: str
    bad_input: bool


@dataclass
class _Worker:
    number: int
    process: multiprocessing.Process
    pipe: Connection
    place: int | None = None


class Pool:
    """Worker processes that start when they are first needed and end with the context.

    Args:
      size: number of processes; 0 makes all calls in this one.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._workers: list[_Worker] = []

    @property
    def at_once(self) -> int:
        """How many calls run at a time."""
        return max(1, self._size)

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.pipe.close()
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join()

    def run(
        self, calls: list[tuple[Callable, tuple]], labels: list[str]
    ) -> Iterator[Progress | Done]:
        """Runs calls, yielding progress and results as they come.

        Args:
          calls: functions with their arguments; each is called with a `report(rows)` as well. All
            must be importable in a fresh interpreter.
          labels: what each call makes, for the sentence about a worker that failed.

        Raises:
          RunFailed: if a worker dies; it and its call are named. Other calls' results, if they
            came before, were yielded.
          BadInput: if a call raises it.
        """
        if not self._size:
            yield from _run_here(calls)
            return
        waiting = list(range(len(calls)))[::-1]
        while len(self._workers) < min(self._size, len(calls)):
            self._workers.append(_start(len(self._workers)))
        for worker in self._workers:
            _hand_out(worker, calls, waiting)
        while any(w.place is not None for w in self._workers):
            for worker in self._ready():
                message = _receive(worker, labels)
                if isinstance(message, Done):
                    worker.place = None
                    _hand_out(worker, calls, waiting)
                yield message

    def stream(self, calls: Iterator[tuple[Callable, tuple]], label: str) -> Iterator[Any]:
        """Yields the results of calls without end, in their order.

        Each worker has one call at a time, so that results are ahead by as many as there are.

        Args:
          calls: functions with their arguments, each importable in a fresh interpreter.
          label: what a call makes, for the sentence about a worker that failed.

        Raises:
          RunFailed: if a worker dies.
          BadInput: if a call raises it.
        """
        if not self._size:
            yield from (function(*arguments) for function, arguments in calls)
            return
        while len(self._workers) < self._size:
            self._workers.append(_start(len(self._workers)))
        turns: deque[_Worker] = deque()

        def give(worker: _Worker) -> None:
            if (call := next(calls, None)) is not None:
                worker.place = 0
                _send(worker, _without_report, call)
                turns.append(worker)

        for worker in self._workers:
            give(worker)
        while turns:
            worker = turns.popleft()
            result = _receive(worker, [label]).result
            give(worker)
            yield result

    def _ready(self) -> list[_Worker]:
        busy = {w.pipe: w for w in self._workers if w.place is not None}
        return [busy[pipe] for pipe in wait(list(busy))]


def _run_here(calls: list[tuple[Callable, tuple]]) -> Iterator[Progress | Done]:
    for place, (function, arguments) in enumerate(calls):
        rows: list[int] = []
        result = function(*arguments, rows.append)
        yield Progress(sum(rows))
        yield Done(place, result)


def _start(number: int) -> _Worker:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, os.getpid()), daemon=True)
    with interrupts.held():
        process.start()
    there.close()
    return _Worker(number + 1, process, here)


def _hand_out(worker: _Worker, calls: list[tuple[Callable, tuple]], waiting: list[int]) -> None:
    if waiting:
        worker.place = waiting.pop()
        _send(worker, *calls[worker.place])


def _send(worker: _Worker, function: Callable, arguments: tuple) -> None:
    # A worker that is already dead is found when its pipe is read.
    with contextlib.suppress(BrokenPipeError):
        worker.pipe.send((worker.place, function, arguments))


def _without_report(function: Callable, arguments: tuple, report: Callable) -> Any:
    return function(*arguments)


def _receive(worker: _Worker, labels: list[str]) -> Progress | Done:
    try:
        message = worker.pipe.recv()
    except (EOFError, ConnectionResetError):
        worker.process.join()
        raise RunFailed(
            f"worker {worker.number} (process {worker.process.pid}) "
            f"{_how_it_ended(worker.process.exitcode)} while making {labels[worker.place]}"
        ) from None
    if isinstance(message, _Failed):
        if message.bad_input:
            raise BadInput(message.sentence)
        raise RunFailed(
            f"worker {worker.number} failed while making {labels[worker.place]}: {message.sentence}"
        )
    return message


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _serve(pipe: Connection, parent: int) -> None:
    """Answers calls until the pipe closes."""
    # No worker takes an accelerator, which a training on the same machine may hold.
    os.environ["JAX_PLATFORMS"] = "cpu"

    def report(rows: int) -> None:
        if os.getppid() != parent:
            raise SystemExit(1)
        pipe.send(Progress(rows))

    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            place, function, arguments = pipe.recv()
            try:
                answer = Done(place, function(*arguments, report))
            except BadInput as error:
                answer = _Failed(str(error), bad_input=True)
            except Exception as error:
                traceback.print_exc()
                answer = _Failed(f"{type(error).__name__}: {error}", bad_input=False)
            pipe.send(answer)
