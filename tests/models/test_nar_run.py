"""A reasoner trained by the one loop, gone on with, and asked for answers in words."""

import shutil

import numpy as np
import pyarrow as pa
import pytest

from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models import load
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import run
from clrs_text_bench.models.training.trainable import build

from .. import tiny_data
from . import tiny_run

TOML = """
[model]
kind = "nar"
algorithms = ["minimum", "insertion_sort"]
hidden_dim = 8
triplet_dim = 2

[train]
steps = 6
batch_size = 4
log_every = 2
save_every = 3

[optimizer]
learning_rate = 0.01
warmup_steps = 1

[validation]
every = 3
samples = 2
"""

RECIPE = """
name = "tiny"
[[splits]]
name = "train"
algorithms = ["minimum", "insertion_sort"]
lengths = "4,5"
samples = 50
"""


def config(*overrides):
    return configs.parse(TOML, "tiny.toml", overrides)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipes") / "tiny.toml"
    path.write_text(RECIPE)
    return str(path)


@pytest.fixture(scope="module")
def trained(recipe, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "nar"
    assert run.train(config(), recipe, out, show=False)
    return out


@pytest.mark.slow
def test_a_resumed_run_is_as_if_unbroken(recipe, trained, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        tiny_run.stop_at(patched, 4)
        assert not run.train(config(), recipe, tmp_path / "run", show=False)
    # What a process leaves that is killed while it saves.
    latest = tmp_path / "run" / "checkpoints" / "latest"
    torn = shutil.copytree(latest / "4", latest / "6.orbax-checkpoint-tmp-0")
    shutil.rmtree(torn / "state")
    assert run.train(config(), recipe, tmp_path / "run", resume=True, show=False)
    assert not torn.exists()
    assert tiny_run.params(tmp_path / "run") == tiny_run.params(trained)
    assert tiny_run.logged(tmp_path / "run") == tiny_run.logged(trained)


@pytest.mark.slow
@pytest.mark.parametrize("steps", ["trace", "bound", "learned"])
def test_answers_do_not_depend_on_the_batch_and_have_the_right_shape(trained, steps):
    model = load(f"nar:{trained}?steps={steps}")
    table = generate_batch("insertion_sort", 5, count=40, split="test")
    answers = model.generate(table)["prediction"].to_pylist()
    for question, answer in zip(table["question"].to_pylist(), answers, strict=True):
        given = question.split("key: ")[1].split("]")[0].strip("[").split()
        assert sorted(answer.strip("[]").split()) == sorted(given)
    few = model.generate(table.slice(7, 3))["prediction"].to_pylist()
    assert few == answers[7:10]
    info = model.info()
    assert (info.settings["steps"], info.train_lengths) == (steps, (4, 5))


@pytest.mark.slow
def test_a_larger_graph_than_any_it_was_trained_on_is_answered(trained):
    table = generate_batch("insertion_sort", 9, count=3, split="test")
    answers = load(f"nar:{trained}?steps=bound").generate(table)["prediction"].to_pylist()
    for question, answer in zip(table["question"].to_pylist(), answers, strict=True):
        given = question.split("key: ")[1].split("]")[0].strip("[").split()
        assert len(given) == 9
        assert sorted(answer.strip("[]").split()) == sorted(given)


def test_an_algorithm_that_it_lacks_is_refused_and_leaves_no_run(recipe, tmp_path):
    lacking = config("model.algorithms=['minimum']")
    with pytest.raises(BadInput, match="a row is of insertion_sort, which the network was not"):
        run.train(lacking, recipe, tmp_path / "run", show=False)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_trace_with_no_number_in_it_is_refused_and_leaves_no_run(tmp_path, monkeypatch, value):
    def spoilt(name, length, *, split, seed, index):
        row = generate_batch(name, length, count=1, start=index, graph_hints=True).to_pylist()[0]
        if (name, index) == ("minimum", 7):
            row["graph_hints"][3] = value
        return row

    monkeypatch.setattr(tiny_data, "sample", spoilt)
    data = tiny_data.write(tmp_path / "set", {"train": [4]})
    with pytest.raises(
        BadInput, match=r"\(minimum, length 4\) has graph_hints that are infinite or"
    ):
        run.train(config(), data.url, tmp_path / "run", show=False)
    assert not (tmp_path / "run").exists()


def test_a_batch_holds_new_positions_at_each_visit_in_order():
    trainable = build(config())
    table = generate_batch("insertion_sort", 5, count=4, graph_hints=True)
    examples = trainable.encode(table)
    rows = np.arange(4)
    first, again, other = (examples.batch(rows, visit) for visit in (0, 0, 1))
    for name, x in first.items():
        np.testing.assert_array_equal(x, again[name])
    positions = [x["input/node_scalar"][:, :5, 0] for x in (first, other)]
    assert not np.any(positions[0] == positions[1])
    for drawn in positions:
        assert np.all(np.diff(drawn, axis=1) > 0)
        assert drawn.min() >= 0
        assert drawn.max() < 1
    assert not np.any(first["noise"] == other["noise"])


def test_a_mixed_batch_costs_what_its_algorithms_do_apart():
    mixed, apart = build(config("model.mixed_batches=true")), build(config())
    names = ("minimum", "insertion_sort")
    tables = [generate_batch(name, 4, count=3, graph_hints=True) for name in names]
    together = mixed.encode(pa.concat_tables(tables))
    assert len(set(together.shapes)) == 1
    params = apart.init()
    whole, count = mixed.loss(params, together.batch(np.arange(6), 0))
    each = [apart.loss(params, apart.encode(x).batch(np.arange(3), 0)) for x in tables]
    assert count == sum(n for _, n in each) == 6
    np.testing.assert_allclose(whole, sum(x for x, _ in each), rtol=1e-5)
    assert abs(float(each[0][0]) - float(each[1][0])) > 0.1


def test_parts_of_a_batch_are_refused():
    with pytest.raises(BadInput, match=r"train.accumulate 2 is for Transformers"):
        config("train.accumulate=2")


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("model.hidden_dims=3", "unknown key 'model.hidden_dims'; did you mean 'hidden_dim'?"),
        ("model.algorithms=['bsf']", "unknown algorithm 'bsf'; did you mean 'bfs'"),
        ("model.kind=rnn", "model.kind = 'rnn': input should be 'transformer' or 'nar'"),
        ("model.hidden_dim=0", "model.hidden_dim = 0"),
    ],
)
def test_wrong_settings_are_named(override, sentence):
    with pytest.raises(BadInput) as error:
        config(override)
    assert sentence in str(error.value)


@pytest.mark.slow
def test_what_a_reasoner_cannot_answer_is_said(trained):
    model = load(f"nar:{trained}")
    with pytest.raises(BadInput, match="a row is of bfs, which the network was not made for"):
        model.generate(generate_batch("bfs", 4, count=1))
    with pytest.raises(BadInput, match="a reasoner writes no traces"):
        model.generate(generate_batch("minimum", 4, count=1, use_hints=True))
    with pytest.raises(BadInput, match="steps = 'all'"):
        load(f"nar:{trained}?steps=all")
    with pytest.raises(BadInput, match="is of a nar, not of a transformer"):
        load(f"transformer:{trained}")


def test_settings_are_spelt_out_in_the_saved_config():
    spelt = configs.dumps(config())
    assert configs.parse(spelt, "again.toml") == config()
