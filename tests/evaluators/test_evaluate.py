import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from clrs_text_bench import predictions, schema
from clrs_text_bench.errors import BadInput, RunFailed
from clrs_text_bench.evaluators import evaluate as evaluation
from clrs_text_bench.evaluators import leaderboard
from clrs_text_bench.evaluators.evaluate import evaluate
from clrs_text_bench.protocols import ModelInfo

from .. import tiny_data


class Stub:
    """A model that answers with a function of the request's row."""

    def __init__(self, answer, info=None, finish=lambda row: "stop"):
        self.answer = answer
        self.finish = finish
        self.given = []
        self._info = info or ModelInfo("stub", 12, train_lengths=(4, 5), train_seed=7)

    def prepare(self, dataset):
        self.dataset = dataset

    def info(self):
        return self._info

    def generate(self, requests):
        self.given.append(requests)
        rows = [
            {name: row[name] for name in schema.IDENTITY}
            | {
                "prediction": self.answer(row),
                "finish_reason": self.finish(row),
                "n_tokens": 3,
                "seconds": 0.5,
            }
            for row in requests.to_pylist()
        ]
        return pa.Table.from_pylist(rows, schema=schema.PREDICTIONS)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "tiny"
    return tiny_data.write(folder, {"train": [4], "test": [4, 6]}, samples=20)


@pytest.fixture(scope="module")
def truths(dataset):
    rows = [r for split in ("train", "test") for r in tiny_data.rows(dataset, split).to_pylist()]
    return {tuple(row[name] for name in schema.IDENTITY): row["answer"] for row in rows}


def key(row):
    return tuple(row[name] for name in schema.IDENTITY)


@pytest.fixture
def half_right(truths):
    """Right where the index is even, else of the right shape but wrong."""

    def answer(row):
        if row["index"] % 2 == 0:
            return truths[key(row)]
        if row["algo_name"] == "minimum":
            return str(row["length"] + 1)
        return f"[{' '.join(['2'] * row['length'])}]"

    return answer


def rows_of(found):
    return {(r["algorithm"], r["length"]): r for r in found.rows.to_pylist()}


def test_scores_regimes_and_costs(dataset, half_right, tmp_path):
    found = evaluate(Stub(half_right), dataset.url, results=tmp_path)
    rows = rows_of(found)
    assert list(rows) == [
        ("insertion_sort", 4),
        ("insertion_sort", 6),
        ("minimum", 4),
        ("minimum", 6),
    ]
    for (algorithm, length), row in rows.items():
        assert (row["shape"], row["parse"], row["clrs"], row["exact"]) == (1, 1, 0.5, 0.5)
        assert 0.2 < row["clrs_low"] < 0.5 < row["clrs_high"] < 0.8
        assert row["regime"] == {4: "in-distribution", 6: "extrapolation"}[length]
        assert row["family"] == {"minimum": "searching", "insertion_sort": "sorting"}[algorithm]
        assert (row["n"], row["errors"], row["missing"], row["incomplete"]) == (20, 0, 0, False)
        assert (row["seconds"], row["n_tokens"]) == (10.0, 60)
        assert (row["model"], row["spec"], row["n_parameters"]) == ("stub", "Stub", 12)
        assert (row["train_lengths"], row["train_seed"]) == ([4, 5], 7)
        assert (row["split"], row["use_hints"], row["limit"]) == ("test", False, None)
        assert (row["dataset"], row["dataset_hash"]) == (dataset.url, dataset.hash)
        assert json.loads(row["versions"])["numpy"] == np.__version__
        assert row["trace_share"] is None
    assert leaderboard.frame_of([found.rows]).equals(
        leaderboard.read(leaderboard.results_folder(tmp_path))
    )
    kept = leaderboard.read_scores(leaderboard.results_folder(tmp_path), found.run)
    assert kept.equals(found.scores)
    assert kept.column_names == [*schema.SCORES.names, "finish_reason"]
    assert sorted(os.listdir(tmp_path)) == ["leaderboard", "predictions", "scores"]
    assert os.listdir(tmp_path / "predictions") == []


