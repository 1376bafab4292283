"""Ctrl-C kept from the processes that this one starts."""

import contextlib
import signal
from collections.abc import Iterator
from multiprocessing import resource_tracker


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Holds Ctrl-C back, in this process for now and in those started meanwhile for good.

    The terminal sends it to the whole group; this process alone decides what it means.
    """
    # The first process brings a tracker along, whose start would let Ctrl-C through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
