"""`evaluate openai:MODEL@URL`: dry runs, accounts and flags."""

import asyncio
import json
import re
import sys

import pytest

from clrs_text_bench import modelspec
from clrs_text_bench.errors import BadInput

from ... import command
from .faulty_server import serving
from .served import ask, right, rows_of


def test_a_dry_run_shows_prompts_and_counts_and_asks_nothing(dataset, truth, run, tmp_path):
    with serving(truth.__getitem__) as server:
        spec = f"openai:tiny@{server.url}?max_tokens=15"
        about = ("--data", dataset.url, "--prompt", "plain", "-l", "4", "--price", "1000,10000")
        code, out, _ = run("evaluate", spec, *about, "--dry-run", "--tokenizer", "char")
        assert code == 0
        assert not server.asked
        rows = rows_of(dataset)
        assert f"--- insertion_sort, length 4\n{rows['question'][0].as_py()}\n" in out
        # Every byte is a token of this tokeniser.
        questions = sum(map(len, rows["question"].to_pylist()))
        answers = sum(len(text.rstrip()) for text in rows["answer"].to_pylist())
        table = {line.split("  ")[0]: line.split()[-5:] for line in out.splitlines() if line}
        cost = f"{questions / 1e3 + answers / 1e2:,.4f}"
        assert table["insertion_sort 4"] == ["10", "0", f"{questions}", f"{answers}", cost]
        assert "10 true answers are longer than the model may write; raise max_tokens" in out
        assert "estimated" not in out

        run("evaluate", spec, *about, "--results", tmp_path / "results", "-a", "insertion_sort")
        assert len(server.asked) == 10
        _, out, _ = run("evaluate", spec, *about, "--dry-run")
        table = {line.split("  ")[0]: line.split()[-5:] for line in out.splitlines() if line}
        assert table["insertion_sort 4"] == ["10", "10", "0", "0", "0.0000"]
        assert table["minimum 4"][:2] == ["10", "0"]
        assert "Tokens are estimated" in out
        assert len(server.asked) == 10


def test_an_evaluation_ends_with_an_account(dataset, truth, run, tmp_path):
    rows = rows_of(dataset)
    poison = rows["question"][0].as_py()
    questions = sum(map(len, rows["question"].to_pylist()[1:]))
    answers = sum(len(truth[q]) for q in rows["question"].to_pylist()[1:])
    with serving(
        truth.__getitem__, fault=lambda _, body: 500 if body["prompt"] == poison else None
    ) as server:
        command_line = (
            *("evaluate", f"openai:tiny@{server.url}?prompt=plain&retries=2", "-l", "4"),
            *("-a", "insertion_sort", "--data", dataset.url, "--results", tmp_path / "results"),
            *("--price", "1,10"),
        )
        _, out, error = run(*command_line)
        cost = f"about ${(questions + 10 * answers) / 1e6:,.4f}"
        assert (
            "9 answers were asked for now, 0 had been before, by tiny-2026; 2 requests were sent "
            f"again\ntokens now: {questions} of prompts, {answers} of answers, {cost}\n"
            "1 requests were given up and score 0 (1 x HTTP 500); the same command asks for these "
            "only\n"
        ) in error
        assert "1 errors" in out
        server.fault = lambda *_: None
        _, out, error = run(*command_line)
        assert "1 answers were asked for now, 9 had been before" in error
        assert f"tokens in all: {questions + len(poison)} of prompts" in error
        assert "errors" not in out


