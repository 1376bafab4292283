"""Longest increasing subsequence, by dynamic programming over the ends of subsequences."""

import numpy as np

from clrs_text_bench.tasks import Probe, Task
from clrs_text_bench.trace import Trace

from .algorithm import ENGINE, Algorithm, Inputs

TASK = Task(
    "longest_increasing_subsequence",
    "dynamic_programming",
    (
        Probe("pos", "input", "node", "scalar"),
        Probe("key", "input", "node", "scalar"),
        Probe("pi", "output", "node", "pointer"),
        Probe("end", "output", "node", "mask_one"),
        Probe("pi_h", "hint", "node", "pointer"),
        Probe("end_h", "hint", "node", "mask_one"),
        Probe("share", "hint", "node", "scalar"),
        Probe("i", "hint", "node", "mask_one"),
    ),
    "the lowest index among predecessors, and among ends, of equally long subsequences; an element "
    "without a predecessor points to itself; equal keys do not increase",
    trace=("pi_h", "end_h"),
    longest_trace=lambda n: n,
    engine=ENGINE,
)


def draw(random: np.random.RandomState, length: int) -> Inputs:
    """Draws keys of three decimals."""
    return {"key": random.randint(0, 1000, length) / 1000}


def run(inputs: Inputs) -> Trace:
    """Takes in one element after another.

    `pi` is each element's predecessor in the longest subsequence that ends there, `end` the last
    element of the longest of all; the hint `share` is how long the one that ends there is, over n,
    0 where that is not known yet.
    """
    key = inputs["key"]
    n = len(key)
    longest, pi = np.zeros(n, int), np.arange(n)
    ends, pointers, shares = [], [], []
    for i in range(n):
        before = np.where(key[:i] < key[i], longest[:i], 0)
        if before.any():
            pi[i] = np.argmax(before)
        longest[i] = before.max(initial=0) + 1
        ends.append(np.argmax(longest))
        pointers.append(pi.copy())
        shares.append(longest / n)
    nodes = np.eye(n)
    return Trace(
        inputs={"key": key},
        outputs={"pi": pi, "end": nodes[ends[-1]]},
        hints={
            "pi_h": np.array(pointers),
            "end_h": nodes[ends],
            "share": np.array(shares),
            "i": nodes,
        },
        n_steps=n,
    )


def check(inputs: Inputs) -> None:
    """Takes any keys."""


ALGORITHM = Algorithm(TASK, draw, run, check)
