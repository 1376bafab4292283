"""Training as a user runs it: killed, interrupted, diverged, refused, and read back damaged."""

import json
import random
import re
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest

from clrs_text_bench import registry
from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.rows import sample_ids
from clrs_text_bench.models.training import checkpoint as checkpoints
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import run
from clrs_text_bench.models.training.batches import Plan
from clrs_text_bench.models.training.corpus import Corpus
from clrs_text_bench.models.training.trainable import build

from .. import command, tiny_data
from . import tiny_run

STEPS = 60
CUT_OFF = (f"train.steps={STEPS}", "train.save_every=4", "validation.every=20")
INTERRUPTED = 130


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "set"
    return tiny_data.write(folder, {"train": [4, 6], "test": [5]})


@pytest.fixture(scope="module")
def trained(dataset, tmp_path_factory):
    """The folder of a finished run of twelve steps."""
    out = tmp_path_factory.mktemp("runs") / "trained"
    assert run.train(tiny_run.config(), dataset.url, out, show=False)
    return out


@pytest.fixture(scope="module")
def config_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("configs") / "tiny.toml"
    path.write_text(tiny_run.TOML)
    return path


@pytest.fixture(scope="module")
def unbroken(dataset, tmp_path_factory):
    """The folder of a run that is long enough to be cut off, and was not."""
    out = tmp_path_factory.mktemp("runs") / "unbroken"
    assert run.train(tiny_run.config(*CUT_OFF), dataset.url, out, show=False)
    return out


def arguments(config_file, dataset, out):
    return ["train", str(config_file), *CUT_OFF, "--data", dataset.url, "--out", str(out)]


def start(config_file, dataset, out):
    return subprocess.Popen(
        [command.PROGRAM, *arguments(config_file, dataset, out), "--resume"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=command.surroundings(),
    )


def wait_for_step(process, out, step):
    """Waits until a run has logged a step; fails if it ends before."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"the run ended before step {step}: {process.communicate()[0]}")
        if any(line["step"] >= step for line in metrics(out, whole=False)):
            return
        time.sleep(0.005)
    process.kill()
    pytest.fail(f"no step {step} after a minute")


def metrics(out, whole=True):
    path = out / "metrics.jsonl"
    if not path.exists():
        return []
    lines = path.read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if whole or line.endswith("\n")]


def logged(out):
    return [(line["kind"], line["step"]) for line in metrics(out)]


def params(out, kind="latest"):
    """Returns the hash of a run's parameters and the number of steps behind them."""
    config = configs.load(out / "config.toml")
    opened = checkpoints.Checkpoints(out, kind)
    found = opened.restore(build(config).shapes())
    opened.close()
    return checkpoints.params_hash(found.params), found.step


@pytest.mark.slow
def test_a_run_killed_at_any_moment_is_resumed_to_the_same_bits(
    unbroken, dataset, config_file, tmp_path
):
    out, moments = tmp_path / "run", random.Random(0)
    for first, last in ((0, 4), (12, 24), (32, 44)):
        process = start(config_file, dataset, out)
        wait_for_step(process, out, moments.randint(first, last))
        time.sleep(moments.uniform(0, 0.1))
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    command.run(*arguments(config_file, dataset, out), "--resume")
    assert params(unbroken)[1] == STEPS
    assert params(out) == params(unbroken)
    assert params(out, "best") == params(unbroken, "best")
    assert logged(out) == logged(unbroken)
    assert len(set(logged(out))) == len(logged(out))


@pytest.mark.slow
def test_ctrl_c_saves_says_how_to_go_on_and_loses_no_bit(unbroken, dataset, config_file, tmp_path):
    out = tmp_path / "run"
    process = start(config_file, dataset, out)
    wait_for_step(process, out, 10)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED
    assert "Traceback" not in output
    assert f"stopped and saved; go on with clrs-text-bench train {config_file}" in output
    assert 10 <= params(out)[1] < STEPS
    command.run("train", config_file, *CUT_OFF, "--out", out, "--resume")
    assert params(out) == params(unbroken)
    assert logged(out) == logged(unbroken)


@pytest.mark.slow
def test_a_diverged_run_ends_in_a_sentence_and_code_1(config_file, dataset, tmp_path):
    found = command.sentence(
        *("train", config_file, "optimizer.learning_rate=1e30", "optimizer.warmup_steps=0"),
        *("--data", dataset.url, "--out", tmp_path / "run"),
        code=1,
    )
    assert found.startswith("training diverged at step ")
    assert found.endswith("lower optimizer.learning_rate and train again")


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("train.stesp=3", "unknown key 'train.stesp'; did you mean 'steps'?"),
        ("train.steps=many", "train.steps = 'many': input should be a valid integer"),
        ("train.steps", "override 'train.steps' is not like train.steps=100"),
        ("train.steps.x=3", "'train.steps' is a value, not a table"),
    ],
)
def test_a_bad_override_ends_in_a_sentence_before_anything_is_written(
    override, sentence, config_file, dataset, tmp_path
):
    out = tmp_path / "run"
    found = command.sentence_here(
        "train", config_file, override, "--data", dataset.url, "--out", out
    )
    assert sentence in found
    assert not out.exists()


