"""Runs shown by trackers: what they show, and what becomes of one that fails."""

import struct
import sys

import pytest

from clrs_text_bench import registry
from clrs_text_bench.errors import BadInput

from .tiny_run import config, metrics, params, stop_at, train


def flat(values, before):
    """Returns the numbers of nested dicts by their keys' path."""
    found = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= flat(value, f"{before}{key}/")
        elif not isinstance(value, str):
            found[f"{before}{key}"] = float(value)
    return found


def expected(out):
    """Returns what trackers are to show of a run: by name, the value at each step."""
    found = {}
    for line in metrics(out):
        kind, step = line.pop("kind"), line.pop("step")
        for name, value in flat(line, f"{kind}/").items():
            found.setdefault(name, {})[step] = value
    return found


def of_event_files(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    shown = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    shown.Reload()
    return {
        name: {event.step: event.value for event in shown.Scalars(name)}
        for name in shown.Tags()["scalars"]
    }


def logged_records(data):
    """Yields the records of an offline run's file, a log in LevelDB's format behind a header."""
    place, record = 7, b""
    while place < len(data):
        if 32768 - place % 32768 < 7:  # no header fits what is left of a block
            place += 32768 - place % 32768
        _, size, kind = struct.unpack_from("<IHB", data, place)
        record += data[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):  # whole, or the last part
            yield record
            record = b""


def of_offline_runs(folder):
    from wandb.proto import wandb_internal_pb2

    found = {}
    for path in sorted(folder.glob("wandb/offline-run-*/run-*.wandb")):
        for data in logged_records(path.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            for item in record.history.item:
                name = item.key or "/".join(item.nested_key)
                found.setdefault(name, {})[record.history.step.num] = float(item.value_json)
    return {name: values for name, values in found.items() if not name.startswith("_")}


def of_server(uri, experiment):
    import mlflow

    client = mlflow.MlflowClient(uri)
    (run,) = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["train.batch_size"] == "4"
    return {
        name: {one.step: one.value for one in client.get_metric_history(run.info.run_id, name)}
        for name in run.data.metrics
    }


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """What trackers are told by variables: nothing leaves this machine."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlflow").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "tiny")
    return (tmp_path / "mlflow").as_uri()


@pytest.mark.slow
def test_all_three_show_what_the_file_of_metrics_holds_of_a_run_in_two_parts(
    unbroken, dataset, tmp_path, monkeypatch, environment
):
    out, trackers = tmp_path / "run", ("tensorboard", "wandb", "mlflow")
    with monkeypatch.context() as patched:
        stop_at(patched, 5)
        assert not train(config(), dataset, out, trackers=trackers)
    assert train(config(), dataset, out, resume=True, trackers=trackers)
    assert params(out) == params(unbroken)
    wanted, folder = expected(out), out / "trackers"
    assert {"train/loss", "validation/clrs", "validation/cells/minimum/4/clrs"} <= wanted.keys()
    for shown in (
        of_event_files(folder / "tensorboard"),
        of_offline_runs(folder),
        of_server(environment, "tiny"),
    ):
        assert shown.keys() == wanted.keys()
        for name, values in wanted.items():
            assert shown[name] == pytest.approx(values, rel=1e-6), name


class Failing:
    """A tracker whose server is gone after a step."""

    def __init__(self, run):
        self.shown = {}
        self.closed = False

    def log(self, step, values):
        if step > 4:
            raise ConnectionError("[bold]gone[/bold]")
        self.shown[step] = values

    def close(self):
        raise AssertionError("it was left out")


def test_a_tracker_that_fails_is_named_and_left_out_and_the_run_goes_on(
    unbroken, dataset, tmp_path, monkeypatch, capsys
):
    made = []

    def make(run):
        made.append(Failing(run))
        return made[0]

    load = registry.load
    monkeypatch.setattr(registry, "load", lambda *name: make if name[1] == "x" else load(*name))
    assert train(config(), dataset, tmp_path / "run", trackers=["x"])
    assert params(tmp_path / "run") == params(unbroken)
    assert sorted(made[0].shown) == [2, 4]
    said = capsys.readouterr().err
    assert said.count("tracker x is left out from now on: ConnectionError: [bold]gone[/bold]") == 1


@pytest.mark.parametrize(
    ("name", "missing", "sentence"),
    [
        ("tensorboard", "tensorboardX", r"needs the package tensorboardX: .*\[tensorboard\]"),
        ("wandb", "wandb", r"needs the package wandb: .*\[wandb\]"),
        ("mlflow", "mlflow", r"needs the package mlflow: .*\[mlflow\]"),
        ("mlflow", None, "--track mlflow needs the server in MLFLOW_TRACKING_URI, such as"),
        ("tensorbord", None, "unknown tracker 'tensorbord'; did you mean 'tensorboard'?"),
    ],
)
def test_a_tracker_that_cannot_be_used_is_refused_and_nothing_is_written(
    dataset, tmp_path, monkeypatch, name, missing, sentence
):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if missing:
        monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(BadInput, match=sentence):
        train(config(), dataset, tmp_path / "run", trackers=[name])
    assert not (tmp_path / "run").exists()
