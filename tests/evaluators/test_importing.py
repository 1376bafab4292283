"""Other harnesses' logs, in the forms that lm-eval 0.4.13 and Inspect 0.3.285 write them in."""

import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clrs_text_bench import predictions, schema
from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import leaderboard
from clrs_text_bench.evaluators.importing.importing import import_results

from .. import tiny_data


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "tiny"
    return tiny_data.write(folder, {"train": [4], "test": [4, 6]}, samples=3)


@pytest.fixture(scope="module")
def asked(dataset):
    """The rows of two cells out of four."""
    return [row for row in tiny_data.rows(dataset).to_pylist() if row["length"] == 4]


def chatty(row):
    return f"Well, sorted: {row['answer'].rstrip()}"


def lm_eval_line(place, row, completion, filter_="none", doc=None):
    """A line as `lm_eval --log_samples` writes it for a generate_until task on our files."""
    return {
        "doc_id": place,
        "doc": row if doc is None else doc,
        "target": row["answer"],
        "arguments": {
            "gen_args_0": {
                "arg_0": row["question"],
                "arg_1": {"do_sample": False, "max_gen_toks": 2048, "until": ["\n\n"]},
            }
        },
        "resps": [[completion]],
        "filtered_resps": ["cut out" if filter_ == "last" else completion],
        "filter": filter_,
        "metrics": ["exact_match"],
        "doc_hash": "0" * 64,
        "prompt_hash": "0" * 64,
        "target_hash": "0" * 64,
        "exact_match": 0.0,
    }


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def identity(row):
    return tuple(row[name] for name in schema.IDENTITY)


def answers(path):
    rows = predictions.read(path).to_pylist()
    return {identity(row): row["prediction"] for row in rows}


def test_lm_eval_logs_are_read_as_the_model_wrote_them_whatever_was_filtered(
    dataset, asked, tmp_path
):
    lines = [
        lm_eval_line(place, row, chatty(row), filter_)
        for filter_ in ("none", "last")
        for place, row in enumerate(asked)
    ]
    log = write(tmp_path / "samples_tiny_2026-11-25T23-07-50.303981.jsonl", lines)
    joined = import_results([log], dataset.url, tmp_path / "a.parquet", name="m")
    assert answers(tmp_path / "a.parquet") == {identity(row): chatty(row) for row in asked}
    assert len(joined.repeated) == len(asked) == 6
    assert joined.repeated[0] == f"line 7 of {log} answers what line 1 of {log} does"
    assert joined.contradicted == joined.unknown == joined.missing == []
    record = predictions.record(tmp_path / "a.parquet")
    assert record["model"]["name"] == "m"
    assert record["model"]["settings"] == {
        "imported_from": "lm-eval",
        "generation": '{"do_sample": false, "max_gen_toks": 2048, "until": ["\\n\\n"]}',
    }


def test_logs_of_several_tasks_are_one_models(dataset, asked, tmp_path):
    halves = [
        write(tmp_path / f"samples_{k}.jsonl", [lm_eval_line(0, r, chatty(r)) for r in asked[k::2]])
        for k in (0, 1)
    ]
    import_results(halves, dataset.url, tmp_path / "a.parquet")
    assert len(answers(tmp_path / "a.parquet")) == 6
    assert set(predictions.record(tmp_path / "a.parquet")["logs"]) == {h.name for h in halves}
    plain = write(tmp_path / "plain.jsonl", [asked[0] | {"prediction": "1"}])
    with pytest.raises(BadInput, match=r"are logs of lm-eval and jsonl; import them apart"):
        import_results([halves[0], plain], dataset.url, tmp_path / "b.parquet")
    assert not (tmp_path / "b.parquet").exists()


def test_the_question_joins_what_has_no_identity(dataset, asked, tmp_path):
    lines = [
        lm_eval_line(place, row, chatty(row), doc={"question": row["question"]})
        for place, row in enumerate(asked)
    ]
    log = write(tmp_path / "samples_tiny.jsonl", lines)
    import_results([log], dataset.url, tmp_path / "a.parquet")
    assert answers(tmp_path / "a.parquet") == {identity(row): chatty(row) for row in asked}


