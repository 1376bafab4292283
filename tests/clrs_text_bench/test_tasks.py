"""The catalogue against dm-clrs, and tasks from plug-ins."""

import re

import numpy as np
import pytest

from clrs_text_bench import tasks
from clrs_text_bench.errors import BadInput

from .. import command, plugins, upstream_oracle

CATALOGUE = tasks.catalogue()
NAMES = list(CATALOGUE)

FAMILIES = {
    "sorting": {"insertion_sort", "bubble_sort", "heapsort", "quicksort"},
    "searching": {"minimum", "binary_search", "quickselect"},
    "divide_and_conquer": {"find_maximum_subarray_kadane"},
    "greedy": {"activity_selector", "task_scheduling"},
    "dynamic_programming": {"matrix_chain_order", "lcs_length", "optimal_bst"},
    "graphs": {
        "dfs",
        "topological_sort",
        "strongly_connected_components",
        "articulation_points",
        "bridges",
        "bfs",
        "mst_kruskal",
        "mst_prim",
        "bellman_ford",
        "dag_shortest_paths",
        "dijkstra",
        "floyd_warshall",
    },
    "strings": {"naive_string_matcher", "kmp_matcher"},
    "geometry": {"segments_intersect", "graham_scan", "jarvis_march"},
}


def test_there_are_the_thirty_of_clrs_text():
    from clrs._src.specs import CLRS_30_ALGS

    assert sorted(NAMES) == sorted(CLRS_30_ALGS)
    assert {f: set(names) for f, names in tasks.families().items()} == FAMILIES
    assert tasks.by_plugin()["clrs30"] == tuple(NAMES)
    assert tasks.problems() == ()


@pytest.mark.parametrize("name", NAMES)
def test_probes_are_those_of_specs_in_their_order(name):
    from clrs import SPECS

    ours = [(p.name, p.stage, p.location, p.type) for p in CATALOGUE[name].probes]
    assert ours == [(probe, *kinds) for probe, kinds in SPECS[name].items()]


@pytest.mark.parametrize("name", NAMES)
def test_shapes_classes_and_whole_numbers_are_those_of_samples(name):
    task = CATALOGUE[name]
    for length in (4, 7):
        (sample,) = upstream_oracle.samples(name, length, count=1)
        arrays = {
            "input": upstream_oracle.inputs(sample),
            "output": upstream_oracle.outputs(sample),
            "hint": {k: v[0] for k, v in upstream_oracle.hints(sample).items()},
        }
        for probe in task.probes:
            array = arrays[probe.stage][probe.name]
            assert array.shape == probe.shape(task.n_nodes(length)), probe
            if probe.type == "categorical":
                assert array.shape[-1] == probe.n_classes
            else:
                assert probe.n_classes is None
            if probe.stage == "input" and probe.type == "scalar":
                assert probe.whole == np.issubdtype(array.dtype, np.integer), probe


@pytest.mark.parametrize("name", NAMES)
def test_the_question_shows_what_the_catalogue_says(name):
    task = CATALOGUE[name]
    for use_hints in (False, True):
        for sample in upstream_oracle.samples(name, 5):
            question, _ = upstream_oracle.text(name, sample, use_hints)
            title, shown, wanted, rest = question.split("\n")
            assert (title, rest) == (f"{name}:", "")
            names = re.findall(r"(\w+): ", shown)
            traced = ["initial_trace"] if task.has_trace(use_hints) else []
            assert names == [p.name for p in task.text_inputs()] + traced
            asked = wanted.removesuffix(":").split(" | ")[-1].strip("()")
            assert asked.split(", ") == [p.name for p in task.answer_parts(use_hints)]


def read(text, parts, n):
    """Reads one value of every part off the front of a text; returns what is left."""
    for part in parts:
        number = r"-?\d+\.\d+(?:e-\d+)?" if part.decimals else r"-?\d+"
        row = rf"\[{number}(?: {number}){{{n - 1}}}\]"
        grid = rf"\[{row}(?:, {row}){{{n - 1}}}\]"
        found = re.match((number, row, grid)[part.rank] + r"(?:, |(?=\)|$))", text)
        assert found, (part, text)
        text = text[found.end() :]
    return text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("length", [4, 6])
def test_answers_have_the_grammar_of_the_catalogue(name, length):
    task = CATALOGUE[name]
    n = task.n_nodes(length)
    for use_hints in (False, True):
        for sample in upstream_oracle.samples(name, length):
            _, answer = upstream_oracle.text(name, sample, use_hints)
            assert answer.endswith("\n\n")
            *trace, final = answer.removesuffix("\n\n").split(" | ")
            assert len(trace) == task.has_trace(use_hints)
            if task.in_parentheses(use_hints):
                assert (final[0], final[-1]) == ("(", ")")
                final = final[1:-1]
            assert read(final, task.answer_parts(use_hints), n) == ""
            for steps in trace:
                assert_steps(task, n, steps)