def test_a_model_cannot_see_the_answers(dataset):
    stub = Stub(lambda row: "0")
    evaluate(stub, dataset.url)
    for table in stub.given:
        assert table.schema.names == schema.DATASET.names
        for hidden in ("answer", "graph_outputs", "graph_hints"):
            assert table[hidden].null_count == table.num_rows
        assert table["question"].null_count == table["graph_inputs"].null_count == 0


def test_missing_answers_and_errors_stay_in_the_denominator(dataset, truths):
    stub = Stub(
        lambda row: None if row["index"] < 3 else truths[key(row)],
        finish=lambda row: "error" if row["index"] < 8 else "stop",
    )
    for row in rows_of(evaluate(stub, dataset.url)).values():
        assert (row["n"], row["missing"], row["errors"]) == (20, 3, 5)
        assert row["incomplete"]
        assert row["shape"] == row["clrs"] == row["exact"] == 12 / 20


def test_limit_takes_the_first_of_each_cell(dataset):
    stub = Stub(lambda row: "0")
    found = evaluate(stub, dataset.url, limit=3)
    assert [row["n"] for row in rows_of(found).values()] == [3] * 4
    assert [t["index"].to_pylist() for t in stub.given] == [[0, 1, 2]] * 4
    assert [row["limit"] for row in rows_of(found).values()] == [3] * 4


def test_only_what_was_chosen_is_asked(dataset):
    found = evaluate(
        Stub(lambda row: "0"), dataset.url, split="train", algorithms=["minimum"], lengths=[4]
    )
    assert list(rows_of(found)) == [("minimum", 4)]
    assert found.rows["split"].to_pylist() == ["train"]


def test_a_model_is_given_a_bounded_number_of_rows(dataset, half_right, monkeypatch):
    whole = evaluate(Stub(half_right), dataset.url)
    monkeypatch.setattr("clrs_text_bench.evaluators.answers._CHUNK", 7)
    stub = Stub(half_right)
    found = evaluate(stub, dataset.url)
    assert {table.num_rows for table in stub.given} == {7, 6}
    assert found.scores.equals(whole.scores)


def test_the_run_id_is_of_what_was_asked(dataset, half_right):
    def run(info=None, **kwargs):
        return evaluate(Stub(half_right, info), dataset.url, **kwargs).run

    ids = [
        run(),
        run(ModelInfo("stub", 12, train_lengths=(4, 5), train_seed=8)),
        run(ModelInfo("stub", 12, train_lengths=(4, 5), train_seed=7, settings={"a": 1})),
        run(lengths=[4]),
        run(algorithms=["minimum"]),
        run(limit=5),
        run(extraction="lenient"),
        run(split="train"),
        run(name="other"),
    ]
    assert len(set(ids)) == len(ids)
    assert run() == ids[0]
    assert ids[-1].startswith("other-")


def test_the_same_evaluation_twice_is_one_run(dataset, half_right, tmp_path):
    for _ in range(2):
        evaluate(Stub(half_right), dataset.url, results=tmp_path)
    assert len(leaderboard.read(leaderboard.results_folder(tmp_path))) == 4


def test_saved_predictions_can_be_scored_again(dataset, half_right, tmp_path):
    found = evaluate(Stub(half_right), dataset.url, results=tmp_path, save_predictions=True)
    folder = tmp_path / "predictions" / found.run
    assert len(list(folder.glob("*.parquet"))) == 4
    assert predictions.record(folder)["model"]["train_seed"] == 7
    again = evaluate(f"file:{folder}", dataset.url)
    assert again.scores.equals(found.scores)
    for column in ("model", "train_lengths", "train_seed", "regime", "n_tokens", "seconds"):
        assert again.rows[column].equals(found.rows[column])
    assert again.run != found.run


class Broken(Exception):
    pass