def test_plain_lines_keep_what_they_say(dataset, asked, tmp_path):
    first, second, third = asked[:3]
    rows = [
        {"question": first["question"], "prediction": "a \ud800", "n_tokens": 3, "seconds": 1},
        {name: second[name] for name in schema.IDENTITY}
        | {"prediction": "", "finish_reason": "error"},
        {"question": third["question"], "prediction": None},
    ]
    log = write(tmp_path / "mine.jsonl", rows)
    import_results([log], dataset.url, tmp_path / "a.parquet")
    found = {identity(r): r for r in predictions.read(tmp_path / "a.parquet").to_pylist()}
    assert found[identity(first)]["prediction"] == "a ?"
    assert (found[identity(first)]["n_tokens"], found[identity(first)]["seconds"]) == (3, 1.0)
    assert found[identity(second)]["finish_reason"] == "error"
    assert found[identity(third)]["prediction"] is None
    assert predictions.record(tmp_path / "a.parquet")["model"]["name"] == "mine"


def test_duplicates_strangers_and_gaps_are_counted_and_named(dataset, asked, run, tmp_path):
    rows = [row | {"prediction": "1"} for row in asked[:5]]
    rows += [
        rows[0],
        rows[1] | {"prediction": "2"},
        rows[0] | {"index": 99, "question": None},
        rows[2] | {"question": "minimum:\nkey: [1 2]\nmin:\n"},
        {"question": "who are you?\x1b[2J", "prediction": "1"},
    ]
    log = write(tmp_path / "mine.jsonl", rows)
    code, out, _ = run(
        "import-results", log, "--data", dataset.url, "--out", tmp_path / "a.parquet"
    )
    assert code == 0
    last = asked[5]
    assert out.splitlines() == [
        f"5 answers are in {tmp_path / 'a.parquet'}",
        "3 answers are to no sample of the data set:",
        f"  line 8 of {log}: the data set has no insertion_sort length 4, split test, seed 0, "
        "index 99",
        f"  line 9 of {log}: insertion_sort length 4, split test, seed 0, index 2 asks something "
        r"else than 'minimum:\nkey: [1 2]\nmin:\n'",
        f"  line 10 of {log}: split test has no such question: 'who are you?\\x1b[2J'",
        "1 answers differ from an earlier one to the same sample:",
        f"  line 7 of {log} answers what line 2 of {log} does",
        "1 answers repeat an earlier one:",
        f"  line 6 of {log} answers what line 1 of {log} does",
        "1 samples of the same algorithms and lengths have no answer:",
        f"  {last['algo_name']} length 4, split test, seed 0, index {last['index']}",
    ]
    assert answers(tmp_path / "a.parquet") == {identity(row): "1" for row in asked[:5]}


def test_samples_that_ask_the_same_take_one_answer_each(tmp_path, monkeypatch):
    data = tiny_data.write(tmp_path / "d", {"test": [4]}, samples=2, algorithms=["minimum"])
    (cell,) = data.cells()
    rows = data.read(cell)
    question = rows["question"][0].as_py()
    twice = rows.set_column(0, "question", pa.array([question] * 2, pa.string()))
    monkeypatch.setattr(type(data), "read", lambda *_: twice)
    for count, found in ((1, ["a"]), (2, ["a", "b"]), (3, ["a", "b"])):
        lines = [{"question": question, "prediction": text} for text in "abc"[:count]]
        log = write(tmp_path / "mine.jsonl", lines)
        joined = import_results([log], data.url, tmp_path / "a.parquet")
        assert list(answers(tmp_path / "a.parquet").values()) == found
        assert (len(joined.missing), len(joined.contradicted)) == (2 - len(found), count == 3)


