"""Index hints: where they stand, that no text is lost, and what is read of a mistake."""

import doctest
import json
import re

import jax.numpy as jnp
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Library
from tokenizers import decoders, models, pre_tokenizers

from clrs_text_bench import identity, schema, tasks, tokenizers
from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import score_answer
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models.transformer import index_hints, spelling
from clrs_text_bench.models.transformer.config import TransformerConfig
from clrs_text_bench.models.transformer.decoding import Completion
from clrs_text_bench.models.transformer.trainable import TrainableTransformer

from .. import tiny_data
from . import tiny_transformer as tiny

LENGTHS = (4, 7, 12)
FIRST = 0xE000  # hint 0 in `rendered`, a character that no text has


def byte_level(folder):
    """Writes a `tokenizer.json` that spells bytes, and a blank line as one token."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([*alphabet, "ĊĊ", "Ġ0", "0."])}
    made = Library(models.BPE(vocabulary, [("Ċ", "Ċ"), ("Ġ", "0"), ("0", ".")]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.save(str(folder / "tokenizer.json"))
    return str(folder / "tokenizer.json")


@pytest.fixture(scope="module", params=["compact", "char", "file"])
def tokenizer(request, tmp_path_factory):
    """The name of a tokeniser."""
    return byte_level(tmp_path_factory.mktemp("t")) if request.param == "file" else request.param


def spell(name, kind, seed=0):
    return spelling.of(TransformerConfig(tokenizer=name, index_hints=kind), seed)


def rows(algorithm, use_hints, count=2):
    tables = [generate_batch(algorithm, n, count=count, use_hints=use_hints) for n in LENGTHS]
    return pa.concat_tables(tables).unify_dictionaries()


def rendered(tokenizer, ids):
    """Returns the text with a character of its own for each hint."""
    size, pieces = tokenizer.vocab_size, [[]]
    for i in ids.tolist():
        if i >= size:
            pieces += [chr(FIRST + i - size), []]
        else:
            pieces[-1].append(i)
    return "".join(p if isinstance(p, str) else tokenizer.decode(p) for p in pieces)


def hinted(text, offset):
    """Returns the elements of a text, in order, each with the hints that belong before it.

    Reads the lists as JSON: slow, and obviously right.
    """
    found = []

    def walk(values, before):
        for i, value in enumerate(values):
            hints = before * (i == 0) + chr(FIRST + offset + i)
            if isinstance(value, list):
                walk(value, hints)
            else:
                found.append((hints, value))

    for outer in re.findall(r"\[\[.*?\]\]|\[[^\[\]]*\]", text):
        values = outer.replace("], [", "] [").replace(" ", ",")
        walk(json.loads(values, parse_float=str, parse_int=str), "")
    return found


@pytest.mark.parametrize("use_hints", [False, True], ids=["plain", "traced"])
@pytest.mark.parametrize("algorithm", tasks.names())
def test_hints_stand_before_their_elements_and_without_them_it_is_the_very_text(
    algorithm, use_hints, tokenizer
):
    base, table = tokenizers.get(tokenizer), rows(algorithm, use_hints)
    plain = spell(tokenizer, "plain")
    for column, spelt in (("question", plain.questions), ("answer", plain.answers)):
        for text, ids in zip(table[column].to_pylist(), spelt(table), strict=True):
            assert ids.dtype == np.int32
            assert index_hints.drop(base, ids).tolist() == base.encode(text).tolist()
            found = re.findall(r"([\ue000-\uf8ff]+) ?([-0-9.]+)", rendered(base, ids))
            assert found == hinted(text, 0)
            assert (ids >= base.vocab_size).sum() == sum(len(hints) for hints, _ in found)
    assert plain.texts(table, plain.answers(table)) == table["answer"].to_pylist()


@pytest.mark.parametrize("use_hints", [False, True], ids=["plain", "traced"])
@pytest.mark.parametrize("algorithm", tasks.names())
def test_hints_from_an_offset_on_lose_nothing_and_shift_what_names_elements(algorithm, use_hints):
    base, table, task = tokenizers.get("compact"), rows(algorithm, use_hints), tasks.get(algorithm)
    random = spell("compact", "random")
    questions, answers = random.questions(table), random.answers(table)
    assert random.texts(table, answers) == table["answer"].to_pylist()
    read = zip(table.to_pylist(), questions, answers, identities(table), strict=True)
    for row, question, answer, sample in read:
        offset = index_hints.draw_offset(sample, 0)
        seen = base.decode(index_hints.drop(base, question))
        assert index_hints.shift_question(task, seen, -offset) == row["question"]
        shown = base.decode(index_hints.drop(base, answer))
        for text, ids in ((seen, question), (shown, answer)):
            found = re.findall(r"([\ue000-\uf8ff]+)([-0-9.]+)", rendered(base, ids))
            assert found == hinted(text, offset)
        numbers = [[int(x) for x in re.findall(r"-?\d+", text)] for text in (row["answer"], shown)]
        if index_hints.names_elements(task):
            assert numbers[1] == [x + offset for x in numbers[0]]
        else:
            assert shown == row["answer"]


def identities(table):
    columns = ("seed", "split", "algo_name", "length", "index")
    return [identity.SampleId(*(row[c] for c in columns)) for row in table.to_pylist()]


def test_the_source_of_a_search_and_a_trace_that_names_elements_are_shifted_and_no_value():
    bfs, sort = tasks.get("bfs"), tasks.get("insertion_sort")
    question = "bfs:\ns: 1, A: [[0 1], [1 0]], initial_trace: [0 1]\ntrace | pi:\n"
    assert index_hints.shift_question(bfs, question, 40) == (
        "bfs:\ns: 41, A: [[0 1], [1 0]], initial_trace: [40 41]\ntrace | pi:\n"
    )
    question = "insertion_sort:\nkey: [0.5 1], initial_trace: [0.5 1]\ntrace | pred:\n"
    assert index_hints.shift_question(sort, question, 40) == question


def test_the_tasks_whose_answers_name_elements():
    found = [name for name in tasks.names() if index_hints.names_elements(tasks.get(name))]
    assert found == [
        *("quickselect", "minimum", "binary_search", "find_maximum_subarray_kadane"),
        *("matrix_chain_order", "optimal_bst", "dfs", "topological_sort"),
        *("strongly_connected_components", "bfs", "mst_prim", "bellman_ford"),
        *("dag_shortest_paths", "dijkstra", "floyd_warshall", "naive_string_matcher"),
        "kmp_matcher",
    ]


PIECES = ["[", "]", "[[", "]]", "], [", " ", ", ", "0.5", "-1", "12", "1.727", "a: ", "\n\n", "é"]


@settings(max_examples=300, deadline=None)
@given(text=st.text() | st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_no_text_at_all_is_changed_by_its_hints(text):
    for name in ("compact", "char"):
        base = tokenizers.get(name)
        ids = index_hints.insert(base, text, 3)
        assert index_hints.drop(base, ids).tolist() == base.encode(text).tolist()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_of_what_is_written_all_hints_are_dropped_and_nothing_else(data):
    base = tokenizers.get("compact")
    kept = data.draw(st.lists(st.integers(0, base.vocab_size - 1), max_size=12))
    written = list(kept)
    for hint in data.draw(st.lists(st.integers(0, index_hints.COUNT - 1), max_size=8)):
        written.insert(data.draw(st.integers(0, len(written))), base.vocab_size + hint)
    table = generate_batch("insertion_sort", 4, count=1)
    for kind in ("plain", "random"):
        found = spell("compact", kind).texts(table, [np.array(written, np.int32)])
        assert found == [base.decode(kept)]


NUMBERS = st.sampled_from(
    ["3", "03", "0000000003", "+3", "3.0", "3e0", ".3e1", ".003e40", "-3", "-0", "3.", "4e1", "٣"]
) | st.integers(-60, 160).map(str)


@settings(max_examples=60, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=6), st.integers(1, 96))
def test_only_whole_numbers_that_hints_name_can_be_right(words, offset):
    text = index_hints.shift_back("[" + " ".join(words) + "]", offset)
    found = text.removeprefix("[").removesuffix("]").split(" ")
    for word, read in zip(words, found, strict=True):
        for truth in range(7):
            score = score_answer("minimum", 7, read, f"{truth}\n\n")
            named = re.fullmatch("-?[0-9]{1,9}", word) and int(word) == truth + offset
            assert score.clrs == score.exact == float(bool(named)), (word, read, truth)


def test_a_missing_a_wrong_and_a_misplaced_hint_change_no_answer():
    base = tokenizers.get("compact")
    table = generate_batch("insertion_sort", 4, count=1)
    plain, answer = spell("compact", "plain"), table["answer"][0].as_py()
    right = plain.answers(table)[0]
    hints = np.flatnonzero(right >= base.vocab_size)
    wrong = right.copy()
    wrong[hints] = base.vocab_size + index_hints.COUNT - 1
    written = [np.delete(right, hints[1]), wrong, np.roll(right, 1), base.encode(answer)]
    assert plain.texts(pa.concat_tables([table] * 3), [*written[:2], written[3]]) == [answer] * 3
    # An element left out is not made up for by its hint.
    short = np.delete(right, hints[1] + 1)
    (text,) = plain.texts(table, [short])
    assert len(text.split()) == 3
    assert score_answer("insertion_sort", 4, text, answer).shape == 0


def test_offsets_are_a_samples_own_whatever_stands_beside_it():
    table = generate_batch("minimum", 12, count=40)
    whole = spell("compact", "random").questions(table)
    order = np.random.default_rng(0).permutation(40)
    parts = spell("compact", "random").questions(table.take(pa.array(order)))
    for place, ids in zip(order, parts, strict=True):
        assert ids.tolist() == whole[place].tolist()
    others = spell("compact", "random", seed=1).questions(table)
    assert sum(a.tolist() == b.tolist() for a, b in zip(whole, others, strict=True)) < 5


def test_every_offset_that_leaves_room_for_the_longest_list_is_as_likely_as_any_other():
    samples = [identity.SampleId(0, "train", "minimum", 90, i) for i in range(5500)]
    counts = np.bincount([index_hints.draw_offset(s, 0) for s in samples])
    assert len(counts) == 11  # 500 each; the standard deviation is 21
    assert np.abs(counts - 500).max() < 120


def test_a_list_longer_than_there_are_hints_is_named():
    assert len(spell("compact", "plain").questions(generate_batch("minimum", 100, count=1))) == 1
    table = generate_batch("minimum", 101, count=1)
    for kind in ("plain", "random"):
        with pytest.raises(
            BadInput,
            match="minimum at length 101: a list has 101 elements, and there are index hints for "
            "100; leave such lengths out",
        ):
            spell("compact", kind).questions(table)


TABLE = pa.Table.from_pylist(
    [tiny_data.sample("insertion_sort", 9, split="train", seed=0, index=0)], schema=schema.DATASET
)


def trainable(**changes):
    return TrainableTransformer(tiny.config(**changes), seed=0, loss="answer")


def test_rows_that_hints_make_too_long_are_named():
    trainable(context=26).encode(TABLE)
    with pytest.raises(BadInput, match="length 9 has 44 tokens with its index hints, more than"):
        trainable(context=26, max_answer=26, index_hints="plain").encode(TABLE)
    with pytest.raises(BadInput, match=r"has 21 tokens with its index hints, more than model\.max"):
        trainable(max_answer=20, index_hints="plain").encode(TABLE)


def test_what_is_learnt_is_the_answer_with_its_hints_and_what_is_asked_the_question_with_its():
    model = trainable(index_hints="random", max_answer=24)
    batch = model.encode(TABLE).batch(np.arange(1), 0)
    random = spell("compact", "random")
    learnt = batch["targets"][0][batch["weights"][0] > 0]
    assert learnt.tolist() == random.answers(TABLE)[0].tolist()
    question = random.questions(TABLE)[0]
    assert batch["tokens"][0, : len(question)].tolist() == question.tolist()
    assert model.prompts(TABLE)[0].tokens.tolist() == question.tolist()
    (row,) = model.completed(TABLE, [Completion(learnt[:-1], "stop", 0.1)]).to_pylist()
    assert row["prediction"] + "\n\n" == TABLE["answer"][0].as_py()
    assert row["n_tokens"] == 20


def test_without_hints_a_model_is_what_it_was_and_with_them_it_has_a_token_for_each():
    off, on = trainable(), trainable(index_hints="plain")
    assert off.vocab_size == 1718
    assert set(off.record()) == {"kind", "tokenizer", "vocabulary"}
    assert on.vocab_size == 1818
    assert on.record() == {**off.record(), "index_hints": "plain-1"}
    with pytest.raises(
        BadInput, match=r"vocab_size 1800 is below the 1818 tokens of .* with index"
    ):
        trainable(index_hints="plain", vocab_size=1800)


def test_hints_start_near_their_numbers_and_nothing_else_is_moved():
    base = tokenizers.get("compact")
    drawn = np.random.default_rng(0).normal(size=(base.vocab_size + index_hints.COUNT, 64))
    found = np.asarray(index_hints.alike(jnp.asarray(drawn, jnp.float32), base))
    np.testing.assert_allclose(found[: base.vocab_size], drawn[: base.vocab_size], rtol=1e-6)
    numbers = found[[base.encode(str(i))[0] for i in range(index_hints.COUNT)]]
    hints = found[base.vocab_size :]
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (hints, numbers)]
    cosines = unit[0] @ unit[1].T
    assert (np.argmax(cosines, axis=1) == np.arange(index_hints.COUNT)).all()
    assert np.diag(cosines).mean() == pytest.approx(0.8, abs=0.03)
    assert np.sqrt((hints**2).mean()) == pytest.approx(1, abs=0.05)


def test_the_examples_are_true():
    assert doctest.testmod(index_hints).failed == 0
