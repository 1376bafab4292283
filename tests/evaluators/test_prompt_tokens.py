import doctest

import pytest

from clrs_text_bench import modelspec
from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import price, prompt_tokens


def test_examples():
    for module in (prompt_tokens, price, modelspec):
        found = doctest.testmod(module)
        assert found.attempted > 0
        assert found.failed == 0


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", 0),
        ("bfs:\n", 3),
        ("0.123", 3),
        ("1234", 2),
        ("initial_trace", 3),
        ("[[0 1], [1 0]]", 11),
        ("é 模型", 3),
    ],
)
def test_the_estimate_cuts_words_and_up_to_three_digits(text, pieces):
    assert prompt_tokens.estimate([text]).tolist() == [pieces]


def test_a_tokeniser_counts_for_itself():
    assert prompt_tokens.counter("char")(["abc", ""]).tolist() == [3, 0]
    with pytest.raises(BadInput, match="unknown tokenizer 'chr'; did you mean 'char'"):
        prompt_tokens.counter("chr")


def test_an_option_is_added_to_a_spec():
    assert modelspec.with_option("hf:a/b?x=1", "prompt", "few-shot:3") == (
        "hf:a/b?x=1&prompt=few-shot:3"
    )
    assert modelspec.with_option("hf:a", "prompt", "a&b=c") == "hf:a?prompt=a%26b%3Dc"
    assert modelspec.with_option("hf:a?other_prompt=1", "prompt", "x").endswith("&prompt=x")
    for spec in ("solver", "solver?x=1"):
        with pytest.raises(BadInput, match="takes no prompt; leave --prompt out"):
            modelspec.with_option(spec, "prompt", "chat")
    for spec in ("hf:a?prompt=x", "hf:a?b=1&prompt="):
        with pytest.raises(BadInput, match="give it once"):
            modelspec.with_option(spec, "prompt", "chat")