def test_what_was_imported_is_scored_on_what_was_asked_under_any_extraction(
    dataset, asked, run, tmp_path
):
    log = write(tmp_path / "mine.jsonl", [row | {"prediction": chatty(row)} for row in asked])
    run("import-results", log, "--data", dataset.url, "--out", tmp_path / "a.parquet")
    for extraction in ("strict", "lenient"):
        code, *_ = run(
            *("score", tmp_path / "a.parquet", "--data", dataset.url),
            *("--extraction", extraction, "--results", tmp_path / "results"),
        )
        assert code == 0
    frame = leaderboard.read(leaderboard.results_folder(tmp_path / "results"))
    assert set(frame["length"]) == {4}
    assert not frame["incomplete"].any()
    assert dict(zip(frame["extraction"], frame["exact"], strict=True)) == {
        "strict": 0.0,
        "lenient": 1.0,
    }
    assert set(frame["model"]) == {"mine"}


def test_saved_answers_are_scored_again_on_what_was_asked(dataset, run, tmp_path):
    """Beside the run that saved them, and with nothing missing that was not asked."""
    run(
        *("evaluate", "majority", "--data", dataset.url, "-a", "minimum", "-l", "4"),
        *("--limit", "2", "--save-predictions", "--results", tmp_path),
    )
    (saved,) = (tmp_path / "predictions").iterdir()
    score = ("score", saved, "--data", dataset.url, "--results", tmp_path)
    run(*score, "--extraction", "lenient")
    frame = leaderboard.read(leaderboard.results_folder(tmp_path)).set_index("extraction")
    for extraction in ("strict", "lenient"):
        row = frame.loc[extraction]
        assert (row["algorithm"], row["length"], row["n"], row["missing"]) == ("minimum", 4, 2, 0)
    assert frame["run"].nunique() == 2
    _, out, _ = run("leaderboard", "--results", tmp_path, "-l", "4")
    assert "majority (lenient)" in out
    assert "majority (strict)" in out
    run(*score, "-l", "4,6")
    frame = leaderboard.read(leaderboard.results_folder(tmp_path))
    assert frame[frame["length"] == 6]["missing"].sum() == 6


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "is empty"),
        ([{"question": "q"}], "line 1 of .* has no 'prediction'; it must have that, and 'quest"),
        ([{"prediction": "1"}], "line 1 of .* does not say what it answers: it has neither 'qu"),
        ([{"prediction": 1, "question": "q"}], "'prediction' in line 1 of .* is a int, expected"),
        ([{"prediction": "1", "question": []}], "'question' in line 1 of .* is a list, expected"),
        ([{"prediction": "1", "question": "q", "finish_reason": "eos"}], "'eos', none of stop"),
        ([{"prediction": "1", "question": "q", "n_tokens": -1}], "'n_tokens' in line 1 .* is -1"),
        ([{"prediction": "1", "question": "q", "seconds": True}], "'seconds' in line 1 .* is True"),
        (
            [dict(zip(schema.IDENTITY, ("test", "bfs", "4", 0, 0), strict=True), prediction="1")],
            "'length' in line 1 of .* is '4', expected int",
        ),
        ([{"prediction": "1", "question": "q"}], "none of the 1 answers is to a sample of"),
        ([{"doc": {}, "resps": []}], "'resps' in line 1 of .* holds no completion"),
        ([{"doc": {}, "resps": [[]]}], "'resps' in line 1 of .* holds no completion"),
        ([{"doc": {}, "resps": [[[-1.5, True]]]}], "holds no text; .* generate_until"),
        ([{"doc": {}, "resps": [["1"]]}, {"doc": 1, "resps": 2}], "line 2 of .* has no doc and"),
    ],
)
def test_lines_that_cannot_be_used_are_named(dataset, tmp_path, rows, said):
    log = write(tmp_path / "mine.jsonl", rows)
    with pytest.raises(BadInput, match=said):
        import_results([log], dataset.url, tmp_path / "a.parquet")
    assert not (tmp_path / "a.parquet").exists()