def failing_at(algorithm, length, answer, error):
    def fail(row):
        if (row["algo_name"], row["length"]) == (algorithm, length):
            raise error
        return answer(row)

    return fail


def test_a_model_that_breaks_is_named_and_its_finished_cells_are_kept(
    dataset, half_right, tmp_path
):
    broken = Stub(failing_at("minimum", 4, half_right, Broken("out of ink")))
    with pytest.raises(RunFailed, match="minimum at length 4: Broken: out of ink") as caught:
        evaluate(broken, dataset.url, results=tmp_path)
    assert "model 'stub' (Stub) failed" in str(caught.value)
    assert "test_evaluate.py:" in str(caught.value)
    assert isinstance(caught.value.__cause__, Broken)
    assert not (tmp_path / "leaderboard").exists()
    mended = Stub(half_right)
    found = evaluate(mended, dataset.url, results=tmp_path)
    assert [t["algo_name"][0].as_py() for t in mended.given] == ["minimum", "minimum"]
    whole = evaluate(Stub(half_right), dataset.url)
    assert found.scores.equals(whole.scores)
    volatile = ["created", "command", "versions"]
    assert found.rows.drop_columns(volatile).equals(whole.rows.drop_columns(volatile))


def test_bad_input_of_a_model_passes_through(dataset, half_right):
    stub = Stub(failing_at("minimum", 4, half_right, BadInput("no ink left")))
    with pytest.raises(BadInput, match=r"^no ink left$"):
        evaluate(stub, dataset.url)


def test_bad_input_before_the_first_finished_cell_leaves_nothing(dataset, half_right, tmp_path):
    stub = Stub(failing_at("insertion_sort", 4, half_right, BadInput("no ink left")))
    with pytest.raises(BadInput):
        evaluate(stub, dataset.url, results=tmp_path)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "change",
    [
        {"info": ModelInfo("stub", 12, train_lengths=(4, 5), train_seed=7, checkpoint="other")},
        {"versions": {"numpy": "0"}},
    ],
)
def test_kept_answers_of_another_model_or_version_are_not_used(
    dataset, half_right, tmp_path, monkeypatch, change
):
    stub = Stub(half_right)
    evaluate(stub, dataset.url, results=tmp_path, save_predictions=True)
    if "versions" in change:
        monkeypatch.setattr("clrs_text_bench.provenance.versions", lambda: change["versions"])
    second = Stub(half_right, change.get("info"))
    evaluate(second, dataset.url, results=tmp_path, save_predictions=True)
    assert len(second.given) == 4


def test_kept_answers_are_used_when_all_is_the_same(dataset, half_right, tmp_path):
    evaluate(Stub(half_right), dataset.url, results=tmp_path, save_predictions=True)
    second = Stub(half_right)
    evaluate(second, dataset.url, results=tmp_path)
    assert second.given == []


@pytest.mark.parametrize("kind", ["missing", "damaged", "foreign"])
def test_kept_cells_that_cannot_be_used_are_answered_again(dataset, half_right, tmp_path, kind):
    gaps = (lambda row: None if row["index"] == 3 else "0") if kind == "missing" else half_right
    run = evaluate(Stub(gaps), dataset.url, results=tmp_path, save_predictions=True).run
    path = tmp_path / "predictions" / run / "minimum-4.parquet"
    if kind == "damaged":
        path.write_bytes(path.read_bytes()[:-20])
    if kind == "foreign":
        pq.write_table(pa.table({"a": [1]}), path)
    second = Stub(half_right)
    found = evaluate(second, dataset.url, results=tmp_path)
    assert len(second.given) == (4 if kind == "missing" else 1)
    assert rows_of(found)["minimum", 4]["clrs"] == 0.5


