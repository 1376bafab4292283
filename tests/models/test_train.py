import json
import shutil
import signal
import threading

import jax
import numpy as np
import pyarrow as pa
import pytest

from clrs_text_bench import datasets, registry
from clrs_text_bench.errors import BadInput, RunFailed
from clrs_text_bench.models.training import checkpoint as checkpoints
from clrs_text_bench.models.training import interrupt, loop, run, source
from clrs_text_bench.models.training.metrics import Metrics
from clrs_text_bench.models.training.trainable import build

from .. import tiny_data
from . import tiny_run


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return tiny_data.write(tmp_path_factory.mktemp("data") / "set", {"train": [4, 6], "test": [5]})


@pytest.fixture(scope="module")
def unbroken(dataset, tmp_path_factory):
    """The folder of a run of twelve steps that nothing cut off."""
    out = tmp_path_factory.mktemp("runs") / "unbroken"
    assert train(tiny_run.config(), dataset, out)
    return out


def train(config, dataset, out, **options):
    return run.train(config, dataset.url, out, show=False, **options)


def params(out, kind="latest", config=None):
    """Returns the hash of a run's parameters and the number of steps."""
    found = checkpoints.Checkpoints(out, kind)
    restored = found.restore(build(config or tiny_run.config()).shapes())
    found.close()
    return checkpoints.params_hash(restored.params), restored.step


def lines(out):
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def stopping_at(monkeypatch, step, act=None):
    """Lets a run's loop do something, by default ask for a stop, once it has done so many steps."""
    original = loop.Loop._step

    def stepped(self):
        original(self)
        if self.state.step == step:
            (act or (lambda: signal.raise_signal(signal.SIGINT)))()

    monkeypatch.setattr(loop.Loop, "_step", stepped)


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
    found = [(line["kind"], line["step"]) for line in lines(unbroken)]
    trained = [("train", step) for step in (2, 4, 6, 8, 10, 12)]
    assert sorted(found) == sorted([*trained, ("validation", 6), ("validation", 12)])
    first = lines(unbroken)[0]
    assert first["loss"] == pytest.approx(np.log(1718), rel=0.3)
    assert set(first) == {
        *("kind", "step", "loss", "gradient_norm", "learning_rate", "tokens_per_second")
    }
    validation = lines(unbroken)[-1]
    assert set(validation["cells"]) == {
        *("minimum/4", "minimum/6", "insertion_sort/4", "insertion_sort/6")
    }
    assert validation["clrs"] == pytest.approx(
        np.mean([cell["clrs"] for cell in validation["cells"].values()])
    )


def test_the_same_run_again_gives_the_same_parameters_and_another_seed_others(
    unbroken, dataset, tmp_path
):
    train(tiny_run.config(), dataset, tmp_path / "again")
    assert params(tmp_path / "again") == params(unbroken)
    train(tiny_run.config("train.seed=1"), dataset, tmp_path / "other")
    assert params(tmp_path / "other") != params(unbroken)


@pytest.mark.parametrize("step", [1, 5, 6, 7, 11])
def test_ctrl_c_saves_and_a_resumed_run_is_as_if_unbroken(
    unbroken, dataset, tmp_path, monkeypatch, step
):
    out = tmp_path / "run"
    with monkeypatch.context() as patched:
        stopping_at(patched, step)
        assert not train(tiny_run.config(), dataset, out)
    assert params(out)[1] == step
    assert train(tiny_run.config(), dataset, out, resume=True)
    assert params(out) == params(unbroken)
    assert params(out, "best") == params(unbroken, "best")
    kept = [{k: v for k, v in line.items() if k != "tokens_per_second"} for line in lines(out)]
    # A stop between two lines splits one mean of losses in two; the rest is the same.
    assert [(x["kind"], x["step"]) for x in kept] == [
        (x["kind"], x["step"]) for x in lines(unbroken)
    ]


