import signal
import threading

import pytest

from clrs_text_bench.models.training import interrupt


def test_a_second_ctrl_c_stops_at_once():
    with interrupt.catching() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_sigterm_asks_as_ctrl_c_does_and_both_are_left_as_they_were():
    before = [signal.getsignal(of) for of in (signal.SIGINT, signal.SIGTERM)]
    with interrupt.catching() as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.asked
    with interrupt.catching() as stop:
        assert not stop.asked
    assert [signal.getsignal(of) for of in (signal.SIGINT, signal.SIGTERM)] == before


def test_outside_the_main_thread_signals_are_left_alone():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work():
        with interrupt.catching() as stop:
            seen.append((stop.asked, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, before)]