_KILLED = """
import sys, time
sys.path.insert(0, sys.argv[1])
import pyarrow as pa
from clrs_text_bench import schema
from clrs_text_bench.evaluators.evaluate import evaluate
from clrs_text_bench.protocols import ModelInfo

class Slow:
    def prepare(self, dataset): pass
    def info(self): return ModelInfo("slow", train_lengths=(4,))
    def generate(self, requests):
        print(requests["algo_name"][0], requests["length"][0], flush=True)
        time.sleep(float(sys.argv[4]))
        rows = [
            {n: r[n] for n in schema.IDENTITY}
            | {"prediction": "[0.1 0.2]" if r["index"] % 3 else "1", "finish_reason": "stop"}
            for r in requests.to_pylist()
        ]
        return pa.Table.from_pylist(rows, schema=schema.PREDICTIONS)

evaluate(Slow(), sys.argv[2], results=sys.argv[3])
"""


def slow(dataset, results, seconds):
    arguments = [str(Path(__file__).parent), dataset.url, str(results), str(seconds)]
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _KILLED, *arguments], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_a_killed_evaluation_goes_on_where_it_was(dataset, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    process = slow(dataset, whole, 0)
    assert len(process.communicate(timeout=60)[0].splitlines()) == 4
    asked = []
    for _ in range(2):
        process = slow(dataset, killed, 0.6)
        asked.append(process.stdout.readline())
        assert process.stdout.readline()  # the second cell that it answers has begun
        time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        assert not (killed / "leaderboard").exists()
    rest, _ = slow(dataset, killed, 0).communicate(timeout=60)
    assert asked == ["insertion_sort 4\n", "insertion_sort 6\n"]
    assert rest.splitlines() == ["minimum 4", "minimum 6"]
    frames = [leaderboard.read(leaderboard.results_folder(f)) for f in (whole, killed)]
    ours, theirs = (f.drop(columns=["created", "command", "git_commit"]) for f in frames)
    assert ours.equals(theirs)
    scores = [
        leaderboard.read_scores(leaderboard.results_folder(f), frames[0]["run"][0])
        for f in (whole, killed)
    ]
    assert scores[0].equals(scores[1])
    assert os.listdir(killed / "predictions") == []


def returning(change):
    """A model whose answers are changed on their way out."""

    class Odd(Stub):
        def generate(self, requests):
            return change(super().generate(requests))

    return Odd(lambda row: "0")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.to_pylist(), "returned a list for insertion_sort at length 4, expected a py"),
        (lambda t: t.drop_columns(["seconds"]), "returned no column 'seconds'"),
        (lambda t: t.slice(1), "returned 19 rows for insertion_sort at length 4, expected 20"),
        (lambda t: t.take(pa.array(range(19, -1, -1))), "changed or in another order"),
        (
            lambda t: t.set_column(5, "prediction", pa.array([b"\xff"] * 20)),
            "returned columns of wrong types",
        ),
        (
            lambda t: t.set_column(6, "finish_reason", pa.array(["eos"] * 20)),
            "returned finish_reason 'eos' .* expected one of stop, length, error",
        ),
    ],
)
def test_what_a_model_returns_is_checked(dataset, change, message):
    with pytest.raises(BadInput, match=f"^model 'stub' .Odd. .*{message}"):
        evaluate(returning(change), dataset.url)


def test_a_model_may_return_wider_types_and_more_columns(dataset, half_right):
    class Wide(Stub):
        def generate(self, requests):
            table = super().generate(requests)
            tokens = pc.cast(table["n_tokens"], pa.int64())
            table = table.set_column(7, "n_tokens", tokens)
            return table.append_column("more", pa.nulls(len(table)))

    found = evaluate(Wide(half_right), dataset.url)
    assert found.scores.equals(evaluate(Stub(half_right), dataset.url).scores)


def test_no_answer_at_all_is_an_error(dataset, tmp_path):
    with pytest.raises(BadInput, match="has no answer at all to split test"):
        evaluate(Stub(lambda row: None), dataset.url, results=tmp_path)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_settings_that_are_no_json_are_named(dataset):
    stub = Stub(lambda row: "0", ModelInfo("stub", settings={"path": Path("a")}))
    with pytest.raises(BadInput, match=r"model 'stub' .* JSON cannot hold"):
        evaluate(stub, dataset.url)


