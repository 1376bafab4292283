"""`openai:MODEL@URL` against a server that fails in every way that servers do."""

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import time
from collections import Counter

import pyarrow.compute as pc
import pytest

from clrs_text_bench import modelspec
from clrs_text_bench.errors import BadInput, RunFailed
from clrs_text_bench.evaluators.evaluate import evaluate

from ... import command, tiny_data
from .faulty_server import KEY, serving
from .served import ask, right, rows_of, truths

FAULTS = {
    429: "HTTP 429",
    408: "HTTP 408",
    500: "HTTP 500",
    503: "HTTP 503",
    "drop": "the connection broke (RemoteProtocolError)",
    "cut": "the connection broke (RemoteProtocolError)",
    "hang": "no whole reply within 1.5 s",
    "half": "the reply is no whole JSON (application/json)",
    "html": "the reply is no whole JSON (text/html)",
    b"[1]": "the reply has no choices (application/json)",
    b"{}": "the reply has no choices (application/json)",
    b'{"choices": []}': "the reply has 0 choices, expected 1 (application/json)",
    b'{"choices": [{"text": "a"}, {"text": "b"}]}': (
        "the reply has 2 choices, expected 1 (application/json)"
    ),
    b'{"choices": [{"text": 7}]}': "the reply's choice has no text (application/json)",
    b'{"choices": [7]}': "the reply's choice is no object (application/json)",
    b"[" * 100_000: "the reply is no whole JSON (application/json)",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: str(f)[:30])
def test_what_passes_is_tried_again(dataset, truth, fault):
    rows = rows_of(dataset)
    with serving(truth.__getitem__, fault=lambda n, _: fault if n < 3 else None) as server:
        found, account = ask(server, rows, f"prompt=plain&timeout={_timeout(fault)}")
        assert right(found, rows) == [True] * 10
        assert account.failures == {}
        assert len(server.asked) == 10 + account.retries
        assert account.retries >= 3 if fault == "hang" else account.retries == 3


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: str(f)[:30])
def test_what_stays_is_an_error_that_a_rerun_asks_for_alone(dataset, truth, fault):
    rows = rows_of(dataset)
    poison = rows["question"][4].as_py()
    with serving(
        truth.__getitem__, fault=lambda _, body: fault if body["prompt"] == poison else None
    ) as server:
        found, account = ask(server, rows, f"prompt=plain&timeout={_timeout(fault)}&retries=1")
        assert right(found, rows) == [True] * 4 + [False] + [True] * 5
        assert found["prediction"][4].as_py() == ""
        assert found["finish_reason"].to_pylist() == ["stop"] * 4 + ["error"] + ["stop"] * 5
        assert account.failures == {FAULTS[fault]: 1}
        asked = len(server.asked)
        server.fault = lambda *_: None
        found, account = ask(server, rows)
        assert right(found, rows) == [True] * 10
        assert (account.asked.answers, account.kept.answers) == (1, 9)
        assert [one["prompt"] for one in server.asked[asked:]] == [poison]


def _timeout(fault):
    """Returns what a busy machine answers within, but for what never will be answered."""
    return 1.5 if fault == "hang" else 60


def test_what_a_request_itself_is_refused_for_is_not_tried_again(dataset, truth):
    rows = rows_of(dataset)
    poison = rows["question"][4].as_py()
    with serving(
        truth.__getitem__, fault=lambda _, body: 400 if body["prompt"] == poison else None
    ) as server:
        found, account = ask(server, rows)
        assert right(found, rows).count(True) == 9
        assert (account.retries, account.failures) == (0, {"HTTP 400 (no [2J None)": 1})


@pytest.mark.parametrize("as_date", [False, True])
def test_all_requests_wait_as_long_as_the_server_asks(dataset, truth, as_date):
    after = "0.4"
    if as_date:
        after = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 2))
    rows = rows_of(dataset)
    with serving(
        truth.__getitem__,
        fault=lambda n, _: 429 if n == 0 else None,
        headers={"Retry-After": after},
    ) as server:
        _, account = ask(server, rows, "prompt=plain&concurrency=1")
        first, second = (one["at"] for one in server.asked[:2])
        assert second - first >= (0.9 if as_date else 0.39)
        assert account.retries == 1
        assert len(server.asked) == 11


