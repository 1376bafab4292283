"""Ctrl-C, and the signal by which clusters end jobs, as a request to stop at the next step."""

import contextlib
import signal
import threading
from collections.abc import Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether a stop was asked for."""

    def __init__(self) -> None:
        self.asked = False


@contextlib.contextmanager
def catching() -> Iterator[Stop]:
    """Turns the first SIGINT or SIGTERM into a request; a second one stops at once, as always."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # signals reach the main thread only
        return
    before = {of: signal.getsignal(of) for of in _SIGNALS}

    def restore() -> None:
        for of, handler in before.items():
            signal.signal(of, handler)

    def ask(*_: object) -> None:
        stop.asked = True
        restore()

    for of in _SIGNALS:
        signal.signal(of, ask)
    try:
        yield stop
    finally:
        restore()
