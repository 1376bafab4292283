"""The compiled scorer on real answers of every task: whole, damaged, wrapped, huge."""

import functools
import time
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clrs_text_bench import registry, tasks
from clrs_text_bench.evaluators import Scores, score_answer
from clrs_text_bench.evaluators.numbers import equal

from . import naive_scores

CELLS = [(name, use_hints) for name in tasks.names() for use_hints in (False, True)]
MODES = ("strict", "lenient")


@functools.cache
def answers(algorithm, use_hints, length=4):
    """Returns real answers of a task, as the data set holds them."""
    engine = registry.load("generators", "dm-clrs")()
    table = engine.generate(
        algorithm,
        length,
        seed=5,
        split="test",
        indices=np.arange(3),
        use_hints=use_hints,
        graph_hints=False,
    )
    return table["answer"].to_pylist()


@pytest.mark.parametrize("extraction", MODES)
@pytest.mark.parametrize("length", [4, 7])
@pytest.mark.parametrize(("algorithm", "use_hints"), CELLS)
def test_the_truth_scores_one_on_everything(algorithm, use_hints, length, extraction):
    traced = tasks.get(algorithm).has_trace(use_hints)
    for truth in answers(algorithm, use_hints, length):
        scores = score_answer(algorithm, length, truth, truth, use_hints, extraction)
        assert scores == Scores(1, 1, 1, 1, 1.0 if traced else None, None)


@pytest.mark.parametrize(("algorithm", "use_hints"), CELLS)
def test_the_truth_in_a_chatty_reply_is_found(algorithm, use_hints):
    traced = tasks.get(algorithm).has_trace(use_hints)
    for truth in answers(algorithm, use_hints):
        for reply in (
            f"Let me see.\n\n```\n{truth.strip()}\n```\n\nThis is it.",
            f"The answer is **{truth.strip()}**.",
            f"So we have\n$$\\boxed{{{truth.strip()}}}$$<|endoftext|>Thanks, 1, [2], (3, 4)!",
        ):
            scores = score_answer(algorithm, 4, reply, truth, use_hints, "lenient")
            assert scores == Scores(1, 1, 1, 1, 1.0 if traced else None, None)


@pytest.mark.parametrize(
    ("algorithm", "use_hints"),
    [cell for cell in CELLS if tasks.get(cell[0]).answer_parts(cell[1])[0].rank > 0],
)
def test_a_truth_of_another_length_has_a_wrong_shape(algorithm, use_hints):
    for other, truth in zip(
        answers(algorithm, use_hints, 7), answers(algorithm, use_hints), strict=True
    ):
        scores = score_answer(algorithm, 4, other, truth, use_hints)
        assert (scores.shape, scores.parse, scores.clrs, scores.exact) == (0, 1, 0, 0)


SNIPPETS = [
    *"[](){}|,;:=-+.eE019x_*`$\\ \t\r\n\v\0é３\u200f\u2028\ud800",
    "\n\n",
    "\n \r\n",
    "**",
    "```\n",
    "\\boxed{",
    "\\left[",
    "\\right]",
    "\\dots",
    "\\[",
    "<|endoftext|>",
    "nan",
    "e5",
    "[0 1]",
    "(1, 2)",
    " 3",
    "Answer: ",
    "...",
]
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["insert", "delete", "repeat", "cut"]),
        st.floats(0, 1),
        st.integers(1, 12),
        st.lists(st.sampled_from(SNIPPETS), min_size=1, max_size=3).map("".join),
    ),
    min_size=1,
    max_size=4,
)


def damage(text, edits):
    for edit, where, size, snippet in edits:
        i = int(where * len(text))
        if edit == "insert":
            text = text[:i] + snippet + text[i:]
        elif edit == "delete":
            text = text[:i] + text[i + size :]
        elif edit == "repeat":
            text = text[:i] + text[i : i + size] * 2 + text[i + size :]
        else:
            text = text[: max(i, 1)]
    return text


@settings(deadline=None, max_examples=600, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(CELLS), st.integers(0, 2), EDITS)
def test_damaged_answers_score_as_the_reference_says(cell, index, edits):
    truth = answers(*cell)[index]
    damaged = damage(truth, edits)
    for extraction in MODES:
        if extraction == "lenient" and len(damaged) > 250:
            continue  # the reference looks at every window of tokens
        asked = (cell[0], 4, damaged, truth, cell[1], extraction)
        assert score_answer(*asked) == Scores(*naive_scores.score(*asked))


@settings(deadline=None, max_examples=600)
@given(
    st.sampled_from(CELLS),
    st.lists(st.sampled_from(SNIPPETS), max_size=30).map("".join),
)
def test_noise_scores_as_the_reference_says(cell, noise):
    truth = answers(*cell)[0]
    for extraction in MODES:
        asked = (cell[0], 4, noise, truth, cell[1], extraction)
        assert score_answer(*asked) == Scores(*naive_scores.score(*asked))