def test_files_that_cannot_be_used_are_named(dataset, run, tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("x")
    for module in ("inspect_ai", "inspect_ai.log"):
        monkeypatch.setitem(sys.modules, module, None)
    for file, said in (
        ("a.txt", "a.txt must end in .jsonl"),
        ("b.jsonl", "predictions file "),
        ("c.eval", "needs the package inspect-ai: run `python -m pip install 'clrs-text-bench[ins"),
    ):
        code, _, error = run("import-results", tmp_path / file, "--data", dataset.url)
        assert code == 2
        assert said in error
        assert error.count("\n") == 1
    log = write(tmp_path / "d.jsonl", [])
    code, _, error = run("import-results", log, "--data", dataset.url, "--out", "x.csv")
    assert (code, "--out x.csv must end in .parquet" in error) == (2, True)


@pytest.mark.parametrize("suffix", ["eval", "json"])
def test_inspects_logs(dataset, asked, tmp_path, suffix):
    """Written by Inspect itself."""
    log = pytest.importorskip("inspect_ai.log")
    from inspect_ai.model import ChatMessageUser, ModelOutput, ModelUsage

    usage = ModelUsage(input_tokens=1, output_tokens=7)
    samples = []
    for place, row in enumerate(asked):
        output = ModelOutput.from_content("m", chatty(row))
        output.usage, output.time = usage, 0.5
        samples.append(
            log.EvalSample(
                id=place,
                epoch=1,
                # By question alone, as text and as messages; then by identity.
                input=[
                    row["question"],
                    [ChatMessageUser(content="hello"), ChatMessageUser(content=row["question"])],
                    f"Please sort.\n{row['question']}",
                ][min(place, 2)],
                target=row["answer"],
                metadata={} if place < 2 else {n: row[n] for n in (*schema.IDENTITY, "question")},
                output=output,
            )
        )
    samples[3].output = ModelOutput.from_content("m", "cut", stop_reason="max_tokens")
    samples[4].output = ModelOutput()
    samples.append(samples[0].model_copy(update={"epoch": 2}))
    written = log.EvalLog(
        eval=log.EvalSpec(
            created="2026-11-25T23:07:26+00:00",
            task="tiny",
            dataset=log.EvalDataset(name="tiny"),
            model="openai/some-model",
            config=log.EvalConfig(),
        ),
        status="success",
        samples=samples,
    )
    written.plan.config.temperature = 0.5
    path = tmp_path / f"log.{suffix}"
    log.write_eval_log(written, str(path))
    joined = import_results([path], dataset.url, tmp_path / "a.parquet")
    found = {identity(r): r for r in predictions.read(tmp_path / "a.parquet").to_pylist()}
    assert [found[identity(row)]["prediction"] for row in asked] == [
        *(chatty(row) for row in asked[:3]),
        "cut",
        "",
        chatty(asked[5]),
    ]
    reasons = [found[identity(row)]["finish_reason"] for row in asked]
    assert reasons == ["stop", "stop", "stop", "length", "error", "stop"]
    assert (found[identity(asked[0])]["n_tokens"], found[identity(asked[0])]["seconds"]) == (7, 0.5)
    assert joined.repeated == [
        f"epoch 2 of sample 0 of {path} answers what sample 0 of {path} does"
    ]
    model = predictions.record(tmp_path / "a.parquet")["model"]
    assert model["name"] == "openai/some-model"
    assert json.loads(model["settings"]["generation"]) == {"temperature": 0.5}


@pytest.mark.parametrize("suffix", ["eval", "json"])
def test_a_damaged_log_of_inspects_is_named(dataset, tmp_path, suffix):
    pytest.importorskip("inspect_ai.log")
    (tmp_path / f"log.{suffix}").write_bytes(b"PK\x03\x04 no log")
    with pytest.raises(BadInput, match=r"log\..* is no whole log of Inspect: "):
        import_results([tmp_path / f"log.{suffix}"], dataset.url, tmp_path / "a.parquet")
    with pytest.raises(BadInput, match="does not exist"):
        import_results([tmp_path / f"none.{suffix}"], dataset.url, tmp_path / "a.parquet")


def test_schema_of_what_is_written(dataset, asked, tmp_path):
    log = write(tmp_path / "mine.jsonl", [asked[0] | {"prediction": "1"}])
    import_results([log], dataset.url, tmp_path / "deep" / "a.parquet")
    assert pq.read_schema(tmp_path / "deep" / "a.parquet").equals(schema.PREDICTIONS)
