"""A sample's text against upstream's formatter, from what the packed graph still knows."""

import numpy as np
import pytest

from clrs_text_bench import graph, tasks, text

from .. import upstream_oracle


@pytest.mark.parametrize("name", tasks.names())
@pytest.mark.parametrize("length", [4, 5, 9, 16])
def test_question_and_answer_are_upstreams_bytes(name, length):
    task = tasks.get(name)
    for sample in upstream_oracle.samples(name, length):
        inputs, outputs, hints = (
            graph.unpack(name, length, graph.pack(name, length, probes, stage), stage)
            for stage, probes in (
                ("input", upstream_oracle.inputs(sample)),
                ("output", upstream_oracle.outputs(sample)),
                ("hint", upstream_oracle.hints(sample)),
            )
        )
        for use_hints in (False, True):
            shown = hints if use_hints else None
            question, answer = upstream_oracle.text(name, sample, use_hints)
            assert text.question(task, inputs, shown) == question
            assert text.answer(task, inputs, outputs, shown) == answer


@pytest.mark.parametrize("name", tasks.names())
def test_smallest_samples_are_upstreams_bytes(name):
    task = tasks.get(name)
    for sample in upstream_oracle.samples(name, task.min_length):
        inputs, outputs = upstream_oracle.inputs(sample), upstream_oracle.outputs(sample)
        hints = upstream_oracle.hints(sample)
        for shown in (None, hints):
            expected = upstream_oracle.text(name, sample, shown is not None)
            found = text.question(task, inputs, shown), text.answer(task, inputs, outputs, shown)
            assert found == expected


def with_numbers(values):
    """Puts numbers into one of upstream's own samples; returns its texts and ours."""
    from clrs._src import algorithms, probing, samplers
    from clrs._src.specs import SPECS

    name, n = "insertion_sort", len(values)
    exact = np.trunc(np.array(values) * 1000) / 1000
    _, probes = algorithms.insertion_sort(exact)
    inputs, outputs, hints = probing.split_stages(probes, SPECS[name])
    sample = samplers.Feedback(samplers.Features(inputs, hints, np.array([n])), outputs)
    flat = graph.pack(name, n, upstream_oracle.inputs(sample), "input")
    task, given = tasks.get(name), graph.unpack(name, n, flat, "input")
    ours = (
        text.question(task, given),
        text.answer(task, given, upstream_oracle.outputs(sample)),
    )
    return upstream_oracle.text(name, sample, False), ours


def test_zeros_of_both_signs_and_whole_values():
    theirs, ours = with_numbers([-0.0004, 0.0, 1.0, -1.0, 0.5, 0.0009])
    assert ours == theirs
    assert ours[0] == "insertion_sort:\nkey: [-0.0 0.0 1.0 -1.0 0.5 0.0]\npred:\n"


@pytest.mark.parametrize("sign", [1, -1])
def test_every_number_of_three_decimals_survives_float32(sign):
    values = sign * np.arange(0, 2001) / 1000
    theirs, ours = with_numbers(values)
    assert ours == theirs


def test_text_with_no_step_between_the_first_and_the_last():
    """A trace of two steps shows one in the question and one as the answer."""
    task = tasks.get("minimum")
    inputs = {"pos": np.array([0, 0.5]), "key": np.array([0.2, 0.1])}
    hints = {n: np.eye(2) for n in ("pred_h", "min_h", "i")}
    outputs = {"min": np.array([0, 1])}
    assert text.answer(task, inputs, outputs, hints) == " | 1\n\n"
    assert text.question(task, inputs, hints) == (
        "minimum:\nkey: [0.2 0.1], initial_trace: 0\ntrace | min:\n"
    )
