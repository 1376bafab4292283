"""`generate` as a user types it: what it makes, and what it says to mistakes."""

import numpy as np
import pytest

from clrs_text_bench import datasets, graph
from clrs_text_bench.generators import generate_batch

from .. import command, upstream_oracle

RECIPE = """
name = "mine"
[[splits]]
name = "train"
algorithms = ["bfs", "minimum"]
lengths = "4-5"
samples = 6
[[splits]]
name = "test"
algorithms = ["bfs"]
lengths = 6
samples = 3
seeds = [1, 2]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(RECIPE)
    return tmp_path


def generate(folder, words):
    arguments = ("generate", *words.split(), "--workers", "1", "--out", "data")
    return command.run(*arguments, cwd=folder)


def rows(folder, split):
    opened = datasets.open(folder / "data")
    return [row for cell in opened.cells(split) for row in opened.read(cell).to_pylist()]


def test_choices_on_the_command_line(here):
    done = generate(here, "-a bfs -a dfs -l 4,6 -n 3 --split test --seed 7 --hints")
    opened = datasets.open(here / "data")
    assert [(c.split, c.algorithm, c.length, c.count) for c in opened.cells()] == [
        ("test", name, length, 3) for name in ("dfs", "bfs") for length in (4, 6)
    ]
    assert opened.manifest.command == (
        "clrs-text-bench generate -a bfs -a dfs --lengths 4,6 --count 3 --split test --seed 7 "
        "--hints --engine native"
    )
    assert opened.manifest.use_hints
    assert opened.manifest.graph_hints
    for cell in opened.cells():
        expected = generate_batch(
            cell.algorithm, cell.length, count=3, seed=7, split="test", use_hints=True
        )
        assert opened.read(cell).equals(expected)
    assert opened.hash in done.stdout
    assert "12 in 4 files" in done.stdout


def test_the_recorded_command_makes_the_same_data_set(here):
    generate(here, "-a bfs -l 4,6 -n 3 --dedupe --no-graph-hints --hints")
    first = datasets.open(here / "data")
    program, *words = first.manifest.command.split()
    assert program == "clrs-text-bench"
    command.run(*words, "--out", "again", "--workers", "2", cwd=here)
    assert datasets.open(here / "again").hash == first.hash
    assert datasets.open(here / "again").manifest == first.manifest


def test_a_recipe_of_ones_own(here):
    generate(here, "mine.toml")
    found = rows(here, "test")
    assert [(r["algo_name"], r["length"], r["seed"], r["index"]) for r in found] == [
        ("bfs", 6, seed, index) for seed in (1, 2) for index in range(3)
    ]
    assert all(r["graph_hints"] is None and not r["use_hints"] for r in found)
    generate(here, "mine.toml --seed 9 --overwrite")
    assert {r["seed"] for split in ("train", "test") for r in rows(here, split)} == {9}


@pytest.mark.parametrize("hints", [False, True])
def test_upstreams_own_stream(here, hints):
    flag = "--hints" if hints else ""
    generate(here, f"-a bfs -a quicksort -l 5 -n 4 --seed 3 --stream upstream {flag}")
    assert datasets.open(here / "data").manifest.engine == "dm-clrs"
    for row in rows(here, "train"):
        name = row["algo_name"]
        sample = upstream_oracle.samples(name, 5, seed=3, count=4)[row["index"]]
        assert (row["question"], row["answer"]) == upstream_oracle.text(name, sample, hints)
        inputs = graph.unpack(name, 5, np.array(row["graph_inputs"]), "input")
        for probe, array in upstream_oracle.inputs(sample).items():
            np.testing.assert_array_equal(inputs[probe], array.astype(np.float32))


def test_resume_and_overwrite(here):
    generate(here, "mine.toml")
    first = datasets.open(here / "data").hash
    assert "already holds a data set" in refusal("mine.toml")
    generate(here, "mine.toml --resume")
    assert datasets.open(here / "data").hash == first
    assert "was begun with another recipe" in refusal("mine.toml", "--hints", "--resume")
    generate(here, "mine.toml --hints --overwrite")
    assert datasets.open(here / "data").hash != first


def test_too_few_inputs_are_said_plainly(here):
    (here / "few.toml").write_text(
        'name = "few"\n[[splits]]\nname = "train"\nalgorithms = ["bfs"]\nlengths = 4\n'
        'samples = 10000\n[[splits]]\nname = "test"\nalgorithms = ["bfs"]\nlengths = 4\n'
        "samples = 5000\n"
    )
    text = " ".join(generate(here, "few.toml --dedupe").stdout.split())
    (record,) = [o for o in datasets.open(here / "data").manifest.overlap if o.split == "test"]
    assert 0 < record.rows == record.distinct < 5000
    assert record.in_train == 0
    assert (
        f"note: test/bfs at length 4 has {record.rows:,} rows of the 5,000 asked for: so small a "
        "size has no more inputs that are not in train"
    ) in text


def refusal(*words):
    return command.sentence_here("generate", *words, "--workers", "1", "--out", "data")


GOOD = {"-a": "bfs", "-l": "4", "-n": "2"}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"-a": "bsf"}, "unknown algorithm 'bsf'; did you mean 'bfs'?"),
        ({"-a": "BFS"}, "unknown algorithm 'BFS'; did you mean 'bfs'?"),
        ({"-a": ""}, "unknown algorithm ''"),
        ({"-l": "0"}, "length '0' in '0' is below 1"),
        ({"-l": "-3"}, "length '-3' in '-3' is not like 12 or 4-8"),
        ({"-l": "8-4"}, "length range '8-4' runs backwards; write 4-8"),
        ({"-l": "a"}, "length 'a' in 'a' is not like 12 or 4-8"),
        ({"-l": ""}, "length '' in '' is not like 12 or 4-8"),
        ({"-l": "1"}, "length 1 is too small for bfs: its smallest is 2"),
        (
            {"-a": "strongly_connected_components", "-l": "3-5"},
            "length 3 is too small for strongly_connected_components: its smallest is 4",
        ),
        ({"-n": "0"}, "count 0 is below 1"),
        ({"-n": "-5"}, "count -5 is below 1"),
        ({"-n": "many"}, "'many' is not a valid integer"),
        ({"-n": "1.5"}, "'1.5' is not a valid integer"),
        ({"-n": "99999999999"}, "samples = 99999999999: input should be less than or equal to"),
        ({"-l": None}, "name a recipe, or give -l too"),
        ({"-l": None, "-n": None}, "name a recipe, or give -l, -n too"),
        ({"-a": None, "-l": None, "-n": None}, "name a recipe, or give -a, -l, -n too"),
        ({"--split": "a/b"}, "splits.0.name = 'a/b': string should match pattern"),
        ({"--split": ".."}, "splits.0.name = '..': string should match pattern"),
        ({"--seed": "x"}, "'x' is not a valid integer"),
        ({"--seed": "9223372036854775808"}, "input should be less than 9223372036854775808"),
        ({"--engine": "nativ"}, "unknown engine 'nativ'; did you mean 'native'?"),
        ({"--stream": "upstrm"}, "'upstrm' is not one of 'identity', 'upstream'"),
        ({"--stream": "upstream", "--seed": "-1"}, "upstream's seeds go from 0 to 4294967295"),
        (
            {"--stream": "upstream", "--engine": "native"},
            "engine 'native' has no upstream stream; use --engine dm-clrs",
        ),
        ({"--workers": "0"}, "--workers 0 is below 1"),
        ({"--workers": "two"}, "'two' is not a valid integer"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing_behind(
    tmp_path, monkeypatch, changed, sentence
):
    monkeypatch.chdir(tmp_path)
    options = {**GOOD, **changed}
    words = [w for flag, value in options.items() if value is not None for w in (flag, value)]
    assert sentence in command.sentence_here("generate", *words, "--out", "data")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["smok"], "unknown recipe 'smok'; did you mean 'smoke'?"),
        (["bfs", "-l", "4", "-n", "2"], "unknown recipe 'bfs'"),
        (
            ["smoke", "-l", "4", "-n", "2"],
            "recipe smoke settles -l, -n; write a recipe of your own",
        ),
        (["smoke", "-a", "bfs"], "recipe smoke settles -a; write a recipe of your own"),
        (["smoke", "--split", "x"], "recipe smoke settles --split; write a recipe of your own"),
        (["no.toml"], "cannot read recipe no.toml: No such file or directory"),
        (["broken.toml"], "broken.toml is not valid TOML: "),
        (["odd.toml"], "odd.toml: unknown key 'splits.0.sample'; did you mean 'samples'?"),
        (["mine.toml", "--dedupe", "--stream", "upstream"], "--dedupe would leave gaps"),
        (["mine.toml", "--seed", "99999999999999999999"], "seeds.0 = 99999999999999999999: input"),
    ],
)
def test_a_mistake_with_a_recipe_is_one_sentence(here, words, sentence):
    (here / "broken.toml").write_text("name = ")
    (here / "odd.toml").write_text(RECIPE.replace("samples = 6", "sample = 6"))
    assert sentence in refusal(*words)
    assert not (here / "data").exists()


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        ("", "an empty path is no folder"),
        ("mine.toml", "mine.toml is a file; a data set needs a folder"),
        ("mine.toml/below", "cannot write unfinished/recipe.json of mine.toml/below: "),
        (".", ". holds other files, such as mine.toml; choose another --out"),
        ("nosuch://x", "cannot open 'nosuch://x': Protocol not known: nosuch"),
    ],
)
def test_an_out_that_cannot_be_is_one_sentence(here, out, sentence):
    words = ("generate", "mine.toml", "--workers", "1", "--out", out)
    assert sentence in command.sentence_here(*words)
    assert [p.name for p in here.iterdir()] == ["mine.toml"]
    assert (here / "mine.toml").read_text() == RECIPE
