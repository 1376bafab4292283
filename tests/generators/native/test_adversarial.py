"""The native engine against dm-clrs on hand-made and random inputs that samplers hardly draw.

Every case runs in both engines: equal inputs, outputs, hints and numbers of steps. What
`given_inputs` refuses is refused by both with one sentence.
"""

import os
import subprocess
import sys

import numpy as np
import pytest

from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators.native.engine import Engine, kernel_names

from . import hand_made
from .hand_made import HULLS, MATCHERS, SORTS, UNWEIGHTED, two_strings


def assert_equal_runs(algorithm, inputs):
    from clrs_text_bench.generators.dm_clrs import Engine as Upstream

    expected, found = Upstream().run(algorithm, inputs), Engine().run(algorithm, inputs)
    assert found.n_steps == expected.n_steps
    for stage in ("inputs", "outputs", "hints"):
        wanted = getattr(expected, stage)
        assert list(getattr(found, stage)) == list(wanted)
        for name, values in wanted.items():
            np.testing.assert_array_equal(
                np.asarray(getattr(found, stage)[name], np.float32),
                np.asarray(values, np.float32),
                err_msg=f"{stage} {name}",
            )


@pytest.mark.parametrize("algorithm", kernel_names())
def test_hand_made_inputs_run_as_upstream_runs_them(algorithm):
    found = list(hand_made.cases(algorithm))
    assert len(found) >= 6
    for name, inputs in found:
        try:
            assert_equal_runs(algorithm, inputs)
        except (AssertionError, BadInput) as error:
            raise AssertionError(f"{algorithm}, case {name!r}: {error}") from error


@pytest.mark.parametrize("algorithm", kernel_names())
def test_random_inputs_with_ties_run_as_upstream_runs_them(algorithm):
    rng = np.random.default_rng(7)
    for _ in range(12):
        assert_equal_runs(algorithm, hand_made.random_inputs(algorithm, rng))


def test_a_text_without_the_pattern_matches_at_the_pattern():
    for algorithm in MATCHERS:
        trace = Engine().run(algorithm, two_strings("AAAAA", "CC"))
        assert trace.outputs["match"].tolist() == [0, 0, 0, 0, 0, 1, 0]