def test_a_finished_run_resumed_is_left_as_it_is(unbroken, dataset, tmp_path):
    shutil.copytree(unbroken, tmp_path / "run")
    before = (tmp_path / "run" / "metrics.jsonl").read_bytes()
    assert train(tiny_run.config(), dataset, tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == before
    assert params(tmp_path / "run") == params(unbroken)


def test_resuming_where_nothing_is_begins(unbroken, dataset, tmp_path):
    assert train(tiny_run.config(), dataset, tmp_path / "run", resume=True)
    assert params(tmp_path / "run") == params(unbroken)


def test_a_resumed_run_needs_no_data_named(unbroken, dataset, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        stopping_at(patched, 4)
        train(tiny_run.config(), dataset, tmp_path / "run")
    assert run.train(tiny_run.config(), None, tmp_path / "run", resume=True, show=False)
    assert params(tmp_path / "run") == params(unbroken)


def test_a_step_that_an_earlier_run_logged_beyond_its_checkpoint_is_dropped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    metrics = Metrics(path, 0)
    for step in (1, 2, 3):
        metrics.log("train", step, loss=0.5)
    with open(path, "a") as file:
        file.write('{"kind": "train", "st')  # cut off by a kill
    Metrics(path, 2).log("train", 3, loss=0.25)
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 2, 3]
    assert json.loads(path.read_text().splitlines()[-1])["loss"] == 0.25


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_checkpoint(
    unbroken, dataset, tmp_path, monkeypatch, value
):
    out = tmp_path / "run"
    with monkeypatch.context() as patched:
        stopping_at(patched, 9)
        train(tiny_run.config(), dataset, out)
    good = params(out)
    original = loop._update

    def poisoned(loss, transform):
        update = original(loss, transform)

        def step(weights, state, batch):
            weights, state, _, norm = update(weights, state, batch)
            broken = jax.tree.map(lambda x: x * value, weights)
            return broken, state, np.float32(value), norm

        return step

    monkeypatch.setattr(loop, "_update", poisoned)
    with pytest.raises(RunFailed, match=r"diverged at step 10: loss (nan|inf), .*step 9 is kept"):
        train(tiny_run.config(), dataset, out, resume=True)
    assert params(out) == good


def test_a_huge_learning_rate_is_stopped_with_a_sentence(dataset, tmp_path):
    config = tiny_run.config("optimizer.learning_rate=1e30", "optimizer.warmup_steps=0")
    with pytest.raises(RunFailed, match=r"diverged at step \d+.*lower optimizer.learning_rate"):
        train(config, dataset, tmp_path / "run")


def test_an_unfit_folder_config_or_data_is_a_sentence(unbroken, dataset, tmp_path):
    config = tiny_run.config()
    with pytest.raises(
        BadInput, match=r"already holds a run; go on with --resume or .*--overwrite"
    ):
        train(config, dataset, unbroken)
    with pytest.raises(BadInput, match="use one of them"):
        train(config, dataset, unbroken, resume=True, overwrite=True)
    with pytest.raises(BadInput, match=r"was begun with another model\.width"):
        train(tiny_run.config("model.width=32"), dataset, unbroken, resume=True)
    other = tiny_data.write(tmp_path / "other", {"train": [4]}, seed=3)
    with pytest.raises(BadInput, match="is another one"):
        train(config, other, unbroken, resume=True)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BadInput, match="is a file; a run needs a folder"):
        train(config, dataset, tmp_path / "file")
    with pytest.raises(BadInput, match="cannot write"):
        train(config, dataset, tmp_path / "file" / "run")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    with pytest.raises(BadInput, match=r"holds other files, such as thesis\.tex"):
        train(config, dataset, tmp_path / "full", overwrite=True)
    with pytest.raises(BadInput, match="has no data yet; name a data set or a recipe with --data"):
        run.train(config, None, tmp_path / "new", show=False)


