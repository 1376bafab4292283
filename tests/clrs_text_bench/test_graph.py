"""Packing a sample's probes and getting them back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clrs_text_bench import graph, tasks
from clrs_text_bench.errors import BadInput

from .. import upstream_oracle

NAMES = tasks.names()
STAGES = ("input", "output", "hint")


@st.composite
def stages(draw):
    """Draws probes of any stage of any task at any length, as float32."""
    task = tasks.get(draw(st.sampled_from(NAMES)))
    length = draw(st.integers(task.min_length, 12))
    stage = draw(st.sampled_from(STAGES))
    lead = (draw(st.integers(0, 5)),) if stage == "hint" else ()
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shapes = {p.name: lead + p.shape(task.n_nodes(length)) for p in task.stage(stage)}
    probes = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return task.name, length, stage, probes


@given(stages())
@settings(deadline=None, max_examples=200)
def test_unpack_inverts_pack(drawn):
    algorithm, length, stage, probes = drawn
    flat = graph.pack(algorithm, length, probes, stage)
    assert flat.dtype == np.float32
    assert flat.shape == (sum(p.size for p in probes.values()),)
    if stage != "hint":
        assert len(flat) == graph.size(algorithm, length, stage)
    back = graph.unpack(algorithm, length, flat, stage)
    assert list(back) == [p.name for p in tasks.get(algorithm).stage(stage)]
    for name, array in probes.items():
        np.testing.assert_array_equal(back[name], array)
    np.testing.assert_array_equal(graph.pack(algorithm, length, back, stage), flat)


@given(stages())
@settings(deadline=None)
def test_probes_are_views_on_the_flat_values(drawn):
    algorithm, length, stage, probes = drawn
    flat = graph.pack(algorithm, length, probes, stage)
    back = graph.unpack(algorithm, length, flat, stage)
    for array in back.values():
        assert array.size == 0 or np.shares_memory(array, flat)
    flat[:] = 7
    assert all(np.all(array == 7) for array in back.values())


@pytest.mark.parametrize("name", NAMES)
def test_upstream_samples_survive(name):
    for length in (4, 7):
        for sample in upstream_oracle.samples(name, length):
            for stage in STAGES:
                probes = getattr(upstream_oracle, f"{stage}s")(sample)
                back = graph.unpack(name, length, graph.pack(name, length, probes, stage), stage)
                for probe, array in probes.items():
                    np.testing.assert_array_equal(back[probe], array.astype(np.float32))


def test_order_is_the_catalogues_and_c_order_within():
    probes = {"key": np.array([1, 2, 3]), "pos": np.array([4, 5, 6])}
    assert graph.pack("minimum", 3, probes, "input").tolist() == [4, 5, 6, 1, 2, 3]
    grid = np.arange(9).reshape(3, 3)
    probes = {"pos": np.zeros(3), "A": grid, "adj": grid.T, "s": np.zeros(3)}
    flat = graph.pack("bfs", 3, probes, "input")
    assert flat[6:].tolist() == [*range(9), 0, 3, 6, 1, 4, 7, 2, 5, 8]


def test_lists_and_read_only_arrow_values_unpack():
    back = graph.unpack("minimum", 2, [0, 0.5, 0.25, 0.75], "input")
    assert back["key"].tolist() == [0.25, 0.75]
    values = np.zeros(4, np.float32)
    values.flags.writeable = False
    assert np.shares_memory(graph.unpack("minimum", 2, values, "input")["pos"], values)


KEYS = {"pos": np.zeros(4), "key": np.zeros(4)}


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: graph.pack("minimum", 4, {"pos": np.zeros(4)}, "input"),
            "minimum has input probes pos, key; missing or unknown: key",
        ),
        (
            lambda: graph.pack("minimum", 4, {**KEYS, "A": np.zeros(4)}, "input"),
            "minimum has input probes pos, key; missing or unknown: A",
        ),
        (
            lambda: graph.pack("minimum", 4, {**KEYS, "key": np.zeros((4, 1))}, "input"),
            "input probe 'key' of minimum at length 4 has shape (4, 1), expected (4,)",
        ),
        (
            lambda: graph.pack(
                "minimum", 4, {n: np.zeros((2 + (n == "i"), 4)) for n in HINTS}, "hint"
            ),
            "hint probe 'i' of minimum at length 4 has shape (3, 4), expected (2, 4)",
        ),
        (
            lambda: graph.unpack("minimum", 4, np.zeros(7), "input"),
            "input graph of minimum at length 4 has 7 values, expected 8",
        ),
        (
            lambda: graph.unpack("minimum", 4, np.zeros(16), "input"),
            "input graph of minimum at length 4 has 16 values, expected 8",
        ),
        (
            lambda: graph.unpack("minimum", 4, np.zeros(0), "output"),
            "output graph of minimum at length 4 has 0 values, expected 4",
        ),
        (
            lambda: graph.unpack("minimum", 4, np.zeros(13), "hint"),
            "hint graph of minimum at length 4 has 13 values, expected a multiple of 12",
        ),
        (
            lambda: graph.unpack("minimum", 4, np.zeros((1, 8)), "input"),
            "input graph of minimum has shape (1, 8), expected one axis",
        ),
        (
            lambda: graph.unpack("minimum", 0, np.zeros(0), "hint"),
            "length 0 is too small for minimum: its smallest is 2",
        ),
        (
            lambda: graph.pack("kmp_matcher", 2, {}, "input"),
            "length 2 is too small for kmp_matcher: its smallest is 3",
        ),
        (
            lambda: graph.size("minimun", 4, "input"),
            "unknown algorithm 'minimun'; did you mean 'minimum'?",
        ),
    ],
)
def test_what_cannot_be_packed_is_a_sentence(call, sentence):
    with pytest.raises(BadInput) as caught:
        call()
    assert str(caught.value) == sentence


HINTS = ("pred_h", "min_h", "i")
