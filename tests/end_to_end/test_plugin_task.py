"""A thirty-first task from a package of its own: one record, one engine, and all else follows."""

import json
import subprocess
import sys

import pytest

from .. import command, plugins

TASKS = """
from clrs_text_bench.tasks import Probe, Task

TASKS = [
    Task(
        "maximum",
        "extremes",
        (
            Probe("pos", "input", "node", "scalar"),
            Probe("key", "input", "node", "scalar"),
            Probe("max", "output", "node", "mask_one"),
            Probe("max_h", "hint", "node", "mask_one"),
        ),
        "the lowest index among equal maxima",
        trace=("max_h",),
    )
]
"""
ENGINE = '''
import numpy as np
import pyarrow as pa

from clrs_text_bench import graph, schema, tasks, text
from clrs_text_bench.identity import SampleId, bit_generator
from clrs_text_bench.trace import Trace


class Engine:
    """Draws and runs maximum."""

    version = "1"
    batch = 100

    def generate(self, algorithm, length, *, seed, split, indices, use_hints, graph_hints):
        task, rows = tasks.get(algorithm), []
        for index in indices.tolist():
            where = SampleId(seed, split, algorithm, length, index)
            key = np.random.RandomState(bit_generator(where)).randint(0, 1000, length) / 1000
            trace = self.run(algorithm, {"key": key})
            shown = trace.hints if use_hints else None
            packed = {
                stage: graph.pack(algorithm, length, getattr(trace, stage + "s"), stage)
                for stage in ("input", "output", "hint")
            }
            rows.append(
                {
                    "question": text.question(task, trace.inputs, shown),
                    "answer": text.answer(task, trace.inputs, trace.outputs, shown),
                    "algo_name": algorithm,
                    "length": length,
                    "use_hints": use_hints,
                    "split": split,
                    "seed": seed,
                    "index": index,
                    "n_steps": trace.n_steps,
                    "graph_inputs": packed["input"],
                    "graph_outputs": packed["output"],
                    "graph_hints": packed["hint"] if graph_hints else None,
                }
            )
        return pa.Table.from_pylist(rows, schema=schema.DATASET)

    def run(self, algorithm, inputs):
        key = np.asarray(inputs["key"], float)
        n = len(key)
        best = [int(np.argmax(key[: stop + 1])) for stop in range(n)]
        return Trace(
            inputs={"pos": np.arange(n) / n, "key": key},
            outputs={"max": np.eye(n)[best[-1]]},
            hints={"max_h": np.eye(n)[best]},
            n_steps=n,
        )
'''

CHECKS = """
import numpy as np


def maximum(key, place):
    assert key.dtype == place.dtype == np.int64
    return key[np.arange(len(key)), place] == key.max(axis=1)


CHECKS = {"maximum": maximum}
"""
# Of these 200 keys, two are the largest.
SCORED = """
import pyarrow as pa

from clrs_text_bench.evaluators.valid import EVALUATOR
from clrs_text_bench.generators import generate_batch

row = generate_batch("maximum", 200, count=1, seed=0, engine="extremes")
answers = pa.table({"prediction": list(map(str, range(200)))})
found = EVALUATOR.score(answers, pa.concat_tables([row] * 200), extraction="strict")
print(*(int(sum(found[name].to_pylist())) for name in ("exact", "valid", "checked")))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    entries = {
        "tasks": {"extremes": "extremes_tasks:TASKS"},
        "generators": {"extremes": "extremes_engine:Engine"},
    }
    modules = {"extremes_tasks": TASKS, "extremes_engine": ENGINE}
    return plugins.install(tmp_path_factory.mktemp("extremes"), "extremes", entries, modules)


@pytest.mark.parametrize("hints", [False, True])
def test_it_is_generated_shown_verified_answered_scored_and_drawn(installed, tmp_path, hints):
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\n'
        f"hints = {str(hints).lower()}\n"
        '[[splits]]\nname = "train"\nalgorithms = ["maximum"]\nlengths = "4,6"\nsamples = 50\n'
        '[[splits]]\nname = "test"\nalgorithms = ["maximum"]\nlengths = "4,8"\nsamples = 30\n'
    )

    def run(*words):
        return command.run(*words, cwd=tmp_path, path=installed).stdout

    run("generate", "mine.toml", "--engine", "extremes", "--dedupe", "--out", "data")
    assert "key: [" in run("show", "data", "-n", "1")
    assert "made again alike" in run("verify", "data")
    for model in ("solver:extremes", "majority"):
        run("evaluate", model, "--data", "data", "--results", "results")
    rows = json.loads(run("leaderboard", "--results", "results", "--format", "json"))
    scores = {row["model"]: row["exact"] for row in rows}
    assert scores["solver"] == 1.0
    assert scores["majority"] < 0.7
    run("plot", "families", "--results", "results", "--out", "figure")
    assert (tmp_path / "figure.png").exists()


def test_engines_that_do_not_have_it_say_so(installed, tmp_path):
    asked = ("generate", "-a", "maximum", "-l", "4", "-n", "2", "--out", "data")
    for engine in ("native", "dm-clrs"):
        sentence = command.sentence(*asked, "--engine", engine, cwd=tmp_path, path=installed)
        assert sentence.startswith("unknown algorithm of ")
        assert engine in sentence
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("with_check", [False, True])
def test_it_may_bring_a_check_of_validity(tmp_path, with_check):
    """Without one, no answer but the reference is valid."""
    entries = {
        "tasks": {"extremes": "extremes_tasks:TASKS"},
        "generators": {"extremes": "extremes_engine:Engine"},
    }
    modules = {"extremes_tasks": TASKS, "extremes_engine": ENGINE}
    if with_check:
        entries["checks"] = {"extremes": "extremes_checks:CHECKS"}
        modules["extremes_checks"] = CHECKS
    path = plugins.install(tmp_path, "extremes", entries, modules)
    done = subprocess.run(
        [sys.executable, "-c", SCORED],
        capture_output=True,
        text=True,
        check=True,
        env=command.surroundings(path),
    )
    assert done.stdout.split() == (["1", "2", "200"] if with_check else ["1", "1", "0"])