def test_a_server_that_asks_to_wait_an_hour_is_not_waited_for(dataset, truth):
    rows = rows_of(dataset).slice(0, 1)
    with serving(
        truth.__getitem__, fault=lambda *_: 503, headers={"Retry-After": "3600"}
    ) as server:
        _, account = ask(server, rows)
        assert account.failures == {"HTTP 503, and the server asks to wait 3600 s": 1}


def test_ten_megabytes_are_an_answer_and_ninety_are_not(dataset):
    rows = rows_of(dataset).slice(0, 1)
    with serving(lambda prompt: "[0.1 " * 2_000_000) as server:
        began = time.process_time()
        found, _ = ask(server, rows)
        assert found["prediction"][0].as_py() == "[0.1 " * 2_000_000
        assert time.process_time() - began < 5
    with serving(lambda prompt: "x" * 90_000_000) as server:
        _, account = ask(server, rows)
        assert account.failures == {"the reply is longer than 64 MiB": 1}


def test_an_answer_that_is_no_text_in_unicode_or_empty_is_read(dataset):
    rows = rows_of(dataset).slice(0, 1)
    odd = {"message": {"content": None}, "finish_reason": "length"}
    for choice, text, reason in (
        (odd, "", "length"),
        ({"message": {"content": "1 \ud800"}, "finish_reason": None}, "1 ?", "stop"),
        ({"message": {"content": "a\0b"}, "finish_reason": "content_filter"}, "a\0b", "stop"),
    ):
        data = json.dumps({"choices": [choice], "usage": {"completion_tokens": -1}}).encode()
        with serving(str, fault=lambda *_, data=data: data) as server:
            found, account = ask(server, rows, "prompt=chat")
            again, _ = ask(server, rows, "prompt=chat")
        assert found["prediction"].to_pylist() == again["prediction"].to_pylist() == [text]
        assert found["finish_reason"].to_pylist() == [reason]
        assert found["n_tokens"].to_pylist() == [None]
        assert account.answered_by == ()


def test_a_wrong_key_stops_at_once_and_is_said_nowhere(dataset, truth, monkeypatch, tmp_path):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(truth.__getitem__, fault=lambda *_: 401) as server:
        spec = f"openai:tiny@{server.url}?prompt=plain&concurrency=2"
        said = command.sentence(
            "evaluate", spec, "--data", dataset.url, "--results", tmp_path / "results"
        )
        assert said == (
            f"{server.url}/completions answers HTTP 401: it does not accept the key in "
            "OPENAI_API_KEY"
        )
        assert len(server.asked) <= 2
        assert server.asked[0]["key"] == f"Bearer {KEY}"
        monkeypatch.delenv("OPENAI_API_KEY")
        with pytest.raises(BadInput, match="it wants a key; put it in the environment variable"):
            ask(server, rows_of(dataset))


def test_the_key_is_written_nowhere(dataset, truth, monkeypatch, tmp_path):
    monkeypatch.setenv("OTHER_KEY", KEY)
    poison = next(iter(truth))
    with serving(
        truth.__getitem__, fault=lambda _, body: 400 if body["prompt"] == poison else None
    ) as server:
        done = command.run(
            *("evaluate", f"openai:tiny@{server.url}?prompt=plain&key=OTHER_KEY"),
            *("--data", dataset.url, "--results", tmp_path / "results", "--save-predictions"),
        )
        assert {one["key"] for one in server.asked} == {f"Bearer {KEY}"}
    assert "HTTP 400 (no [2J Bearer ***)" in done.stderr
    assert KEY not in done.stdout + done.stderr
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in written} == {".json", ".parquet", ".sqlite"}
    assert not [path for path in written if KEY.encode() in path.read_bytes()]


@pytest.mark.parametrize("status", [404, 405, 301])
def test_a_wrong_url_stops_at_once(dataset, truth, status):
    with (
        serving(truth.__getitem__, fault=lambda *_: status) as server,
        pytest.raises(BadInput, match=rf"/v1/completions answers HTTP {status}.*: is the URL that"),
    ):
        ask(server, rows_of(dataset))
    assert len(server.asked) <= 8