def test_the_leaderboard_says_what_prompts_came_to(dataset, truth, run, tmp_path):
    results = ("--results", tmp_path / "results")
    rows = [rows_of(dataset, "minimum", n) for n in (4, 6)]
    questions = [sum(map(len, r["question"].to_pylist())) for r in rows]
    answers = sum(len(truth[q]) for r in rows for q in r["question"].to_pylist())
    about = ("--data", dataset.url, "-a", "minimum", *results)
    run("evaluate", "majority", *about)
    _, before, _ = run("leaderboard", *results)
    with serving(truth.__getitem__) as server:
        spec = f"openai:tiny@{server.url}?prompt=plain"
        assert run("evaluate", spec, *about, "--save-predictions")[0] == 0
        _, out, _ = run("leaderboard", *results)
        assert "prompt tokens" not in before
        assert "dollars" not in out
        table = {line.split()[0]: line.split() for line in out.splitlines()}
        assert table["model"][-2:] == ["prompt", "tokens"]
        assert table["tiny"][-1] == f"{sum(questions):,}"
        assert table["majority"][-1] == "-"
        # Answers that are kept cost what they cost.
        priced = ("--price", "1000,10000", "--save-predictions")
        assert run("evaluate", spec, *about, *priced)[0] == 0
        assert len(server.asked) == 20
    dollars = sum(questions) / 1e3 + answers / 1e2
    _, out, _ = run("leaderboard", *results)
    table = {line.split()[0]: line.split() for line in out.splitlines()}
    assert table["tiny"][-2:] == [f"{sum(questions):,}", f"{dollars:,.4f}"]
    _, out, _ = run("leaderboard", *results, "--by", "length", "--format", "json")
    found = {(row["model"], row["length"]): row for row in json.loads(out)}
    for length, tokens in zip((4, 6), questions, strict=True):
        assert found["tiny", length]["prompt_tokens"] == tokens
        assert found["majority", length]["prompt_tokens"] is None
    assert sum(found["tiny", n]["dollars"] for n in (4, 6)) == pytest.approx(dollars)
    # Scored again, the tokens stay; nobody knows the price.
    (saved,) = (tmp_path / "results" / "predictions").iterdir()
    run("score", saved, "--data", dataset.url, "--name", "again", "--evaluator", "valid", *results)
    _, out, _ = run("leaderboard", *results, "--model", "again")
    assert f"{sum(questions):,}" in out
    assert "dollars" not in out


def test_strict_reading_of_a_chat_is_pointed_out(dataset, run, tmp_path):
    with serving(lambda prompt: "Surely: **[1 2 3 4]**") as server:
        about = ("--data", dataset.url, "-l", "4", "--results", tmp_path)
        _, _, error = run("evaluate", f"openai:tiny@{server.url}", *about)
        assert "--extraction lenient finds the answer in a chatty one" in error
        lenient = ("--extraction", "lenient")
        _, out, error = run("evaluate", f"openai:tiny@{server.url}", *about, *lenient)
        # A list has the shape of an answer of insertion_sort, and not of one of minimum.
        assert re.search(r"^all +20 +0\.500 ", out, re.MULTILINE)
        assert "lenient finds" not in error
        assert "20 had been before" in error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["solver", "--prompt", "chat"], "model solver takes no prompt; leave --prompt out"),
        (["solver", "--dry-run"], "model solver is sent no prompts; leave --dry-run out"),
        (["openai:t@http://h/v1?prompt=chat", "--prompt", "plain"], "give it once"),
        (["openai:t@http://h/v1", "--price", "1"], "--price 1 is not IN,OUT: dollars for"),
        (["openai:t@http://h/v1", "--price", "1,-1"], "--price 1,-1 is not IN,OUT"),
        (["openai:t@http://h/v1", "--price", "1,nan"], "--price 1,nan is not IN,OUT"),
        (["openai:t@http://h/v1", "--tokenizer", "char"], "--tokenizer counts for --dry-run"),
        (["openai:t@http://h/v1", "--limit", "0"], "limit 0 is below 1"),
        (["openai:t@http://h/v1", "--dry-run", "--limit", "0"], "limit 0 is below 1"),
        (["openai:t@http://h/v1", "--prompt", "few"], "'few' is no prompt; use plain, chat or"),
    ],
)
def test_flags_that_do_not_fit_are_named(dataset, arguments, said):
    assert said in command.sentence_here("evaluate", *arguments, "--data", dataset.url)


def test_without_the_extra_its_name_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(BadInput, match=re.escape("python -m pip install 'clrs-text-bench[api]'")):
        modelspec.load("openai:tiny@http://h/v1")


def test_a_running_event_loop_is_no_hindrance(dataset, truth):
    """As in a notebook."""

    async def cell():
        return ask(server, rows_of(dataset))

    with serving(truth.__getitem__) as server:
        found, _ = asyncio.run(cell())
    assert right(found, rows_of(dataset)) == [True] * 10
