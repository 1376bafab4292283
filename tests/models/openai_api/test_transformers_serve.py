"""`openai:` asked of a real `transformers serve`, held against `hf:` on the same weights.

Both compute in float32 on the CPU and take the likeliest token, so that the answers are the same.
"""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("torch")

from transformers.utils.import_utils import is_serve_available

from clrs_text_bench import modelspec, predictions, schema

from .. import tiny_neox
from . import transformers_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.torch,
    pytest.mark.skipif(
        not is_serve_available(), reason="needs the packages of transformers[serving]"
    ),
]

MOST = 12
ROOM = 1024  # for the chat's instructions
COLUMNS = ["prediction", "finish_reason", "n_tokens"]


@pytest.fixture(scope="module")
def rows(dataset):
    return pa.concat_tables([dataset.read(cell) for cell in dataset.cells("test")])


@pytest.fixture(scope="module")
def model(rows, tmp_path_factory):
    questions = rows["question"].to_pylist()
    folder = tmp_path_factory.mktemp("served") / "tiny"
    return tiny_neox.save(folder, questions, template=tiny_neox.CHAT, room=ROOM)


@pytest.fixture(scope="module")
def url(model):
    with transformers_server.serving(model, model.parent / "server.log") as url:
        yield url


def asked(spec, dataset, rows):
    """Returns the answers to rows, one `COLUMNS` each, and what they came to."""
    answerer = modelspec.load(spec)
    answerer.prepare(dataset)
    found = answerer.generate(rows).select(COLUMNS)
    return [tuple(row.values()) for row in found.to_pylist()], answerer.account()


@pytest.mark.parametrize(
    ("served_as", "loaded_as"),
    [
        ("prompt=plain", "prompt=plain"),
        ("prompt=few-shot:2", "prompt=few-shot:2"),
        ("prompt=chat", "prompt=chat"),
        ("prompt=few-shot:2&endpoint=chat", "prompt=few-shot:2&template=true"),
    ],
)
def test_the_server_answers_as_the_library_does(model, url, dataset, rows, served_as, loaded_as):
    how = f"max_tokens={MOST}&stop=none"
    answers, account = asked(f"openai:{model}@{url}?{how}&{served_as}", dataset, rows)
    loaded, expected = asked(f"hf:{model}?{how}&dtype=float32&{loaded_as}", dataset, rows)
    assert answers == loaded
    assert len({text for text, _, _ in answers}) > 1
    assert account.asked == expected.asked
    assert account.answered_by == (str(model),)
    assert not account.failures


def test_an_answer_ends_where_it_is_told(model, url, dataset, rows):
    how = f"prompt=plain&max_tokens={MOST}"
    whole, _ = asked(f"hf:{model}?{how}&dtype=float32&stop=none", dataset, rows)
    written = "".join(text for text, _, _ in whole)
    asks = "".join(rows["question"].to_pylist())
    # One that some answers hold; the server looks for it in the prompt, too.
    stop = next(c for c in written if c.isalnum() and c not in asks)
    answers, _ = asked(f"openai:{model}@{url}?{how}&stop={stop}", dataset, rows)
    loaded, _ = asked(f"hf:{model}?{how}&dtype=float32&stop={stop}", dataset, rows)
    # This server leaves the end where it stands, and says "length" of an end at the last token.
    told = [
        (text.partition(stop)[0], "stop" if stop in text else reason, tokens)
        for text, reason, tokens in answers
    ]
    assert told == loaded
    assert {reason for _, reason, _ in loaded} == {"stop", "length"}
    assert [reason for _, reason, tokens in answers if tokens < MOST] == [
        reason for _, reason, tokens in loaded if tokens < MOST
    ]


def test_evaluated_both_have_the_same_answers_and_scores(model, url, dataset, run, tmp_path):
    how, tables = f"prompt=plain&max_tokens={MOST}&stop=none", []
    for spec in (f"openai:{model}@{url}?{how}", f"hf:{model}?{how}&dtype=float32"):
        about = ("--data", dataset.url, "--save-predictions", "--results", tmp_path / spec[:2])
        code, _, error = run("evaluate", spec, *about)
        assert code == 0, error
        assert "40 answers were asked for now, 0 had been before" in error
        (saved,) = (tmp_path / spec[:2] / "predictions").iterdir()
        (scores,) = (tmp_path / spec[:2] / "scores").iterdir()
        answers = predictions.read(saved).select([*schema.IDENTITY, *COLUMNS, "prompt_tokens"])
        tables.append((answers, pq.read_table(scores).replace_schema_metadata()))
    assert tables[0] == tables[1]


def test_a_model_that_it_does_not_serve_is_said(model, url, dataset, run, tmp_path):
    about = ("--data", dataset.url, "-l", "4", "--results", tmp_path)
    code, _, error = run("evaluate", f"openai:other@{url}?retries=0", *about)
    assert code == 1
    assert f"HTTP 400 (Server is pinned to '{model}'; requested 'other'.)" in error
