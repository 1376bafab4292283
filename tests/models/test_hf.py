"""Models of `transformers`, asked by prompts, held against greedy decoding without a cache."""

import json
import sys

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("torch")

import torch
import transformers

from clrs_text_bench import modelspec
from clrs_text_bench.errors import BadInput, RunFailed
from clrs_text_bench.evaluators.evaluate import evaluate
from clrs_text_bench.models.hf import batching, stopping
from clrs_text_bench.models.hf.loading import load
from clrs_text_bench.models.hf.options import parse

from .. import tiny_data
from . import tiny_neox
from .tiny_neox import ROOM

pytestmark = pytest.mark.torch

MOST = 12


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hf") / "data"
    return tiny_data.write(folder, {"train": [4], "test": [4, 5]}, samples=6)


@pytest.fixture(scope="module")
def rows(data):
    return pa.concat_tables([data.read(cell) for cell in data.cells("test")])


def save(folder, rows, *, template=None):
    return tiny_neox.save(folder, rows["question"].to_pylist(), template=template)


@pytest.fixture(scope="module")
def folder(rows, tmp_path_factory):
    return save(tmp_path_factory.mktemp("hf") / "model", rows)


def reference(folder, prompt, most, stop="\n\n"):
    """Answers one prompt by whole passes, the likeliest token each time."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokens, answer = tokenizer.encode(prompt), []
    for _ in range(most):
        with torch.no_grad():
            token = int(model(torch.tensor([tokens + answer])).logits[0, -1].argmax())
        if token == tokenizer.eos_token_id:
            return tokenizer.decode(answer), "stop", len(answer)
        answer.append(token)
        text = tokenizer.decode(answer)
        if stop and stop in text:
            return text.partition(stop)[0], "stop", len(answer)
    return tokenizer.decode(answer), "length", len(answer)


def asked(folder, rows, options):
    model = modelspec.load(f"hf:{folder}?max_tokens={MOST}&dtype=float32{options}")
    return model.generate(rows)


def test_answers_are_those_of_whole_passes_of_each_row_by_itself(folder, rows):
    found = asked(folder, rows, "").select(["prediction", "finish_reason", "n_tokens"])
    expected = [reference(folder, question, MOST) for question in rows["question"].to_pylist()]
    assert [tuple(row.values()) for row in found.to_pylist()] == expected
    assert len({text for text, _, _ in expected}) > 1


@pytest.mark.parametrize("size", [1, 5, 64])
def test_answers_do_not_depend_on_the_batch(folder, rows, size):
    columns = ["prediction", "finish_reason", "n_tokens"]
    expected = asked(folder, rows, "&batch_size=3").select(columns)
    assert asked(folder, rows, f"&batch_size={size}").select(columns) == expected


def test_an_answer_ends_at_its_own_end_or_at_a_text(folder, rows):
    questions = rows["question"].to_pylist()
    whole = [reference(folder, question, MOST, stop=None) for question in questions]
    # A text that stands within some answers ends them there.
    stop = whole[0][0][2:4]
    expected = [reference(folder, question, MOST, stop) for question in questions]
    assert "stop" in {reason for _, reason, _ in expected}
    found = asked(folder, rows, f"&stop={stop}").select(["prediction", "finish_reason", "n_tokens"])
    assert [tuple(row.values()) for row in found.to_pylist()] == expected
    assert asked(folder, rows, "&stop=none")["prediction"].to_pylist() == [t for t, _, _ in whole]


def test_a_blank_line_counts_only_where_the_model_wrote_all_of_it(folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    (line,) = tokenizer.encode("\n")
    other = tokenizer.encode("a")[0]
    ends = stopping.StopText(tokenizer, "\n\n", prompt_tokens=2)
    rows = torch.tensor([[other, line, line], [other, line, other]])
    assert ends(rows, None).tolist() == [False, False]
    rows = torch.tensor([[other, line, line, line], [other, line, other, line]])
    assert ends(rows, None).tolist() == [True, False]


def test_a_model_with_a_template_is_asked_in_chat(rows, data, tmp_path):
    chat = save(tmp_path / "chat", rows, template=tiny_neox.CHAT)
    model = modelspec.load(f"hf:{chat}?max_tokens=4&dtype=float32")
    assert model.info().settings["prompt"] == "chat"
    assert "stop" not in model.info().settings
    shown = model.preview(rows)[0].prompt
    question = rows["question"][0].as_py()
    assert shown.startswith("<user>Run the algorithm ")
    assert shown.endswith(f"{question}\n<assistant>")
    few = modelspec.load(f"hf:{chat}?prompt=few-shot:2&template=true")
    few.prepare(data)
    shown = few.preview(rows)[0].prompt
    assert shown.count("<user>") == 3
    assert shown.count("<assistant>") == 3
    assert shown.endswith(f"<user>{question}\n<assistant>")


def test_a_prompt_that_leaves_no_room_has_no_answer(folder, rows):
    long = rows.slice(0, 2).set_column(
        rows.column_names.index("question"),
        "question",
        pa.array(["1 " * ROOM + "\n", rows["question"][1].as_py()]),
    )
    found = asked(folder, long, "")
    assert found["prediction"][0].as_py() == ""
    assert found["finish_reason"][0].as_py() == "length"
    assert found["prediction"][1] == asked(folder, rows.slice(1, 1), "")["prediction"][0]


def test_an_answer_may_not_go_beyond_the_models_positions(folder, rows):
    found = modelspec.load(f"hf:{folder}?max_tokens=4096&stop=none&dtype=float32").generate(rows)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    prompts = [len(tokenizer.encode(question)) for question in rows["question"].to_pylist()]
    totals = np.add(prompts, found["n_tokens"].to_numpy())
    assert (totals <= ROOM).all()
    assert (totals == ROOM).any()


def test_evaluated_it_stands_in_the_leaderboard_with_all_that_decides(folder, data, tmp_path):
    spec = f"hf:{folder}?max_tokens={MOST}&dtype=float32&batch_size=4&prompt=few-shot:1"
    found = evaluate(spec, data.url, results=tmp_path / "results")
    settings = json.loads(found.rows["settings"][0].as_py())
    assert settings == {
        "prompt": "few-shot:1",
        "prompt_version": 1,
        "template": False,
        "max_tokens": MOST,
        "stop": "\n\n",
        "dtype": "float32",
        "attention": "eager" if settings["attention"] == "eager" else "sdpa",
        "batch_size": 4,
        "device": "cpu",
    }
    assert found.account.asked.answers == sum(found.rows["n"].to_pylist())
    loaded = transformers.AutoModelForCausalLM.from_pretrained(folder)
    assert found.rows["n_parameters"][0].as_py() == sum(p.numel() for p in loaded.parameters())
    again = evaluate(spec, data.url, results=tmp_path / "results")
    assert again.run == found.run


def test_a_batch_is_as_many_rows_as_memory_is_reckoned_to_hold(folder, monkeypatch):
    loaded = load(parse(f"{folder}?max_tokens=64&dtype=float32"))
    weights = sum(p.nbytes for p in loaded.model.parameters())
    # Two layers of keys and values of width 32, four bytes each, at 128 tokens.
    row = 2 * 2 * 32 * 128 * 4
    for rows, expected in [(1.5, 1), (5, 4), (64, 64), (1000, 64), (0.1, 1)]:
        memory = int(weights + 2 * rows * row)
        monkeypatch.setattr(
            batching.os, "sysconf", {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": memory}.get
        )
        assert batching.batch_size(loaded) == expected


def test_too_large_a_batch_is_named(folder, rows, monkeypatch):
    model = modelspec.load(f"hf:{folder}?batch_size=8")

    def exhausted(*args, **kwargs):
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(transformers.GPTNeoXForCausalLM, "generate", exhausted)
    with pytest.raises(RunFailed, match=r"8 rows at a time .* batch_size=4"):
        model.generate(rows)


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("hf:", "hf: names no model"),
        ("hf:{model}?colour=red", "colour"),
        ("hf:{model}?prompt=few-shot", "no prompt; use plain, chat or few-shot:K"),
        ("hf:{model}?prompt=chat", "has no template for chats"),
        ("hf:{model}?dtype=int8", "dtype"),
        ("hf:{model}?device=abacus", "cannot load hf:"),
        ("hf:{empty}", "cannot load hf:"),
        ("hf:{pickled}", "cannot load hf:"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(folder, rows, tmp_path, spec, sentence):
    (tmp_path / "empty").mkdir()
    pickled = save(tmp_path / "pickled", rows)
    (pickled / "model.safetensors").unlink()
    torch.save(tiny_neox.model().state_dict(), pickled / "pytorch_model.bin")
    spec = spec.format(model=folder, empty=tmp_path / "empty", pickled=pickled)
    with pytest.raises(BadInput, match=sentence):
        modelspec.load(spec)


def test_without_the_extra_it_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(BadInput, match=r"hf: needs the package transformers: .*\[hf\]"):
        modelspec.load(f"hf:{folder}")
