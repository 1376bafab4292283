"""The command `diagnose` on tiny TransNARs whose gates are shut or open."""

import json

import numpy as np
import pytest

from clrs_text_bench import predictions
from clrs_text_bench.cli.main import cli
from clrs_text_bench.models.training import record
from clrs_text_bench.models.transformer.config import TransformerConfig
from clrs_text_bench.models.transnar.trained import OwnReasoner, TrainedTransNar

from .. import command, tiny_data
from ..models import tiny_reasoner
from ..models import tiny_transnar as tiny

LOGGED = [{"kind": "train", "step": s, "watched": {"gate/0": s / 100}} for s in (0, 50, 99)]


@pytest.fixture(scope="module", autouse=True)
def _compiled_quickly():
    with tiny_reasoner.quickly():
        yield


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "set"
    lengths = {"train": [4], "test": [6]}
    return tiny_data.write(folder, lengths, samples=3, algorithms=["minimum"])


@pytest.fixture(scope="module")
def trainable():
    return tiny.trainable(tiny.reasoner(), tiny.config({"num_layers": 1}))


@pytest.fixture(scope="module")
def runs(trainable, tmp_path_factory):
    """The folders of a run with shut gates that logged none, and of one with open gates."""
    folder, shut = tmp_path_factory.mktemp("runs"), trainable.init()
    return {
        "shut": tiny.write_run(folder / "shut", trainable, shut),
        "open": tiny.write_run(folder / "open", trainable, tiny.opened(shut, 3.0), LOGGED),
    }


def diagnose(*arguments):
    cli.main(["diagnose", *map(str, arguments)], standalone_mode=False)


@pytest.fixture(scope="module")
def diagnosed(runs, dataset, tmp_path_factory):
    """The folder of each run's diagnosis."""
    folder = tmp_path_factory.mktemp("out")
    for name, run in runs.items():
        diagnose(run, "--data", dataset.url, "--out", folder / name)
    return {name: folder / name for name in runs}


def document(out):
    return json.loads((out / "diagnosis.json").read_text())


def answers(out, latents):
    """Returns the answers that were given with some latents."""
    for folder in (out / "predictions").iterdir():
        settings = (predictions.record(folder) or {})["model"]["settings"]
        if settings.get("latents") == latents:
            return predictions.read(folder)["prediction"].to_pylist()
    raise AssertionError(latents)


def test_shut_gates_let_nothing_in_and_no_latents_change_an_answer(diagnosed, runs, dataset):
    found = document(diagnosed["shut"])
    assert found["measures"]["gates"] == {"0": 0.0}
    assert found["measures"]["shares"]["0"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    same = dict.fromkeys(("mean", "low", "high"), 0.0)
    for control in ("shuffled", "zeros"):
        assert set(map(str, found["measures"]["changes"][control].values())) == {str(same)}
        assert answers(diagnosed["shut"], control) == answers(diagnosed["shut"], "true")
    assert found["verdicts"][0]["sign"] == "latents not reached"
    assert found["verdicts"][0]["shows"] is True
    assert "latents not reached" in found["conclusion"]


def test_open_gates_let_in_what_changes_answers(diagnosed):
    found = document(diagnosed["open"])
    assert found["measures"]["gates"]["0"] == pytest.approx(np.tanh(3.0))
    assert found["measures"]["shares"]["0"]["mean"] > 0.05
    given = [answers(diagnosed["open"], latents) for latents in ("true", "zeros")]
    assert given[0] != given[1]


def test_a_diagnosis_says_what_it_is_of(diagnosed, runs, dataset, trainable):
    found = document(diagnosed["open"])
    assert found["run"] == str(runs["open"])
    assert found["asked"]["dataset_hash"] == dataset.hash
    assert found["asked"]["nar"] == trainable.reasoner.described.hash
    assert found["asked"]["lengths"] == [6]
    assert found["model"]["train_seed"] == 0
    assert found["versions"]["numpy"] == np.__version__
    assert found["measures"]["rows"] == 3
    parts = found["measures"]["scores"]["reasoner"]
    assert set(parts) == {"all", "extrapolation", "others"}


def test_figures_are_written_and_gates_only_where_they_were_logged(diagnosed):
    for name, stems in (
        ("shut", {"controls", "attention-nodes", "attention-edges"}),
        ("open", {"controls", "attention-nodes", "attention-edges", "gates"}),
    ):
        drawn = [path for path in diagnosed[name].iterdir() if path.suffix in (".png", ".svg")]
        assert {path.stem for path in drawn} == stems
        assert all(path.stat().st_size > 1000 for path in drawn)
        assert sorted(path.name for path in drawn) == sorted(document(diagnosed[name])["figures"])


def test_a_second_diagnosis_takes_up_the_answers_that_are_there(
    diagnosed, runs, dataset, monkeypatch, capsys
):
    def broken(self, requests):
        raise AssertionError

    before = document(diagnosed["shut"])
    (diagnosed["shut"] / "diagnosis.json").unlink()
    with monkeypatch.context() as patched:
        for kind in (TrainedTransNar, OwnReasoner):
            patched.setattr(kind, "generate", broken)
        diagnose(runs["shut"], "--data", dataset.url, "--out", diagnosed["shut"])
    after = document(diagnosed["shut"])
    assert after["measures"] == before["measures"]
    printed = capsys.readouterr()
    assert "Latents are not reached: at most 0.0%" in printed.out
    assert "did not log its gates over training" in " ".join(printed.err.split())


def test_what_cannot_be_diagnosed_is_refused(diagnosed, runs, dataset, trainable, tmp_path):
    given = ("--data", dataset.url, "--out")
    other = record.read(runs["shut"])
    plain = other.config.model_copy(update={"model": TransformerConfig()})
    (tmp_path / "plain").mkdir()
    record.write(tmp_path / "plain", other.model_copy(update={"config": plain}))
    said = command.sentence_here("diagnose", tmp_path / "plain", *given, tmp_path / "out")
    assert said == f"run {tmp_path / 'plain'} is of a transformer, not of a transnar"
    said = command.sentence_here("diagnose", tmp_path / "none", *given, tmp_path / "out")
    assert said.startswith(f"run {tmp_path / 'none'} does not exist")
    said = command.sentence_here("diagnose", runs["shut"], *given, tmp_path / "out", "--limit", 1)
    assert said.startswith("minimum at length 6 of")
    assert "cannot be shuffled" in said
    said = command.sentence_here("diagnose", runs["open"], *given, diagnosed["shut"])
    assert "holds the diagnosis of another run" in said
    config = tiny.config({"num_layers": 1}, {"latents": "zeros"})
    control = tiny.trainable(trainable.reasoner, config)
    run = tiny.write_run(tmp_path / "control", control, trainable.init())
    said = command.sentence_here("diagnose", run, *given, tmp_path / "out")
    assert "was trained on zeros latents, as a control" in said
    assert not (tmp_path / "out").exists()