def refusals():
    """Yields algorithm, inputs, and words of the sentence."""
    path = np.diag([1.0, 1.0, 1.0], 1)
    back = path.copy()
    back[2, 0] = -3
    yield "dijkstra", {"A": -path, "s": 0}, r"'A' of dijkstra must not be negative.*\(0, 1\)"
    yield "bfs", {"A": -path, "s": 0}, "must not be negative"
    yield "mst_kruskal", {"A": -path}, "must not be negative"
    yield "bellman_ford", {"A": back, "s": 0}, "cycle of negative weight within reach of 's'"
    yield "bellman_ford", {"A": -np.eye(4), "s": 1}, "cycle of negative weight"
    yield "bellman_ford", {"A": -np.ones((4, 4)), "s": 1}, "cycle of negative weight"
    yield "floyd_warshall", {"A": back}, "cycle of negative weight"
    yield "floyd_warshall", {"A": -np.eye(4)}, "cycle of negative weight"
    for algorithm in ("bfs", "bellman_ford", "mst_prim", "dag_shortest_paths"):
        yield algorithm, {"A": path, "s": 4}, "from 0 to 3"
        yield algorithm, {"A": path, "s": -1}, "from 0 to 3"
        yield algorithm, {"A": path, "s": [0, 0, 0, 0]}, "1 at one node"
        yield algorithm, {"A": path[:3], "s": 0}, r"shape \(3, 4\)"
    for algorithm in UNWEIGHTED:
        yield algorithm, {"A": path / 2}, "whole numbers"
    for algorithm in HULLS:
        line = np.arange(5.0)
        yield algorithm, {"x": line, "y": 2 * line}, "three points on a line"
        yield algorithm, {"x": line / 3, "y": line / 7}, "three points on a line"
        yield algorithm, {"x": np.ones(4), "y": np.ones(4)}, "the same point twice"
        yield algorithm, {"x": [0, 1, 1, 0], "y": [0, 1, 1, 3]}, "the same point twice"
    yield "segments_intersect", {"x": np.ones(5), "y": np.ones(5)}, "has 4 nodes"
    yield "segments_intersect", {"x": np.ones(3), "y": np.ones(3)}, "at least 4 nodes"
    for algorithm in (*MATCHERS, "lcs_length"):
        yield algorithm, {"string": [1, 1, 0, 0], "key": [0] * 4}, "0 for a first string"
        yield algorithm, {"string": [0, 1, 0, 1], "key": [0] * 4}, "0 for a first string"
        yield algorithm, {"string": [0] * 4, "key": [0] * 4}, "0 for a first string"
        yield algorithm, {"string": [1] * 4, "key": [0] * 4}, "0 for a first string"
        yield algorithm, {"string": [0, 0, 2, 2], "key": [0] * 4}, "0 and 1 only"
        yield algorithm, {"string": [0, 0, 1, 1], "key": [0, 1, 2, 4]}, "from 0 to 3"
        yield algorithm, {"string": [0, 0, 1, 1], "key": np.ones((4, 4))}, "one-hot"
    for algorithm in MATCHERS:
        yield algorithm, two_strings("AC", "ACG"), "longer than the text"
    yield "optimal_bst", {"p": [0.1, 0.2], "q": [0.1, 0.2]}, "must end in 0"
    yield "task_scheduling", {"d": [1.5, 2], "w": [0.1, 0.2]}, "whole numbers"
    yield "task_scheduling", {"d": [10**12, 2], "w": [0.1, 0.2]}, "beyond 1e"
    for algorithm in SORTS:
        yield algorithm, {"key": [0.1, np.nan]}, "not finite"
        yield algorithm, {"key": [0.1, np.inf]}, "not finite"
        yield algorithm, {"key": [[0.1], [0.2]]}, r"shape \(2, 1\)"
        yield algorithm, {"key": [0.1]}, "at least 2 nodes"
        yield algorithm, {"key": []}, "at least 2 nodes"
        yield algorithm, {"key": 0.5}, "no array"
        yield algorithm, {"key": [[1, 2], [3]]}, "not an array of numbers"
        yield algorithm, {"key": ["a", "b"]}, "not an array of numbers"
        yield algorithm, {"keys": [1, 2]}, "no input 'keys'"
        yield algorithm, {}, "lack key"
    yield "matrix_chain_order", {"p": [1e200, 1e200, 0]}, "beyond 1e"


@pytest.mark.parametrize("made", [Engine(), None], ids=["native", "dm-clrs"])
def test_what_cannot_be_run_is_refused_with_one_sentence(made):
    from clrs_text_bench.generators.dm_clrs import Engine as Upstream

    engine = made or Upstream()
    for algorithm, inputs, words in refusals():
        with pytest.raises(BadInput, match=words) as caught:
            engine.run(algorithm, inputs)
        assert "\n" not in str(caught.value)


def test_more_points_than_can_be_drawn_off_every_line_are_refused():
    for algorithm in HULLS:
        with pytest.raises(BadInput, match=f"{algorithm} is drawn up to length 256, not 257"):
            Engine().generate(
                algorithm,
                257,
                seed=0,
                split="train",
                indices=np.arange(1),
                use_hints=False,
                graph_hints=False,
            )


_BOUNDS_CHECKED = """
import importlib.util, sys
import numpy as np
from clrs_text_bench.generators.native.engine import Engine, kernel_names
spec = importlib.util.spec_from_file_location("hand_made", sys.argv[1])
hand_made = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hand_made)
engine, rng = Engine(), np.random.default_rng(8)
for algorithm in kernel_names():
    for _, inputs in hand_made.cases(algorithm):
        engine.run(algorithm, inputs)
    for _ in range(50):
        engine.run(algorithm, hand_made.random_inputs(algorithm, rng))
    for length in (4, 5, 9):
        engine.generate(
            algorithm, length, seed=1, split="train", indices=np.arange(20),
            use_hints=True, graph_hints=True,
        )
"""


@pytest.mark.slow
def test_no_kernel_reads_or_writes_out_of_bounds(tmp_path):
    """Compiles all kernels anew with bounds checks, and runs every case and drawn samples."""
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", _BOUNDS_CHECKED, hand_made.__file__],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