def test_a_bad_config_ends_in_a_sentence(dataset, tmp_path):
    rest = ("--data", dataset.url, "--out", tmp_path / "run")
    missing = tmp_path / "none.toml"
    assert command.sentence_here("train", missing, *rest) == (
        f"cannot read config {missing}: No such file or directory"
    )
    unknown = tmp_path / "unknown.toml"
    unknown.write_text("[model]\nwidht = 16\n")
    assert command.sentence_here("train", unknown, *rest) == (
        f"{unknown}: unknown key 'model.widht'; did you mean 'width'?"
    )
    found = command.sentence_here("train", "smok", *rest)
    assert found == "unknown config 'smok'; did you mean 'smoke'?"


def test_a_run_that_is_there_is_not_replaced_unasked(trained, dataset, config_file):
    before = params(trained)
    found = command.sentence_here("train", config_file, "--data", dataset.url, "--out", trained)
    assert found == (
        f"{trained} already holds a run; go on with --resume or replace it with --overwrite"
    )
    assert params(trained) == before


def test_the_order_of_batches_follows_from_seed_and_step_alone():
    forwards, backwards = Plan([7, 20, 3], 4, seed=5), Plan([7, 20, 3], 4, seed=5)
    steps = range(3 * forwards.steps_per_epoch)
    one = {step: forwards.batch(step) for step in steps}
    other = {step: backwards.batch(step) for step in reversed(steps)}
    fresh = {step: Plan([7, 20, 3], 4, seed=5).batch(step) for step in steps}
    for step in steps:
        for bucket, rows in (other[step], fresh[step]):
            assert bucket == one[step][0]
            np.testing.assert_array_equal(rows, one[step][1])
    elsewhere = Plan([7, 20, 3], 4, seed=6)
    assert any(elsewhere.batch(s)[1].tolist() != one[s][1].tolist() for s in steps)


def test_no_held_out_and_no_test_row_is_trained_on(dataset):
    corpus = Corpus(dataset, tiny_run.config().validation)
    trained = {s for _, table in corpus.train() for s in sample_ids(table)}
    held_out = set(sample_ids(corpus.held_out()))
    assert trained
    assert held_out
    assert not trained & held_out
    assert {s.split for s in trained | held_out} == {"train"}


def load(path):
    return registry.load("models", "transformer")(str(path))


def test_a_folder_that_holds_no_trained_run_is_refused(trained, tmp_path):
    with pytest.raises(BadInput, match=r"none does not exist; name the --out folder"):
        load(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"empty holds no run\.json; name the --out folder"):
        load(tmp_path / "empty")
    with pytest.raises(BadInput, match="transformer needs a run, such as transformer:runs/a"):
        load("")
    shutil.copytree(trained, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    with pytest.raises(BadInput, match=r"best holds no checkpoint; train the run first"):
        load(tmp_path / "run")
    assert not (tmp_path / "run" / "checkpoints").exists()


def halved(data):
    return data[: len(data) // 2]


def flipped(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [halved, flipped])
def test_a_damaged_checkpoint_is_refused_or_read_whole(damage, trained, tmp_path):
    """Whichever file it is; some of them are not needed for reading."""
    whole, out, refused = load(trained).info().checkpoint, tmp_path / "run", {}
    shutil.copytree(trained, out)
    best = out / "checkpoints" / "best"
    files = sorted(f for f in best.rglob("*") if f.is_file() and f.stat().st_size)
    for file in files:
        data = file.read_bytes()
        file.write_bytes(damage(data))
        try:
            assert load(out).info().checkpoint == whole, file
        except BadInput as error:
            refused[file] = str(error)
        file.write_bytes(data)
    for sentence in refused.values():
        assert re.search("is cut short or of another model|were altered; train", sentence)
        assert "\n" not in sentence
    parameters = {f for f in files if f.parent.parts[-2:] == ("params", "d")}
    assert parameters
    assert parameters <= set(refused)
    assert load(out).info().checkpoint == whole


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        (("config", "model", "width"), 32, "is cut short or of another model"),
        (("config", "model", "layers"), 2, "is cut short or of another model"),
        (("config", "model", "tokenizer"), "char", "was trained with tokeniser compact"),
        (("model", "vocabulary"), "0" * 64, "was trained with tokeniser compact of vocabulary 000"),
        (("config", "model", "kind"), "rnn", "config.model.kind = 'rnn': input should be"),
        (("format_version",), 99, "has format version 99, newer than"),
        (("widht",), 1, "unknown key 'widht'"),
    ],
)
def test_a_checkpoint_of_another_model_or_tokeniser_is_refused(
    place, value, sentence, trained, tmp_path
):
    out = tmp_path / "run"
    shutil.copytree(trained, out)
    record = json.loads((out / "run.json").read_text())
    at = record
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    (out / "run.json").write_text(json.dumps(record))
    with pytest.raises(BadInput) as error:
        load(out)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_a_damaged_run_record_is_refused(trained, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(trained, out)
    (out / "run.json").write_bytes(halved((out / "run.json").read_bytes()))
    with pytest.raises(BadInput, match=r"run\.json is not valid JSON"):
        load(out)