def test_overwriting_replaces_a_run_and_leaves_other_files(unbroken, dataset, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(unbroken, out)
    (out / "notes.txt").write_text("mine")
    assert train(tiny_run.config("train.steps=4"), dataset, out, overwrite=True)
    assert params(out)[1] == 4
    assert {line["step"] for line in lines(out)} == {2, 4}
    assert (out / "notes.txt").read_text() == "mine"


def test_a_run_of_another_vocabulary_is_not_gone_on_with(unbroken, dataset, tmp_path):
    shutil.copytree(unbroken, tmp_path / "run")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    record["model"]["vocabulary"] = "0" * 64
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    with pytest.raises(BadInput, match="begun with another vocabulary than this package has"):
        train(tiny_run.config(), dataset, tmp_path / "run", resume=True)


def test_a_data_set_without_train_rows_or_that_does_not_fit_is_a_sentence(dataset, tmp_path):
    test_only = tiny_data.write(tmp_path / "test", {"test": [4]})
    with pytest.raises(BadInput, match="has no split 'train'"):
        train(tiny_run.config(), test_only, tmp_path / "a")
    with pytest.raises(BadInput, match=r"more than model\.context 16"):
        train(tiny_run.config("model.context=16"), dataset, tmp_path / "b")


def test_data_that_is_neither_a_data_set_nor_a_recipe_is_a_sentence(tmp_path):
    with pytest.raises(BadInput, match=r"'smok' is neither .*did you mean 'smoke'\?"):
        source.find("smok")
    with pytest.raises(BadInput, match=r"does not exist"):
        source.find(str(tmp_path / "none"))
    (tmp_path / "bad.toml").write_text("name = 3")
    with pytest.raises(BadInput, match=r"bad\.toml"):
        source.find(str(tmp_path / "bad.toml"))
    with pytest.raises(BadInput, match="recipe extrapolate has no split 'train'"):
        source.find("extrapolate")


@pytest.mark.slow
def test_a_recipe_is_made_once_without_its_test_split_and_kept(tmp_path, monkeypatch):
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        """
        name = "mine"
        [[splits]]
        name = "train"
        samples = 20
        lengths = {minimum = "4-5", bfs = [4]}
        [[splits]]
        name = "test"
        algorithms = ["minimum"]
        lengths = "6"
        samples = 5
        """
    )
    config, out = tiny_run.config(), tmp_path / "run"
    with monkeypatch.context() as patched:
        stopping_at(patched, 4)
        assert not run.train(config, str(recipe), out, show=False)
    made = datasets.open(out / "data")
    assert [(c.split, c.algorithm, c.length, c.count) for c in made.cells()] == [
        ("train", "minimum", 4, 20),
        ("train", "minimum", 5, 20),
        ("train", "bfs", 4, 20),
    ]
    before = {f: f.stat().st_mtime_ns for f in (out / "data").rglob("*.parquet")}
    assert run.train(config, None, out, resume=True, show=False)
    assert {f: f.stat().st_mtime_ns for f in (out / "data").rglob("*.parquet")} == before


def test_the_test_split_is_never_read(dataset, tmp_path, monkeypatch):
    read = []
    original = datasets.Dataset.read

    def spying(self, cell, *arguments, **options):
        read.append(cell.split)
        return original(self, cell, *arguments, **options)

    monkeypatch.setattr(datasets.Dataset, "read", spying)
    train(tiny_run.config("train.steps=3"), dataset, tmp_path / "run")
    assert set(read) == {"train"}


def test_the_best_checkpoint_is_the_first_of_its_score_or_the_last(unbroken):
    """It is that of the validation with the highest clrs; of equals, the latest."""
    scores = {x["step"]: x["clrs"] for x in lines(unbroken) if x["kind"] == "validation"}
    best = max(scores, key=lambda step: (scores[step], step))
    assert params(unbroken, "best")[1] == best


def test_a_second_ctrl_c_stops_at_once():
    with interrupt.catching() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_outside_the_main_thread_signals_are_left_alone():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work():
        with interrupt.catching() as stop:
            seen.append((stop.asked, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, before)]


@pytest.mark.slow
def test_a_few_rows_are_learnt_by_heart(tmp_path):
    dataset = tiny_data.write(tmp_path / "data", {"train": [4, 5], "validation": [4]}, samples=12)
    config = tiny_run.config(
        *("model.width=64", "train.steps=300", "train.batch_size=12", "train.log_every=50"),
        *("train.save_every=300", "validation.every=300", "optimizer.learning_rate=3e-3"),
    )
    out = tmp_path / "run"
    assert train(config, dataset, out)
    model = registry.load("models", "transformer")(str(out))
    rows = pa.concat_tables([dataset.read(c) for c in dataset.cells("train")])
    answers = model.generate(rows)["prediction"].to_pylist()
    truth = [a.removesuffix("\n\n") for a in rows["answer"].to_pylist()]
    assert answers == truth
