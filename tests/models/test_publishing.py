"""Runs made small, to be published."""

import json

import jax
import numpy as np
import pytest

from clrs_text_bench.errors import BadInput
from clrs_text_bench.models import load, publishing
from clrs_text_bench.models.training.checkpoint import tree_hash
from clrs_text_bench.models.transnar import reasoner

from .. import command, tiny_data
from . import tiny_nar_run, tiny_transnar


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory):
    """The folder of a TransNAR's run, and beside it that of its reasoner's."""
    folder = tmp_path_factory.mktemp("runs")
    tiny_nar_run.write(folder / "nar")
    config = tiny_transnar.config(nar={"run": str(folder / "nar")})
    trainable = tiny_transnar.trainable(reasoner.of_run(config.nar, 0), config)
    params = tiny_transnar.opened(trainable.init())
    return tiny_transnar.write_run(folder / "run", trainable, params)


def same(a, b, tolerance=0.0):
    """Whether two trees are of the same shapes and types, and near each other."""
    a, b = jax.tree_util.tree_leaves_with_path(a), jax.tree_util.tree_leaves_with_path(b)
    return all(
        p == q
        and x.dtype == y.dtype
        and np.allclose(np.asarray(x), np.asarray(y), rtol=tolerance, atol=tolerance / 100)
        for (p, x), (q, y) in zip(a, b, strict=True)
    )


def names(file, folder):
    """Whether a file tells of a folder."""
    return str(folder).encode() in file.read_bytes()


def size(folder):
    return sum(file.stat().st_size for file in (folder / "checkpoints").rglob("*"))


def test_a_published_run_answers_as_the_run_does(dataset, unbroken, tmp_path):
    made = command.run("weights", "publish", unbroken, "--out", tmp_path / "small")
    assert "evaluate transformer:" in made.stderr
    run, small = load(f"transformer:{unbroken}"), load(f"transformer:{tmp_path / 'small'}")
    rows = tiny_data.rows(dataset, "test")
    assert small.info() == run.info()
    assert small.generate(rows)["prediction"].equals(run.generate(rows)["prediction"])
    assert (tmp_path / "small/metrics.jsonl").read_text() == (
        unbroken / "metrics.jsonl"
    ).read_text()
    assert size(tmp_path / "small") < size(unbroken) / 3
    told = {x.name for x in (tmp_path / "small").rglob("*") if x.is_file() and names(x, tmp_path)}
    assert told == {"run.json"}  # the command


def test_sixteen_bits_are_another_model_near_the_first(unbroken, tmp_path):
    publishing.publish(unbroken, tmp_path / "half", "float16")
    run, half = load(f"transformer:{unbroken}"), load(f"transformer:{tmp_path / 'half'}")
    assert same(half.params, run.params, 2**-11)
    assert not same(half.params, run.params)
    assert same(
        half.params, jax.tree.map(lambda x: x.astype("float16").astype("float32"), run.params)
    )
    assert half.info().checkpoint == tree_hash(half.params) != run.info().checkpoint
    told = json.loads((tmp_path / "half/run.json").read_text())["published"]
    assert told["checkpoint"] == run.info().checkpoint
    assert told["dtype"] == "float16"


def test_a_reasoner_that_was_left_as_it_is_stays_so(hybrid, tmp_path):
    publishing.publish(hybrid, tmp_path / "half", "float16")
    run, half = load(f"transnar:{hybrid}"), load(f"transnar:{tmp_path / 'half'}")
    assert same(half.params["nar"], run.params["nar"])
    assert same(half.params["readers"], run.params["readers"], 2**-11)
    assert not same(half.params["readers"], run.params["readers"])


def test_a_reasoner_that_is_published_apart_is_read_from_there(hybrid, tmp_path):
    apart = tmp_path / "checkpoints/nar"
    publishing.publish(hybrid.parent / "nar", apart, "float32")
    out = tmp_path / "checkpoints/hybrid"
    publishing.publish(hybrid, out, "float32", apart)
    run, small = load(f"transnar:{hybrid}"), load(f"transnar:{out}")
    assert same(small.params, run.params)
    assert small.info() == run.info()
    assert size(out) < size(hybrid)
    assert json.loads((out / "nar.json").read_text())["apart"] == "../nar"
    publishing.publish(out, tmp_path / "whole", "float32")
    assert same(load(f"transnar:{tmp_path / 'whole'}").params, run.params)
    assert "apart" not in json.loads((tmp_path / "whole/nar.json").read_text())
    (tmp_path / "checkpoints").rename(tmp_path / "moved")
    assert same(load(f"transnar:{tmp_path / 'moved/hybrid'}").params, run.params)
    (tmp_path / "moved/nar").rename(tmp_path / "moved/away")
    with pytest.raises(
        BadInput, match=r"published without its reasoner, which should be in .*/nar"
    ):
        load(f"transnar:{tmp_path / 'moved/hybrid'}")


def test_another_reasoner_is_refused(hybrid, unbroken, tmp_path):
    other = tmp_path / "other"
    publishing.publish(hybrid.parent / "nar", other, "float16")
    for run, apart, reason in (
        (hybrid, other, "another than the run was trained with"),
        (hybrid, tmp_path / "none", "holds no checkpoint"),
        (unbroken, other, "for a TransNAR"),
    ):
        with pytest.raises(BadInput, match=reason):
            publishing.publish(run, tmp_path / "out", "float32", apart)
        assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(unbroken, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("mine")
    with pytest.raises(BadInput, match="is there already"):
        publishing.publish(unbroken, tmp_path / "out", "float32")
    assert [x.name for x in (tmp_path / "out").iterdir()] == ["mine"]
