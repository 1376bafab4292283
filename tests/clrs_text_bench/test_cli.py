"""The command line: quick, light, and plain about what is wrong."""

import json
import subprocess
import sys
import time

import pytest

from clrs_text_bench import registry, tasks

from .. import command

COMMANDS = registry.names("commands")
# Whatever else a start would import, each is a tenth of a second or more.
LIGHT = {"clrs_text_bench", "click", "colorama", "numpy"}
HEAVY = ("jax", "tensorflow", "pandas", "matplotlib", "numba", "pyarrow", "clrs", "flax", "rich")

REPORT = """
import contextlib, io, json, sys
from clrs_text_bench.cli.main import main
before = set(sys.modules)
try:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        main(sys.argv[1:])
except SystemExit as end:
    code = end.code
tops = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
print(json.dumps([code, out.getvalue(), sorted(t for t in tops if not t.startswith("_"))]))
"""


def start(*arguments):
    """Runs the command line within an interpreter; returns code, output, and what it imported."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT, *arguments], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_help_answers_at_once_and_imports_nothing_heavy():
    code, text, modules = start("--help")
    assert code == 0
    assert not set(modules) & set(HEAVY)
    assert set(modules) <= LIGHT
    for name in COMMANDS:
        assert f"\n  {name} " in text
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        command.run("--help")
        times.append(time.perf_counter() - begun)
    # Half a second where nothing else runs; CI machines are busy.
    assert min(times) < 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_light_help_with_an_example(name):
    code, text, modules = start(name, "--help")
    assert code == 0
    assert set(modules) <= LIGHT
    assert "Example" in text
    assert f"clrs-text-bench {name}" in text


def test_no_command_shows_the_help():
    assert command.run().stdout == command.run("--help").stdout == command.run("-h").stdout


@pytest.mark.parametrize("name", ["export", "import", "weights"])
def test_a_group_without_a_command_shows_its_help(name):
    done = command.run(name, code=2)
    assert done.stdout == ""
    assert done.stderr == command.run(name, "--help").stdout


def test_version_is_the_distributions():
    from importlib import metadata

    stated = command.run("--version").stdout
    assert stated == f"clrs-text-bench {metadata.version('clrs-text-bench')}\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["genrate"], "unknown command 'genrate'; did you mean 'generate'?"),
        (["Show"], "unknown command 'Show'; did you mean 'show'?"),
        (["zzz"], f"unknown command 'zzz'; known: {', '.join(COMMANDS)}"),
        (["--nosuch"], "No such option"),
        (["generate"], "Missing option '--out'"),
        (["generate", "smoke", "--out", "x", "--sed", "1"], "No such option"),
        (["show"], "Missing argument 'DATASET'"),
        (["list"], "Missing argument"),
        (["list", "algoritms"], "'algoritms' is not one of 'algorithms', 'recipes'"),
        (["show", "nowhere"], "nowhere does not exist; make a data set with clrs-text-bench"),
        (["verify", "nowhere"], "nowhere does not exist; make a data set with clrs-text-bench"),
        (["show", "nosuch://x"], "cannot open 'nosuch://x': Protocol not known: nosuch"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    assert sentence in command.sentence_here(*words)
    assert list(tmp_path.iterdir()) == []


def test_a_process_of_its_own_says_the_same(tmp_path):
    for words in (["genrate"], ["show", "nowhere"]):
        assert command.sentence(*words, cwd=tmp_path) == command.sentence_here(*words)


def test_lists_say_where_things_come_from():
    algorithms = command.run("list", "algorithms").stdout
    for task in tasks.catalogue().values():
        assert f"{task.name} " in algorithms
        assert task.ties in algorithms
    recipes = command.run("list", "recipes").stdout
    assert "2,400,000" in recipes
    for group, name in (("models", "solver"), ("evaluators", "clrs-text")):
        (row,) = [
            line
            for line in command.run("list", group).stdout.splitlines()
            if line.startswith(f"{name} ")
        ]
        assert "clrs-text-bench 0." in row
        assert f"clrs_text_bench.{group}" in row


def test_a_reader_that_goes_away_is_no_traceback():
    done = subprocess.run(
        f"{command.PROGRAM} list algorithms | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
