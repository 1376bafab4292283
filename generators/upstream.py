"""dm-clrs behind one door: its samplers, its algorithms, its formatter.

Importing this module imports `clrs`, and with it TensorFlow: seconds, and hundreds of megabytes.
"""

import contextlib
import os
import warnings
from collections.abc import Iterator, Mapping
from functools import partial
from types import SimpleNamespace

import numpy as np

from clrs_text_bench.errors import BadInput
from clrs_text_bench.trace import Trace


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps TensorFlow's start-up messages, which bypass Python, off the terminal."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    saved, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)


with _quiet():
    from absl import logging as absl_logging
    from clrs._src import algorithms, probing, samplers, specs
    from clrs._src.clrs_text import clrs_utils

absl_logging.set_verbosity(absl_logging.ERROR)

_DECIMALS = 3
_SEEDS = 2**32
_SORTING = (algorithms.graphs, algorithms.greedy, algorithms.geometry)
_STABLE_NUMPY = SimpleNamespace(**{**vars(np), "argsort": partial(np.argsort, kind="stable")})


@contextlib.contextmanager
def lowest_index_first() -> Iterator[None]:
    """Has upstream's algorithms take equal keys lowest index first, on any processor.

    Where they sort with `np.argsort`, NumPy leaves the order of equal keys open: it has one
    order without vector instructions (stable up to 16 keys), and another with AVX2 or AVX-512.
    """
    for module in _SORTING:
        module.np = _STABLE_NUMPY
    try:
        yield
    finally:
        for module in _SORTING:
            module.np = np


def sampler(algorithm: str, length: int, seed: int = 0) -> samplers.Sampler:
    """Builds upstream's sampler as CLRS-Text's own generator does."""
    if not 0 <= seed < _SEEDS:
        raise BadInput(f"upstream's seeds go from 0 to {_SEEDS - 1}, not {seed}")
    built, _ = samplers.build_sampler(
        algorithm,
        seed=seed,
        num_samples=-1,
        length=length,
        track_max_steps=False,
        use_padding=False,
        truncate_decimals=_DECIMALS,
    )
    return built


def draw(from_sampler: samplers.Sampler, bits: np.random.BitGenerator | None) -> samplers.Feedback:
    """Draws one sample: the stream's next, or the first of a generator's bits."""
    if bits is not None:
        from_sampler._rng = np.random.RandomState(bits)
    return from_sampler.next(batch_size=1)


def text(algorithm: str, sample: samplers.Feedback, use_hints: bool) -> tuple[str, str]:
    """Returns a sample's question and answer."""
    return clrs_utils.format_clrs_example(algorithm, sample, use_hints=use_hints)


def trace_of(sample: samplers.Feedback) -> Trace:
    """Takes the arrays of a sample out of its batch of one."""
    return Trace(
        inputs={p.name: p.data[0] for p in sample.features.inputs},
        outputs={p.name: p.data[0] for p in sample.outputs},
        hints={p.name: p.data[:, 0] for p in sample.features.hints},
        n_steps=int(sample.features.lengths[0]),
    )


def run(algorithm: str, inputs: Mapping[str, np.ndarray]) -> Trace:
    """Runs upstream's algorithm on checked inputs (see `given_inputs.check`)."""
    arguments = _ARGUMENTS.get(algorithm, _in_order)(inputs)
    _, probes = getattr(algorithms, algorithm)(*arguments)
    if isinstance(probes["output"]["node"].get("match", {}).get("data"), list):
        # Upstream's naive_string_matcher forgets to, where there is no match.
        probing.finalize(probes)
    given, outputs, hints = probing.split_stages(probes, specs.SPECS[algorithm])
    return Trace(
        inputs={p.name: p.data[0] for p in given},
        outputs={p.name: p.data[0] for p in outputs},
        hints={p.name: p.data[:, 0] for p in hints},
        n_steps=len(hints[0].data),
    )


def _in_order(inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    return [np.array(x) for x in inputs.values()]


def _unweighted(inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    return [inputs["A"].astype(np.int64)]


def _weighted_from_source(inputs: Mapping[str, np.ndarray]) -> list:
    return [np.array(inputs["A"]), int(np.argmax(inputs["s"]))]


def _two_strings(inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Splits the characters into the first string (text) and the second (pattern)."""
    characters = np.argmax(inputs["key"], axis=-1)
    second = inputs["string"] == 1
    return [characters[~second], characters[second]]


_ARGUMENTS = {
    "binary_search": lambda inputs: [float(inputs["target"]), np.array(inputs["key"])],
    "optimal_bst": lambda inputs: [np.array(inputs["p"][:-1]), np.array(inputs["q"])],
    "task_scheduling": lambda inputs: [inputs["d"].astype(np.int64), np.array(inputs["w"])],
    "lcs_length": _two_strings,
    "naive_string_matcher": _two_strings,
    "kmp_matcher": _two_strings,
    "dfs": _unweighted,
    "topological_sort": _unweighted,
    "articulation_points": _unweighted,
    "bridges": _unweighted,
    "bfs": lambda inputs: [inputs["A"].astype(np.int64), int(np.argmax(inputs["s"]))],
    "mst_prim": _weighted_from_source,
    "bellman_ford": _weighted_from_source,
    "dijkstra": _weighted_from_source,
    "dag_shortest_paths": _weighted_from_source,
}
