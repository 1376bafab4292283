"""`openai:MODEL@URL`: what is sent, kept, recorded and refused."""

import re

import pyarrow.compute as pc
import pytest

from clrs_text_bench import modelspec
from clrs_text_bench.errors import BadInput

from .faulty_server import KEY, serving
from .served import ask, right, rows_of


def test_completions_and_chat_send_what_the_options_say(dataset, truth):
    rows = rows_of(dataset).slice(0, 1)
    question = rows["question"][0].as_py()
    with serving(lambda prompt: truth[question]) as server:
        ask(server, rows)
        ask(
            server,
            rows,
            "prompt=chat&temperature=none&top_p=0.9&seed=3&max_tokens=50"
            "&limit=max_completion_tokens&reasoning_effort=low&stop=END",
        )
        ask(server, rows, "prompt=plain&endpoint=chat&stop=none&temperature=0.5")
    plain, chat, other = (dict(one) for one in server.asked)
    for one in (plain, chat, other):
        del one["at"]
    assert plain == {
        "path": "/v1/completions",
        "key": None,
        "model": "tiny",
        "prompt": question,
        "temperature": 0.0,
        "max_tokens": 2048,
        "stop": "\n\n",
    }
    (message,) = chat.pop("messages")
    assert message["content"].endswith(question)
    assert message["content"].startswith("Run the algorithm insertion_sort")
    assert chat == {
        "path": "/v1/chat/completions",
        "key": None,
        "model": "tiny",
        "top_p": 0.9,
        "seed": 3,
        "max_completion_tokens": 50,
        "reasoning_effort": "low",
        "stop": "END",
    }
    assert other.pop("messages") == [{"role": "user", "content": question}]
    assert other == {
        "path": "/v1/chat/completions",
        "key": None,
        "model": "tiny",
        "temperature": 0.5,
        "max_tokens": 2048,
    }


def test_answers_come_in_order_with_tokens_and_seconds(dataset, truth):
    rows = rows_of(dataset)
    with serving(truth.__getitem__, delay=0.01) as server:
        found, account = ask(server, rows)
        assert right(found, rows) == [True] * 10
        assert found["finish_reason"].to_pylist() == ["stop"] * 10
        answers = found["prediction"].to_pylist()
        assert found["n_tokens"].to_pylist() == list(map(len, answers))
        assert 0.01 <= pc.min(found["seconds"]).as_py() < 5
        questions = rows["question"].to_pylist()
        assert account.asked.prompt_tokens == sum(map(len, questions))
        assert account.asked.answer_tokens == sum(map(len, answers))
        assert (account.asked.answers, account.kept.answers, account.failures) == (10, 0, {})
        assert account.answered_by == ("tiny-2026",)


def test_nothing_is_asked_twice_but_what_differs_in_any_setting_is(dataset, truth):
    rows = rows_of(dataset)
    with serving(truth.__getitem__) as server:
        first, _ = ask(server, rows)
        again, account = ask(server, rows)
        assert again.equals(first)
        assert (account.asked.answers, account.kept.answers) == (0, 10)
        assert len(server.asked) == 10
        for count, change in enumerate(
            ("temperature=0.1", "seed=1", "top_p=0.5", "max_tokens=9", "revision=b"), 2
        ):
            ask(server, rows, f"prompt=plain&{change}")
            assert len(server.asked) == 10 * count
        for how in ("concurrency=2", "per_minute=100000", "timeout=9", "retries=0"):
            ask(server, rows, f"prompt=plain&{how}")
        assert len(server.asked) == 60
    with serving(truth.__getitem__) as other:
        ask(other, rows)
        assert len(other.asked) == 10


def test_the_same_question_twice_is_asked_once(dataset, truth):
    rows = rows_of(dataset).take([0, 1, 0, 0])
    with serving(truth.__getitem__) as server:
        found, account = ask(server, rows)
        assert right(found, rows) == [True] * 4
        assert len(server.asked) == account.asked.answers == 2


def test_no_more_requests_at_once_and_a_minute_than_asked(dataset, truth):
    rows = rows_of(dataset)
    with serving(truth.__getitem__, delay=0.2) as server:
        ask(server, rows, "prompt=plain&concurrency=3")
        assert server.most_at_once == 3
    with serving(truth.__getitem__) as server:
        ask(server, rows, "prompt=plain&per_minute=1200")
        times = sorted(one["at"] for one in server.asked)
        assert times[-1] - times[0] >= 9 * 60 / 1200 - 0.02


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("tiny", "openai:tiny is not of the form openai:MODEL@URL"),
        ("@http://h/v1", "is not of the form"),
        ("tiny@ftp://h/v1", "is not of the form"),
        ("tiny@https://me:secret@h/v1", "holds a user name or key; leave it out"),
        ("tiny@https://h/v1?key=", "key = '': string should have at least 1 character"),
        ("tiny@https://h/v1?prompt=few", "'few' is no prompt; use plain, chat or few-shot:K"),
        ("tiny@https://h/v1?temperture=1", "unknown key 'temperture'; did you mean 'temperature'"),
        ("tiny@https://h/v1?concurrency=0", "concurrency = '0': input should be greater than"),
        ("tiny@https://h/v1?endpoint=x", "endpoint = 'x': input should be 'chat' or 'comp"),
    ],
)
def test_specs_that_cannot_be_used_are_named(argument, said):
    with pytest.raises(BadInput, match=re.escape(said)) as caught:
        modelspec.load(f"openai:{argument}")
    assert "secret" not in str(caught.value)


def test_keys_that_cannot_be_sent_are_refused_without_saying_them(dataset, monkeypatch):
    with serving(str) as server:
        monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}é")
        with pytest.raises(BadInput, match=r"OPENAI_API_KEY holds what cannot be a key$"):
            ask(server, rows_of(dataset))
        with pytest.raises(BadInput, match=r"NO_SUCH_KEY, which key=NO_SUCH_KEY names, is not set"):
            ask(server, rows_of(dataset), "prompt=plain&key=NO_SUCH_KEY")
        assert not server.asked


def test_settings_that_decide_an_answer_are_the_models_record_and_no_others():
    def info(options):
        return modelspec.load(f"openai:a/b:free@https://h/v1/?{options}").info()

    assert info("prompt=chat").name == "a/b:free"
    assert info("prompt=chat").settings == {
        "url": "https://h/v1",
        "endpoint": "chat",
        "prompt": "chat",
        "prompt_version": 1,
        "adapter_version": 1,
        "temperature": 0.0,
        "max_tokens": 2048,
        "limit": "max_tokens",
    }
    plain = info("prompt=plain")
    assert plain.settings["stop"] == "\n\n"
    assert info("prompt=plain&concurrency=2&per_minute=5&timeout=1&retries=1&cache=x") == plain
    assert (
        len({str(info(f"prompt=few-shot:{k}&seed={s}").settings) for k in (1, 2) for s in (1, 2)})
        == 4
    )
