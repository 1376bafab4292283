"""Calls that worker processes answer without end."""

import operator
import os
import signal
from itertools import count, islice

import pytest

from clrs_text_bench import graph
from clrs_text_bench.errors import BadInput, RunFailed
from clrs_text_bench.workers import Pool


def test_results_come_in_the_order_of_the_calls_and_few_are_asked_for_ahead():
    asked = []

    def calls():
        for number in count():
            asked.append(number)
            yield operator.mul, (2, number)

    with Pool(2) as pool:
        assert list(islice(pool.stream(calls(), "numbers"), 5)) == [0, 2, 4, 6, 8]
    assert len(asked) <= 5 + 2


def test_workers_take_turns():
    with Pool(2) as pool:
        found = list(islice(pool.stream(((os.getpid, ()) for _ in count()), "numbers"), 4))
    assert found[:2] == found[2:]
    assert len({*found, os.getpid()}) == 3


def test_without_workers_calls_are_made_here_one_by_one():
    asked = []

    def calls():
        for number in count():
            asked.append(number)
            yield os.getpid, ()

    with Pool(0) as pool:
        assert list(islice(pool.stream(calls(), "numbers"), 2)) == [os.getpid()] * 2
    assert asked == [0, 1]


def test_calls_that_end_end_the_stream():
    with Pool(3) as pool:
        assert list(pool.stream(((abs, (-i,)) for i in range(2)), "numbers")) == [0, 1]


def test_what_is_refused_comes_as_it_was_said():
    calls = ((graph.size, (name, 4, "output")) for name in ("minimum", "maximum"))
    with Pool(1) as pool, pytest.raises(BadInput, match="maximum"):
        list(pool.stream(calls, "sizes"))


def test_a_worker_that_is_killed_is_named():
    calls = ((signal.raise_signal, (signal.SIGKILL,)) for _ in count())
    with Pool(1) as pool, pytest.raises(RunFailed, match="killed by SIGKILL while making numbers"):
        list(pool.stream(calls, "numbers"))