NUMBERS = st.one_of(
    st.text("0123456789.", max_size=8),
    st.text("+-0019.eE", max_size=10),
    st.decimals(-1000, 1000, places=4).map(str),
    st.floats(allow_nan=True).map(str),
)


def _equal(a, b):
    texts = [np.frombuffer(b"[" + text.encode() + b"]", np.uint8) for text in (a, b)]
    return equal(texts[0], 1, len(a) + 1, texts[1], 1, len(b) + 1)


@settings(deadline=None, max_examples=1000)
@given(NUMBERS, NUMBERS, st.integers(0, 400))
def test_numbers_are_equal_as_decimals_are(a, b, shift):
    assert _equal(a, b) == naive_scores._equal(a, b)
    if naive_scores.NUMBER.fullmatch(a):
        assert _equal(a, a)
        if "e" not in a.lower() and len(a) < 20:
            moved = str(Decimal(a).scaleb(shift)) + f"e-{shift}"
            assert "E" in moved or _equal(a, moved)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("1e999999999999999999999", "1e999999999999999999999", True),
        ("1e999999999999999999999", "1e999999999999999999998", False),
        ("1e999999999999999999999", "1e-999999999999999999999", False),
        ("0e999999999999999999999", "-0.0", True),
        ("1" + "0" * 100_000, "1e100000", True),
        ("0." + "0" * 100_000 + "1", "1e-100001", True),
        ("1e0000000000000000000000000000002", "100", True),
        ("1" * 100_000 + ".5", "1" * 100_000 + ".50", True),
        ("1" * 100_000 + ".5", "1" * 100_000 + ".51", False),
    ],
)
def test_numbers_beyond_machine_words(a, b, same):
    assert _equal(a, b) is same


def hostile(size):
    """Returns texts of about `size` bytes, each meant to make some scanner slow."""
    units = {
        "zeros": "0",
        "open brackets": "[",
        "closing brackets": "]",
        "pairs": "[]",
        "rows": "[1] ",
        "vectors": "[0 0 1 3] ",
        "open before rows": "[[1] ",
        "scalars": "1 ",
        "parenthesised": "(1, 2) ",
        "open parentheses": "( ",
        "bars": "|",
        "nearly ends": "<|endoftext",
        "nearly blank lines": "\n x",
        "spaces": " ",
        "escapes": "\\",
        "names": "\\ab",
        "emphasis": "_",
        "dots": ".",
        "signs": "-",
        "NUL": "\0",
        "right-to-left marks": "\u200f",
        "words": "the ",
    }
    texts = {name: unit * (size // len(unit.encode())) for name, unit in units.items()}
    half = size // 2
    texts["deep brackets"] = "[" * half + "]" * half
    texts["deep parentheses"] = "(" * half + ")" * half
    texts["huge exponent"] = "1e" + "9" * size
    texts["long last line"] = "[0 0 1 2]\n" + " " * size
    return texts


TARGETS = [
    ("bfs", "[0 0 1 2]", False),
    ("bfs", "[0 0 1 2], [0 0 1 2] | [0 0 1 2]", True),
    ("binary_search", "(0, 3), (2, 3) | (3, 3)", True),
    ("topological_sort", "[0 0 1 2], 3", False),
    ("bridges", "[[0 -1 0 0], [-1 0 0 0], [0 0 0 0], [0 0 0 0]]", False),
    ("insertion_sort", "[0.1 0.2 0.3 0.4]", False),
]


@pytest.mark.parametrize("name", hostile(2))
def test_hostile_answers_earn_nothing(name):
    text = hostile(100_000)[name]
    for algorithm, truth, use_hints in TARGETS:
        for extraction in MODES:
            scores = score_answer(algorithm, 4, text, truth, use_hints, extraction)
            if name == "long last line" and algorithm == "bfs":
                assert scores.clrs == 1
            else:
                assert scores.exact == 0
                assert scores.clrs < 1


@pytest.mark.slow
def test_ten_megabytes_take_no_more_than_seconds():
    score_answer("bfs", 4, "", "[0 0 1 2]", extraction="lenient")  # compiles
    for at, text in enumerate(hostile(10_000_000).values()):
        # Two kinds of truth for each text; all kinds meet all texts above, a hundredth as long.
        for algorithm, truth, use_hints in (TARGETS[at % 6], TARGETS[(at + 1) % 6]):
            for extraction in MODES:
                start = time.perf_counter()
                score_answer(algorithm, 4, text, truth, use_hints, extraction)
                assert time.perf_counter() - start < 8
