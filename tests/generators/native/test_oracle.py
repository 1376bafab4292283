"""The native engine against dm-clrs, on upstream's own inputs: outputs, hints, steps and text."""

import numpy as np
import pytest

from clrs_text_bench import graph, tasks, text
from clrs_text_bench.generators.native.engine import Engine, kernel_names

# Upstream looks at all triples of so many points, in Python, draw after draw.
_DEAR_AT_64 = {"graham_scan", "jarvis_march"}


@pytest.fixture(scope="module")
def upstream_seed(request):
    """Where upstream's seeds begin: `--upstream-seed`, so that others than usual can be tried."""
    return request.config.getoption("--upstream-seed")


def _upstream_traces(algorithm, length, seed, count):
    from clrs_text_bench.generators import upstream

    sampler = upstream.sampler(algorithm, length, seed)
    with upstream.lowest_index_first():
        return [upstream.trace_of(upstream.draw(sampler, None)) for _ in range(count)]


def assert_equals_upstream(algorithm, length, seed, count):
    engine = Engine()
    for trace in _upstream_traces(algorithm, length, seed, count):
        ours = engine.run(algorithm, trace.inputs)
        assert ours.n_steps == trace.n_steps
        for stage in ("inputs", "outputs", "hints"):
            for name, expected in getattr(trace, stage).items():
                found = getattr(ours, stage)[name].astype(np.float32)
                np.testing.assert_array_equal(
                    found, expected.astype(np.float32), err_msg=f"{algorithm} {stage} {name}"
                )


@pytest.mark.parametrize("algorithm", kernel_names())
@pytest.mark.parametrize("length", [4, 5, 8, 13])
def test_outputs_hints_and_steps_equal_upstream(algorithm, length, upstream_seed):
    assert_equals_upstream(algorithm, length, seed=upstream_seed + length, count=12)


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", kernel_names())
def test_equals_upstream_on_many_samples_at_all_lengths(algorithm, upstream_seed):
    seed = upstream_seed + 100
    for length in range(4, 33):
        count = 100 if length < 9 else 10 if length < 17 else 2
        assert_equals_upstream(algorithm, length, seed=seed + length, count=count)
    if algorithm not in _DEAR_AT_64:
        assert_equals_upstream(algorithm, 64, seed=seed, count=2)


@pytest.mark.parametrize("algorithm", kernel_names())
@pytest.mark.parametrize("use_hints", [False, True])
def test_text_is_what_the_graph_says(algorithm, use_hints):
    """`clrs_text_bench.text` itself is held against upstream's formatter elsewhere."""
    task = tasks.get(algorithm)
    for length in (4, 7, 12):
        table = Engine().generate(
            algorithm,
            length,
            seed=3,
            split="test",
            indices=np.arange(40),
            use_hints=use_hints,
            graph_hints=True,
        )
        for row in table.to_pylist():
            inputs, outputs, hints = (
                graph.unpack(algorithm, length, np.array(row[f"graph_{stage}s"]), stage)
                for stage in ("input", "output", "hint")
            )
            shown = hints if use_hints else None
            assert row["question"] == text.question(task, inputs, shown)
            assert row["answer"] == text.answer(task, inputs, outputs, shown)
            assert row["n_steps"] == len(next(iter(hints.values())))


@pytest.mark.parametrize("algorithm", kernel_names())
def test_drawn_samples_equal_upstream_run_on_them(algorithm):
    """What the kernel draws is what dm-clrs would have run on: same answer, same trace."""
    from clrs_text_bench.generators.dm_clrs import Engine as Upstream

    length = 9
    table = Engine().generate(
        algorithm,
        length,
        seed=5,
        split="train",
        indices=np.arange(8),
        use_hints=False,
        graph_hints=True,
    )
    for row in table.to_pylist():
        flat = np.array(row["graph_inputs"], np.float32)
        inputs = graph.unpack(algorithm, length, flat, "input")
        exact = {name: np.round(x.astype(np.float64), 3) for name, x in inputs.items()}
        trace = Upstream().run(algorithm, exact)
        np.testing.assert_array_equal(graph.pack(algorithm, length, trace.inputs, "input"), flat)
        for stage, probes in (("output", trace.outputs), ("hint", trace.hints)):
            np.testing.assert_array_equal(
                graph.pack(algorithm, length, probes, stage),
                np.array(row[f"graph_{stage}s"], np.float32),
            )


@pytest.mark.parametrize("algorithm", kernel_names())
def test_any_index_alone_equals_the_same_index_in_a_batch(algorithm):
    def rows(indices):
        return Engine().generate(
            algorithm,
            6,
            seed=1,
            split="train",
            indices=np.array(indices),
            use_hints=True,
            graph_hints=True,
        )

    whole = rows(range(50))
    assert rows([17]).equals(whole.slice(17, 1))
    assert rows([49, 3]).column("question").to_pylist() == [
        whole.column("question")[49].as_py(),
        whole.column("question")[3].as_py(),
    ]
