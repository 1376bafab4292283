"""Measures of a diagnosis that nothing was measured for."""

import numpy as np

from clrs_text_bench.evaluators.bootstrap import Interval
from clrs_text_bench.evaluators.diagnosis.measures import Measures, Shown
from clrs_text_bench.protocols import Attention

SCORES = ("shape", "parse", "clrs", "exact")


def around(mean, half=0.02):
    return Interval(mean, mean - half, mean + half)


def by_score(clrs, shape=0.95):
    return {"shape": around(shape), "parse": around(1.0), "clrs": around(clrs)} | {
        "exact": around(clrs / 2)
    }


def measures(
    *,
    shares=(0.2, 0.05),
    clrs=0.8,
    shape=0.95,
    inside=0.85,
    outside=0.7,
    shuffled=-0.3,
    zeros=-0.4,
    reasoner=0.02,
    half=0.02,
    untold=None,
    tuned=False,
):
    """Returns measures of a model that shows no sign of failure, but for what is said otherwise.

    `shuffled`, `zeros` and `reasoner` are changes of clrs; None of `inside` or `outside` leaves
    the regime out.
    """

    def parts(change):
        found = {"all": by_score(clrs + change, shape)}
        if inside is not None:
            found["in-distribution"] = by_score(inside + change, shape)
        if outside is not None:
            found["extrapolation"] = found["others"] = by_score(outside + change, shape)
        return found

    given = {"shuffled": shuffled, "zeros": zeros}
    if untold is None:
        given["reasoner"] = reasoner
    return Measures(
        rows=400,
        gates=dict(enumerate(np.linspace(0.4, -0.1, len(shares)).tolist())),
        shares=dict(enumerate(around(share, 0.001) for share in shares)),
        scores={"true": parts(0.0)} | {who: parts(change) for who, change in given.items()},
        changes={who: dict.fromkeys(SCORES, around(change, half)) for who, change in given.items()},
        untold=untold,
        tuned=tuned,
    )


def attention(layers=(0, 1, 2, 3), tokens=12, n=10, seed=0):
    """Returns attention that moves over the nodes as an answer goes on."""
    rng = np.random.default_rng(seed)
    R = len(layers)
    near = -0.5 * (np.arange(tokens)[:, None] - np.arange(n)[None]) ** 2
    logits = np.arange(R)[:, None, None] / R * near + rng.normal(size=(R, tokens, n))
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    nodes = weights / weights.sum(axis=-1, keepdims=True)
    edges = nodes[:, :, :, None] * nodes[:, :, None, :]
    words = ["[", *(f"0.{i}" for i in range(tokens - 2)), "]\n\n"]
    return Attention(words, list(layers), nodes, edges)


def shown(steps=(50, 100, 150), **settings):
    """Returns what figures show; no steps for a run that logged no gates."""
    found = attention(**settings)
    return Shown(
        {
            step: {layer: float(np.tanh(step / 4000 * (1 - layer))) for layer in found.layers}
            for step in steps
        },
        "insertion_sort, length 10",
        found,
    )
