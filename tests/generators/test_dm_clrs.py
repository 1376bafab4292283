"""Engine dm-clrs: upstream's own bytes, and sample identity."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from clrs_text_bench import graph, schema, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import generate_batch, run_algorithm
from clrs_text_bench.generators.dm_clrs import Engine

from .. import upstream_oracle

NAMES = tasks.names()


def stream(algorithm, length, use_hints, *, count=3, chunk=256, graph_hints=True):
    tables = Engine().stream(
        algorithm,
        length,
        seed=3,
        split="train",
        count=count,
        chunk=chunk,
        use_hints=use_hints,
        graph_hints=graph_hints,
    )
    return pa.concat_tables(tables)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("length", [4, 9, 16])
def test_the_upstream_stream_is_upstreams_byte_for_byte(name, length):
    samples = upstream_oracle.samples(name, length, seed=3, count=3)
    for use_hints in (False, True):
        rows = stream(name, length, use_hints).to_pylist()
        assert len(rows) == len(samples)
        for index, (row, sample) in enumerate(zip(rows, samples, strict=True)):
            assert (row["question"], row["answer"]) == upstream_oracle.text(name, sample, use_hints)
            assert (row["algo_name"], row["length"], row["use_hints"]) == (name, length, use_hints)
            assert (row["split"], row["seed"], row["index"]) == ("train", 3, index)
            assert row["n_steps"] == sample.features.lengths[0]
            assert_probes(row, "input", upstream_oracle.inputs(sample))
            assert_probes(row, "output", upstream_oracle.outputs(sample))
            assert_probes(row, "hint", upstream_oracle.hints(sample))


def assert_probes(row, stage, expected):
    flat = np.array(row[f"graph_{stage}s"], np.float32)
    found = graph.unpack(row["algo_name"], row["length"], flat, stage)
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array.astype(np.float32))


def test_a_stream_is_the_same_in_chunks_of_any_size():
    whole = stream("bfs", 6, True, count=10)
    assert whole.schema.equals(schema.DATASET)
    for chunk in (1, 3, 10):
        assert stream("bfs", 6, True, count=10, chunk=chunk).equals(whole)


def test_graph_hints_are_null_unless_asked_for():
    table = stream("bfs", 6, True, graph_hints=False)
    assert table["graph_hints"].null_count == 3
    assert table.drop_columns("graph_hints").equals(
        stream("bfs", 6, True).drop_columns("graph_hints")
    )


def batch(name, indices, *, length=5, seed=0, split="train", use_hints=True):
    return Engine().generate(
        name,
        length,
        seed=seed,
        split=split,
        indices=np.array(indices),
        use_hints=use_hints,
        graph_hints=use_hints,
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_the_same_alone_in_a_batch_and_in_any_order(name):
    whole = batch(name, range(6))
    assert whole["index"].to_pylist() == [*range(6)]
    assert batch(name, [4]).equals(whole.slice(4, 1))
    assert batch(name, [5, 0, 3]).equals(whole.take([5, 0, 3]))
    halves = [batch(name, range(3)), batch(name, range(3, 6))]
    assert pa.concat_tables(halves).equals(whole)


def test_a_sample_is_the_same_in_another_process():
    code = (
        "from clrs_text_bench.generators import generate_batch as g;"
        "t = g('dijkstra', 6, count=1, start=2, seed=5, split='test', use_hints=True,"
        " engine='dm-clrs');"
        "print(repr(t.to_pylist()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = batch("dijkstra", [2], length=6, seed=5, split="test").to_pylist()
    assert done.stdout.strip() == repr(here)


def test_plain_and_traced_text_are_of_the_same_sample():
    for name in NAMES:
        plain, traced = (batch(name, range(2), use_hints=h) for h in (False, True))
        for column in ("graph_inputs", "graph_outputs", "n_steps"):
            assert plain[column].equals(traced[column])


def test_neighbours_are_other_samples():
    """Inputs at length 16 hardly ever repeat by chance."""
    asked = [
        {"seed": 0, "split": "train"},
        {"seed": 1, "split": "train"},
        {"seed": 0, "split": "test"},
    ]
    found = [
        tuple(row)
        for how in asked
        for row in batch("insertion_sort", range(40), length=16, **how)["graph_inputs"].to_pylist()
    ]
    assert len(set(found)) == 120


@pytest.mark.parametrize("name", NAMES)
def test_run_equals_upstream_on_its_own_inputs(name):
    for length in (4, 8):
        for sample in upstream_oracle.samples(name, length, seed=3, count=3):
            given = upstream_oracle.inputs(sample)
            trace = run_algorithm(name, given, engine="dm-clrs")
            for found, expected in (
                (trace.inputs, given),
                (trace.outputs, upstream_oracle.outputs(sample)),
                (trace.hints, upstream_oracle.hints(sample)),
            ):
                assert list(found) == list(expected)
                for probe, array in expected.items():
                    np.testing.assert_array_equal(found[probe], array)
            assert trace.n_steps == sample.features.lengths[0]


@pytest.mark.parametrize("engine", ["dm-clrs", "native"])
@pytest.mark.parametrize("name", NAMES)
def test_run_takes_short_forms_and_leaves_the_given_arrays_alone(name, engine):
    (sample,) = upstream_oracle.samples(name, 6, seed=3, count=1)
    full = upstream_oracle.inputs(sample)
    task = tasks.get(name)
    short = {k: v for k, v in full.items() if k not in ("pos", "adj")}
    for probe in task.stage("input"):
        if probe.type in ("mask_one", "categorical"):
            short[probe.name] = np.argmax(full[probe.name], axis=-1)
    kept = {k: np.copy(v) for k, v in short.items()}
    one = run_algorithm(name, full, engine=engine)
    lists = {k: np.asarray(v).tolist() for k, v in short.items()}
    for given in (short, lists):
        other = run_algorithm(name, given, engine=engine)
        for stage in ("inputs", "outputs", "hints"):
            for probe, array in getattr(one, stage).items():
                np.testing.assert_array_equal(getattr(other, stage)[probe], array)
    for probe, array in kept.items():
        np.testing.assert_array_equal(short[probe], array)


A = np.array([[0, 1.0], [1.0, 0]])
KEY, STRING = [0, 1, 2, 3], [0, 0, 0, 1]


@pytest.mark.parametrize("engine", ["dm-clrs", "native"])
@pytest.mark.parametrize(
    ("name", "inputs", "sentence"),
    [
        ("bfs", {"s": 0}, "inputs of bfs lack A"),
        ("minimum", {}, "inputs of minimum lack key"),
        ("minimum", {"keys": [1, 2]}, "minimum has no input 'keys'; it has key, pos"),
        ("minimum", {"key": 3.0}, "inputs of minimum hold no array with a value for each node"),
        ("minimum", {"key": []}, "minimum needs at least 2 nodes, got 0"),
        ("minimum", {"key": [0.5]}, "minimum needs at least 2 nodes, got 1"),
        ("kmp_matcher", {"key": [0, 1], "string": [0, 1]}, "kmp_matcher needs at least 3 nodes"),
        ("minimum", {"key": [[1, 2], [3, 4]]}, "input 'key' of minimum has shape (2, 2), expected"),
        ("minimum", {"key": [[1, 2], [3]]}, "input 'key' of minimum is not an array of numbers"),
        ("minimum", {"key": ["a", "b"]}, "input 'key' of minimum is not an array of numbers"),
        ("minimum", {"key": [1, None]}, "input 'key' of minimum holds a value that is not finite"),
        ("minimum", {"key": [1, np.nan]}, "input 'key' of minimum holds a value that is not"),
        ("minimum", {"key": [1, np.inf]}, "input 'key' of minimum holds a value that is not"),
        ("minimum", {"key": [1, 1e300]}, "input 'key' of minimum holds a value beyond"),
        ("bfs", {"s": 2, "A": A}, "input 's' of bfs must hold whole numbers from 0 to 1"),
        ("bfs", {"s": -1, "A": A}, "input 's' of bfs must hold whole numbers from 0 to 1"),
        ("bfs", {"s": 0.5, "A": A}, "input 's' of bfs must hold whole numbers from 0 to 1"),
        ("bfs", {"s": [1, 1], "A": A}, "input 's' of bfs must be 1 at one node and 0 elsewhere"),
        ("bfs", {"s": [0, 0], "A": A}, "input 's' of bfs must be 1 at one node and 0 elsewhere"),
        ("bfs", {"s": [1, 0, 0], "A": A}, "of bfs has shape "),
        ("bfs", {"s": 0, "A": A[:, :1]}, "input 'A' of bfs has shape (2, 1), expected"),
        ("bfs", {"s": 0, "A": A / 2}, "input 'A' of bfs must hold whole numbers"),
        (
            "segments_intersect",
            {"x": [0, 1, 2], "y": [0, 1, 3]},
            "segments_intersect",
        ),
        (
            "kmp_matcher",
            {"key": [0, 1, 2, 4], "string": STRING},
            "input 'key' of kmp_matcher must hold whole numbers from 0 to 3",
        ),
        (
            "kmp_matcher",
            {"key": np.full((4, 4), 0.25), "string": STRING},
            "input 'key' of kmp_matcher must be one-hot along its last axis",
        ),
        ("kmp_matcher", {"key": KEY, "string": [0, 1, 0, 1]}, "input 'string' of kmp_matcher must"),
        ("kmp_matcher", {"key": KEY, "string": [0] * 4}, "input 'string' of kmp_matcher must"),
        ("lcs_length", {"key": KEY, "string": [1] * 4}, "input 'string' of lcs_length must"),
        ("lcs_length", {"key": KEY, "string": [0, 0, 0.5, 1]}, "input 'string' of lcs_length"),
        ("kmp_matcher", {"key": KEY, "string": [0, 1, 1, 1]}, "the pattern"),
        ("naive_string_matcher", {"key": KEY, "string": [0, 1, 1, 1]}, "the pattern"),
        ("optimal_bst", {"p": [0.1, 0.2, 0.3], "q": [0.1, 0.1, 0.2]}, "input 'p' of optimal_bst"),
        ("graham_scan", {"x": [0, 1, 2, 5], "y": [0, 1, 2, 1]}, "graham_scan"),
        ("jarvis_march", {"x": [0, 0, 2], "y": [1, 1, 0]}, "jarvis_march"),
        ("bellman_ford", {"s": 0, "A": -A}, "bellman_ford"),
    ],
)
def test_bad_inputs_are_one_sentence(engine, name, inputs, sentence):
    with pytest.raises(BadInput) as caught:
        run_algorithm(name, inputs, engine=engine)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_text_without_a_match_points_to_the_pattern():
    for name in ("naive_string_matcher", "kmp_matcher"):
        for engine in ("dm-clrs", "native"):
            trace = run_algorithm(name, {"key": [0, 1, 2, 3], "string": STRING}, engine=engine)
            assert trace.outputs["match"].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"algorithm": "bsf"}, "unknown algorithm 'bsf'; did you mean 'bfs'?"),
        ({"engine": "nativ"}, "unknown engine 'nativ'; did you mean 'native'?"),
        ({"length": 1}, "length 1 is too small for bfs: its smallest is 2"),
        ({"count": 0}, "count 0 is below 1"),
        ({"start": -1}, "start -1 is below 0"),
        ({"seed": 2**63}, "seed 9223372036854775808 does not fit in 64 bits"),
    ],
)
def test_bad_batches_are_one_sentence(change, sentence):
    asked = {"algorithm": "bfs", "length": 4, "count": 1, **change}
    with pytest.raises(BadInput) as caught:
        generate_batch(asked.pop("algorithm"), asked.pop("length"), **asked)
    assert str(caught.value) == sentence


def test_batches_of_the_python_api_are_those_of_the_engine():
    made = generate_batch("bfs", 5, count=3, start=2, engine="dm-clrs", use_hints=True)
    assert made.equals(batch("bfs", range(2, 5)))
    assert made.schema.equals(schema.DATASET)


def test_upstreams_seeds_are_checked():
    for seed in (-1, 2**32):
        with pytest.raises(BadInput, match="upstream's seeds go from 0 to 4294967295"):
            next(
                Engine().stream(
                    "bfs",
                    4,
                    seed=seed,
                    split="train",
                    count=1,
                    chunk=1,
                    use_hints=False,
                    graph_hints=False,
                )
            )
