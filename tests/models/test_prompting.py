import itertools

import numpy as np
import pyarrow as pa
import pytest

from clrs_text_bench import tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import score_answer
from clrs_text_bench.models import prompting
from clrs_text_bench.models.prompting.instruction import instruction

from .. import tiny_data

_CASES = list(itertools.product(tasks.names(), [False, True]))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return tiny_data.write(folder, {"train": [3, 4], "test": [4, 6]}, samples=12)


def prompts(dataset, style, rows=None):
    prompter = prompting.Prompter(prompting.parse(style))
    prompter.prepare(dataset)
    return prompter.prompts(tiny_data.rows(dataset) if rows is None else rows)


def test_plain_is_the_question_as_it_stands(dataset):
    questions = tiny_data.rows(dataset)["question"].to_pylist()
    found = prompts(dataset, "plain")
    assert [p.text() for p in found] == questions
    assert [p.messages() for p in found] == [[{"role": "user", "content": q}] for q in questions]


def test_shots_are_answered_training_questions_and_never_the_one_asked(dataset):
    train = tiny_data.rows(dataset, "train")
    known = dict(zip(train["question"].to_pylist(), train["answer"].to_pylist(), strict=True))
    # Training rows are asked here, so that their own questions are among what is drawn from.
    for row, prompt in zip(train.to_pylist(), prompts(dataset, "few-shot:5", train), strict=True):
        assert len({shot.question for shot in prompt.shots}) == 5
        for shot in prompt.shots:
            assert known[shot.question] == shot.answer
            assert shot.question != row["question"]
            assert shot.question.startswith(f"{row['algo_name']}:")
        assert prompt.text() == "".join(q + a for q, a in prompt.shots) + row["question"]


def test_shots_follow_from_the_samples_identity_alone(dataset):
    rows = tiny_data.rows(dataset)
    found = prompts(dataset, "few-shot:2")
    assert len(set(found)) == len(found)
    order = np.random.default_rng(0).permutation(len(rows))
    assert prompts(dataset, "few-shot:2", rows.take(order)) == [found[i] for i in order]
    hidden = rows.set_column(
        rows.column_names.index("answer"), "answer", pa.nulls(len(rows), pa.string())
    )
    assert prompts(dataset, "few-shot:2", hidden) == found


def test_shots_are_turns_of_a_chat(dataset):
    prompt = prompts(dataset, "few-shot:2")[0]
    turns = prompt.messages()
    assert [t["role"] for t in turns] == ["user", "assistant", "user", "assistant", "user"]
    assert turns[1]["content"] + "\n\n" == prompt.shots[0].answer
    assert turns[-1]["content"] == prompt.question


@pytest.mark.parametrize(("name", "use_hints"), _CASES)
def test_an_instruction_names_the_answers_parts_and_shows_a_right_answer(name, use_hints):
    """The example is held against the scorer: what it shows must be what scores 1."""
    text = instruction(name, use_hints, "another question")
    task = tasks.get(name)
    traced = task.has_trace(use_hints)
    for part in (*task.answer_parts(use_hints), *(task.step_parts() if traced else ())):
        assert f"{part.name}, " in text
    assert task.ties in text
    question, _, answer = text.partition("An example:\n\n")[2].partition(":\n")[2].partition(":\n")
    answer = answer.partition("\n\nNow the one to answer:")[0]
    length = max(5, task.min_length)
    assert score_answer(name, length, answer, f"{answer}\n\n", use_hints=use_hints).exact == 1
    if traced:
        assert "initial_trace: " in question
        assert answer.partition("|")[0].strip()


def test_the_example_of_a_chat_is_never_the_question_asked(dataset):
    asked = prompts(dataset, "chat")[0]
    example = asked.instruction.partition("An example:\n\n")[2].split("[", 1)[0]
    assert example == "insertion_sort:\nkey: "
    first = instruction("minimum", False, "")
    example = first.partition("An example:\n\n")[2]
    question = example[: example.index("min:\n") + len("min:\n")]
    assert question in first
    assert question not in instruction("minimum", False, question)


def test_a_chat_is_an_instruction_and_the_question(dataset):
    (message,) = prompts(dataset, "chat")[0].messages()
    question = tiny_data.rows(dataset)["question"][0].as_py()
    assert message["role"] == "user"
    assert message["content"].endswith(f"Now the one to answer:\n\n{question}")


def test_few_shot_needs_training_questions(dataset, tmp_path):
    alone = tiny_data.write(tmp_path, {"test": [4]}, samples=2)
    with pytest.raises(BadInput, match=r"few-shot prompts need a train split, and .* has none"):
        prompts(alone, "few-shot:1")
    with pytest.raises(BadInput, match="has 24 distinct other questions of insertion_sort, and "):
        prompts(dataset, "few-shot:25")
    with pytest.raises(BadInput, match="call prepare first"):
        prompting.Prompter(prompting.parse("few-shot:1")).prompts(tiny_data.rows(dataset))


@pytest.mark.parametrize("text", ["", "few-shot", "few-shot:0", "few-shot:1000", "Chat", "x"])
def test_other_prompts_are_refused(text):
    with pytest.raises(ValueError, match="is no prompt; use plain, chat or few-shot:K"):
        prompting.parse(text)
