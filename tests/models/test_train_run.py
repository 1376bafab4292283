"""What a training run leaves behind, and what it does not."""

import json
import shutil

import jax
import numpy as np
import pyarrow as pa
import pytest

from clrs_text_bench import registry
from clrs_text_bench.errors import RunFailed
from clrs_text_bench.models.training import update
from clrs_text_bench.models.training.checkpoint import tree_hash
from clrs_text_bench.models.training.trainable import build

from .. import tiny_data
from .tiny_run import config, logged, metrics, params, stop_at, train


def test_a_run_leaves_its_config_record_metrics_and_checkpoints(unbroken, dataset):
    assert sorted(p.name for p in unbroken.iterdir()) == [
        "checkpoints",
        "config.toml",
        "metrics.jsonl",
        "run.json",
    ]
    record = json.loads((unbroken / "run.json").read_text())
    assert record["data_hash"] == dataset.hash
    assert record["train_lengths"] == [4, 6]
    assert record["train_algorithms"] == ["insertion_sort", "minimum"]
    assert record["config"]["train"]["seed"] == 0
    assert record["model"]["tokenizer"] == "compact"
    assert len(record["model"]["vocabulary"]) == 64
    assert record["versions"]["jax"] == jax.__version__
    assert params(unbroken)[1] == 12


def test_metrics_hold_every_logged_step_once(unbroken):
    trained = [("train", step) for step in (2, 4, 6, 8, 10, 12)]
    others = [("initial", 0), ("validation", 6), ("validation", 12)]
    assert sorted(logged(unbroken)) == sorted([*trained, *others])
    initial, first = metrics(unbroken)[:2]
    assert initial["params_hash"] == tree_hash(build(config()).init())
    assert first["loss"] == pytest.approx(np.log(1718), rel=0.3)
    assert set(first) == {
        *("kind", "step", "loss", "gradient_norm", "learning_rate"),
        *("tokens_per_second", "waiting_share"),
    }
    assert 0 < first["waiting_share"] < 1
    validation = metrics(unbroken)[-1]
    assert set(validation["cells"]) == {
        *("minimum/4", "minimum/6", "insertion_sort/4", "insertion_sort/6")
    }
    assert validation["clrs"] == pytest.approx(
        np.mean([cell["clrs"] for cell in validation["cells"].values()])
    )


def test_the_best_checkpoint_is_that_of_the_highest_score_and_of_equals_the_latest(unbroken):
    scores = {x["step"]: x["clrs"] for x in metrics(unbroken) if x["kind"] == "validation"}
    best = max(scores, key=lambda step: (scores[step], step))
    assert params(unbroken, "best")[1] == best


def test_the_same_run_again_gives_the_same_parameters_and_another_seed_others(
    unbroken, dataset, tmp_path
):
    train(config(), dataset, tmp_path / "again")
    assert params(tmp_path / "again") == params(unbroken)
    train(config("train.seed=1"), dataset, tmp_path / "other")
    assert params(tmp_path / "other") != params(unbroken)


def test_overwriting_replaces_a_run_and_leaves_other_files(unbroken, dataset, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(unbroken, out)
    (out / "notes.txt").write_text("mine")
    assert train(config("train.steps=4"), dataset, out, overwrite=True)
    assert params(out)[1] == 4
    assert {line["step"] for line in metrics(out)} == {0, 2, 4}
    assert (out / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_checkpoint(
    dataset, tmp_path, monkeypatch, value
):
    out = tmp_path / "run"
    with monkeypatch.context() as patched:
        stop_at(patched, 9)
        train(config(), dataset, out)
    good = params(out)
    original = update.Step.__call__

    def poisoned(self, state, batch):
        state, measured = original(self, state, batch)
        broken = jax.tree.map(lambda x: x * value, state.params)
        return state._replace(params=broken), measured._replace(loss=np.float32(value))

    monkeypatch.setattr(update.Step, "__call__", poisoned)
    with pytest.raises(RunFailed, match=r"diverged at step 10: loss (nan|inf), .*step 9 is kept"):
        train(config(), dataset, out, resume=True)
    assert params(out) == good


@pytest.mark.slow
def test_a_few_rows_are_learnt_by_heart(tmp_path):
    dataset = tiny_data.write(tmp_path / "data", {"train": [4, 5], "validation": [4]}, samples=12)
    longer = config(
        *("model.hidden_dim=64", "train.steps=300", "train.batch_size=12", "train.log_every=50"),
        *("train.save_every=300", "validation.every=300", "optimizer.learning_rate=3e-3"),
    )
    out = tmp_path / "run"
    assert train(longer, dataset, out)
    model = registry.load("models", "transformer")(str(out))
    rows = pa.concat_tables([dataset.read(c) for c in dataset.cells("train")])
    answers = model.generate(rows)["prediction"].to_pylist()
    truth = [a.removesuffix("\n\n") for a in rows["answer"].to_pylist()]
    assert answers == truth
