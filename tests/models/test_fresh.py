"""Training on a recipe's endless stream."""

import itertools
import json

import pytest

from clrs_text_bench import recipes, schema
from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import generate_batch, stream
from clrs_text_bench.models.rows import sample_ids
from clrs_text_bench.models.training import run
from clrs_text_bench.models.training.config import Validation
from clrs_text_bench.models.training.fresh import Fresh

from . import tiny_run

COLUMNS = [*schema.IDENTITY, "question"]
RECIPE = """
name = "tiny"

[[splits]]
name = "train"
algorithms = ["minimum", "insertion_sort"]
lengths = [4, 6]
samples = 50

[[splits]]
name = "test"
algorithms = ["minimum"]
lengths = [5]
samples = 50
"""
VALIDATION = """
[[splits]]
name = "validation"
algorithms = ["minimum"]
lengths = [7]
samples = 50
seeds = [3]
"""


def fresh(text=RECIPE, *, seed=0, samples=2):
    return Fresh(recipes.parse(text, "tiny"), "tiny", Validation(samples=samples), seed=seed)


def test_rows_are_those_of_the_stream_with_the_runs_seed():
    blocks = list(itertools.islice(fresh(seed=5).blocks(16, 2, COLUMNS), 3))
    expected = stream(recipes.parse(RECIPE, "tiny"), 16, start=2, seed=5)
    assert blocks == [table.select(COLUMNS) for table in itertools.islice(expected, 3)]
    assert {(s.seed, s.split) for table in blocks for s in sample_ids(table)} == {(5, "train")}


def test_held_out_are_samples_of_the_trained_cells_from_a_split_of_their_own():
    table = fresh(seed=5).held_out()
    assert table["split"].unique().to_pylist() == ["validation"]
    assert table["seed"].unique().to_pylist() == [0]
    expected = generate_batch("insertion_sort", 6, count=2, seed=0, split="validation")
    assert table.slice(6, 2)["question"].to_pylist() == expected["question"].to_pylist()
    assert table.num_rows == 2 * 4


def test_held_out_is_the_recipes_own_split_where_there_is_one():
    table = fresh(RECIPE + VALIDATION, samples=4).held_out()
    found = set(zip(*(table[n].to_pylist() for n in ("algo_name", "length", "seed")), strict=True))
    assert found == {("minimum", 7, 3)}
    assert table.num_rows == 4


def test_what_is_trained_on_is_known_and_hashed():
    source = fresh()
    assert (source.algorithms, source.lengths) == (("minimum", "insertion_sort"), (4, 6))
    assert not source.use_hints
    assert source.hash == fresh(seed=1).hash
    assert source.hash != fresh(RECIPE.replace("[4, 6]", "[4, 7]")).hash


def test_a_recipe_without_a_train_split_is_a_sentence():
    with pytest.raises(BadInput, match="recipe tiny has no split 'train' to train on"):
        fresh(RECIPE.replace('"train"', '"other"'))


def test_a_run_on_a_stream_is_resumed_to_the_same_parameters(tmp_path, monkeypatch):
    (tmp_path / "tiny.toml").write_text(RECIPE)
    data = str(tmp_path / "tiny.toml")
    run.train(tiny_run.config(), data, tmp_path / "unbroken", show=False)
    with monkeypatch.context() as patched:
        tiny_run.stop_at(patched, 7)
        assert not run.train(tiny_run.config(), data, tmp_path / "broken", show=False)
    assert run.train(tiny_run.config(), None, tmp_path / "broken", resume=True, show=False)
    assert tiny_run.params(tmp_path / "broken") == tiny_run.params(tmp_path / "unbroken")
    record = json.loads((tmp_path / "broken" / "run.json").read_text())
    assert record["data"] == data
    assert record["train_lengths"] == [4, 6]
    assert not (tmp_path / "broken" / "data").exists()


def test_a_run_is_not_gone_on_with_another_recipe(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    run.train(tiny_run.config(), str(path), tmp_path / "run", show=False)
    path.write_text(RECIPE.replace("[4, 6]", "[4, 7]"))
    with pytest.raises(BadInput, match="was begun on"):
        run.train(tiny_run.config(), str(path), tmp_path / "run", resume=True, show=False)