def test_a_server_that_is_gone_ends_the_run_with_an_account(dataset, truth):
    rows = rows_of(dataset)
    with serving(truth.__getitem__, fault=lambda n, _: "drop" if n >= 3 else None) as server:
        model = modelspec.load(f"openai:tiny@{server.url}?prompt=plain&retries=0&concurrency=1")
        assert pc.sum(pc.equal(model.generate(rows)["finish_reason"], "error")).as_py() == 7
        with pytest.raises(RunFailed, match=r"last 10 requests were given up, .*; 3 answers"):
            model.generate(rows_of(dataset, "minimum"))
        server.fault = lambda *_: None
        found, account = ask(server, rows)
        assert right(found, rows) == [True] * 10
        assert (account.asked.answers, account.kept.answers) == (7, 3)


def test_a_server_that_refuses_everything_ends_the_run(dataset, truth):
    with (
        serving(truth.__getitem__, fault=lambda *_: 400) as server,
        pytest.raises(RunFailed, match="the last 10 requests were given up"),
    ):
        ask(server, rows_of(dataset))
    assert len(server.asked) <= 18


def test_a_damaged_or_newer_cache_is_named(dataset, truth, tmp_path):
    with serving(truth.__getitem__) as server:
        for data, said in ((b"no database" * 99, "cannot use the kept answers"), (None, "newer")):
            folder = tmp_path / said
            folder.mkdir()
            if data is None:
                with sqlite3.connect(folder / "answers.sqlite") as database:
                    database.execute("PRAGMA user_version = 99")
            else:
                (folder / "answers.sqlite").write_bytes(data)
            with pytest.raises(BadInput, match=said):
                ask(server, rows_of(dataset), f"prompt=plain&cache={folder}")
        assert not server.asked


@pytest.fixture(scope="module")
def thousand(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "thousand"
    return tiny_data.write(folder, {"test": [6, 8]}, samples=500, algorithms=["insertion_sort"])


@pytest.mark.slow
def test_a_thousand_requests_with_three_in_ten_failing_lose_nothing(thousand, tmp_path):
    truth = truths(thousand)
    kinds = [429, 500, 503, "drop", "cut", "half", "html", b"{}", b'{"choices": []}']
    rng = random.Random(0)

    def fault(number, body):
        return rng.choice(kinds) if rng.random() < 0.3 else None

    with serving(truth.__getitem__, fault=fault) as server:
        spec = f"openai:tiny@{server.url}?prompt=plain&retries=2&concurrency=16"
        first = evaluate(spec, thousand.url, results=tmp_path)
        rows = first.rows.to_pylist()
        errors = sum(row["errors"] for row in rows)
        # 0.3 to the third power of a thousand.
        assert 10 <= errors <= 50
        assert sum(first.account.failures.values()) == errors
        assert [row["incomplete"] for row in rows] == [row["errors"] > 0 for row in rows]
        assert sum(row["n"] for row in rows) == 1000
        # Errors stay in the denominator, as answers that score 0.
        for row in rows:
            assert row["exact"] == pytest.approx(1 - row["errors"] / 500)
        assert first.account.asked.answers == 1000 - errors
        assert len(server.asked) == 1000 + first.account.retries
        assert set(server.answered.values()) == {1}

        server.fault = lambda *_: None
        before = len(server.asked)
        second = evaluate(spec, thousand.url, results=tmp_path)
        assert len(server.asked) - before == second.account.asked.answers == errors
        assert second.run == first.run
        assert [(r["exact"], r["errors"]) for r in second.rows.to_pylist()] == [(1, 0)] * 2
        assert server.answered == Counter(truth.keys())


@pytest.mark.slow
def test_a_run_that_is_killed_pays_for_nothing_twice(thousand, tmp_path):
    truth = truths(thousand)
    with serving(truth.__getitem__, delay=0.004) as server:
        spec = f"openai:tiny@{server.url}?prompt=plain&concurrency=4"
        arguments = ("evaluate", spec, "--data", thousand.url, "--results", tmp_path / "results")
        process = subprocess.Popen(
            [command.PROGRAM, *map(str, arguments)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=command.surroundings(),
        )
        while len(server.asked) < 300:
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.1)
        assert len(server.asked) < 1000
        done = command.run(*arguments)
        # What was under way when it was killed, and no more, is asked again.
        assert 1000 <= len(server.asked) <= 1000 + 4
        assert set(server.answered) == set(truth)
    said = re.search(r"([\d,]+) answers were asked for now, (\d+) had been before", done.stderr)
    assert int(said[1].replace(",", "")) + int(said[2]) in range(500, 1001)
    assert "1,000" in done.stdout