class Judge:
    scores = ("flair",)

    def __init__(self, result):
        self.result = result

    def score(self, predictions, references, *, extraction):
        return self.result(predictions, references)


@pytest.fixture
def judged_by(monkeypatch):
    def use(result):
        monkeypatch.setattr(evaluation.registry, "load", lambda group, name: Judge(result))

    return use


def test_another_evaluator_has_its_own_scores(dataset, judged_by, tmp_path):
    judged_by(lambda p, r: pa.table({"flair": [0.25] * len(p), "mood": ["good"] * len(p)}))
    found = evaluate(Stub(lambda row: "0"), dataset.url, evaluator="art", results=tmp_path)
    frame = leaderboard.read(leaderboard.results_folder(tmp_path))
    assert leaderboard.score_names(frame) == ["flair"]
    assert frame["flair"].tolist() == [0.25] * 4
    assert found.scores["mood"].to_pylist() == ["good"] * 80


def test_an_evaluator_sees_no_text_of_errors(dataset, judged_by):
    seen = []

    def judge(predictions, references):
        seen.extend(predictions["prediction"].to_pylist())
        assert references["answer"].null_count == 0
        return pa.table({"flair": [0.0] * len(predictions)})

    judged_by(judge)
    evaluate(
        Stub(lambda row: "0", finish=lambda row: "error" if row["index"] else "stop"), dataset.url
    )
    assert seen == (["0"] + [None] * 19) * 4


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda p, r: pa.table({"flair": [1.0]}), "returned 1 rows, expected 20"),
        (lambda p, r: pa.table({"dash": [1.0] * len(p)}), "returned no column 'flair'"),
        (lambda p, r: pa.table({"flair": [1.5] * len(p)}), "a score 'flair' outside 0..1"),
        (lambda p, r: pa.table({"flair": [float("nan")] * len(p)}), "outside 0..1"),
    ],
)
def test_what_an_evaluator_returns_is_checked(dataset, judged_by, result, message):
    judged_by(result)
    with pytest.raises(BadInput, match=message):
        evaluate(Stub(lambda row: "0"), dataset.url)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"limit": 0}, "limit 0 is below 1"),
        ({"split": "tset"}, "unknown split of .* 'tset'; did you mean 'test'"),
        ({"algorithms": ["minimun"]}, "unknown algorithm 'minimun'; did you mean 'minimum'"),
        ({"algorithms": ["bfs"]}, "unknown algorithm of split test of .* 'bfs'"),
        ({"lengths": [5]}, "split test of .* has no length 5; it has 4,6"),
        ({"evaluator": "clrs-txet"}, "unknown evaluator 'clrs-txet'; did you mean 'clrs-text'"),
        ({"save_predictions": True}, "only be saved in a results folder"),
    ],
)
def test_what_cannot_be_asked_is_named(dataset, asked, message):
    with pytest.raises(BadInput, match=message):
        evaluate(Stub(lambda row: "0"), dataset.url, **asked)


def test_the_split_must_be_chosen_if_there_is_no_test(tmp_path):
    two = tiny_data.write(tmp_path / "two", {"a": [4], "b": [4]}, samples=2)
    with pytest.raises(BadInput, match="has splits a, b; choose one with --split"):
        evaluate(Stub(lambda row: "0"), two.url)
    one = tiny_data.write(tmp_path / "one", {"a": [4]}, samples=2)
    assert evaluate(Stub(lambda row: "0"), one.url).rows["split"].to_pylist() == ["a", "a"]


def test_a_results_folder_that_cannot_be_written_is_told_before_the_work(dataset, tmp_path):
    (tmp_path / "file").write_text("")
    stub = Stub(lambda row: "0")
    with pytest.raises(BadInput, match=r"cannot write request.json of .*/file/results/"):
        evaluate(stub, dataset.url, results=tmp_path / "file" / "results")
    assert stub.given == []