def assert_steps(task, n, text):
    while text:
        if task.parenthesised:
            step, closing, text = text.partition(")")
            assert step[0] + closing == "()"
            assert read(step[1:], task.step_parts(), n) == ""
            text = text.removeprefix(", ")
        else:
            text = read(text, task.step_parts(), n)


def upstream_texts(name, length):
    for sample in upstream_oracle.samples(name, length, count=20):
        for use_hints in (False, True):
            upstream_oracle.text(name, sample, use_hints)


@pytest.mark.parametrize("name", NAMES)
def test_min_length_is_the_smallest_that_upstream_can_do(name):
    task = CATALOGUE[name]
    upstream_texts(name, task.min_length)
    task.check_length(task.min_length)
    below = task.min_length - 1
    with pytest.raises(BadInput, match=f"length {below} is too small for {name}"):
        task.check_length(below)
    if below:
        with pytest.raises(Exception):  # noqa: B017, PT011 - upstream's errors are of many kinds
            upstream_texts(name, below)


def test_every_task_says_how_ties_are_broken():
    for task in CATALOGUE.values():
        assert len(task.ties) > 10
        assert "\n" not in task.ties


def test_an_unknown_name_is_met_with_the_nearest():
    for wrong, right in (("bsf", "bfs"), ("DFS", "dfs"), ("quick_sort", "quicksort")):
        with pytest.raises(BadInput, match=rf"unknown algorithm '{wrong}'; did you mean '{right}'"):
            tasks.get(wrong)
    with pytest.raises(BadInput, match=r"known: activity_selector, .*topological_sort"):
        tasks.get("zzzzzz")
    with pytest.raises(BadInput, match="unknown probe of bfs 'keys'"):
        tasks.get("bfs").probe("keys")


MAXIMUM = """
from clrs_text_bench.tasks import Probe, Task

TASKS = (
    Task(
        "maximum",
        "searching",
        (
            Probe("pos", "input", "node", "scalar"),
            Probe("key", "input", "node", "scalar"),
            Probe("max", "output", "node", "mask_one"),
            Probe("max_h", "hint", "node", "mask_one"),
        ),
        "the lowest index among equal maxima",
        trace=("max_h",),
    ),
)
"""


def test_a_task_of_a_plugin_is_listed_after_the_thirty(tmp_path):
    plugins.install(tmp_path, "a-first", {"tasks": {"aaa": "extra:TASKS"}}, {"extra": MAXIMUM})
    done = command.run("list", "algorithms", path=tmp_path)
    listed = [line.split()[0] for line in done.stdout.splitlines()[1:]]
    assert listed == [*NAMES, "maximum"]
    assert "the lowest index among equal maxima" in done.stdout
    assert done.stderr == ""


def test_shipped_recipes_hold_the_thirty_whatever_is_installed(tmp_path):
    plugins.install(tmp_path, "more", {"tasks": {"more": "extra:TASKS"}}, {"extra": MAXIMUM})
    with_plugin = command.run("list", "recipes", path=tmp_path).stdout
    assert with_plugin == command.run("list", "recipes").stdout


def test_a_task_plugin_that_raises_is_named_and_takes_nothing_down(tmp_path):
    sources = {"broken": "raise RuntimeError('no luck')", "leaving": "raise SystemExit(3)"}
    sources |= {"odd": "TASKS = 5", "replacing": MAXIMUM.replace('"maximum"', '"bfs"')}
    entries = {name: f"{name}:TASKS" for name in sources}
    plugins.install(tmp_path, "third-party", {"tasks": entries}, sources)
    done = command.run("list", "algorithms", path=tmp_path)
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == NAMES
    problems = done.stderr.splitlines()
    assert problems == [
        "task plug-in 'broken' of third-party 1.0 cannot be imported from broken:TASKS: "
        "RuntimeError: no luck",
        "task plug-in 'leaving' of third-party 1.0 cannot be imported from leaving:TASKS: "
        "SystemExit: 3",
        "task plug-in 'odd' is not a list or tuple of Task records",
        "task 'bfs' of plug-in 'replacing' is already registered",
    ]
    asked = command.sentence(
        *("generate", "-a", "maximum", "-l", "4", "-n", "1", "--out", tmp_path / "data"),
        path=tmp_path,
    )
    assert "unknown algorithm 'maximum'; did you mean 'minimum'?" in asked
    assert "task plug-in 'broken' of third-party 1.0 cannot be imported" in asked
    assert not (tmp_path / "data").exists()
