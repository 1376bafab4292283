"""Lengths as a person writes them."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clrs_text_bench import errors, lengths, provenance, tasks
from clrs_text_bench.errors import BadInput


@given(st.sets(st.integers(1, 100_000), min_size=1, max_size=30))
def test_parse_inverts_show(chosen):
    assert lengths.parse(lengths.show(list(chosen))) == sorted(chosen)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", [12]),
        ("4-8,12", [4, 5, 6, 7, 8, 12]),
        (" 7 , 4-5 ", [4, 5, 7]),
        ("5,4,5,4-5", [4, 5]),
        ("4-4", [4]),
        ("007", [7]),
    ],
)
def test_what_is_understood(text, expected):
    assert lengths.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "length '' in '' is not like 12 or 4-8"),
        ("a", "length 'a' in 'a' is not like 12 or 4-8"),
        ("4,,5", "length '' in '4,,5' is not like 12 or 4-8"),
        ("4,x", "length 'x' in '4,x' is not like 12 or 4-8"),
        ("-3", "length '-3' in '-3' is not like 12 or 4-8"),
        ("4--8", "length '4--8' in '4--8' is not like 12 or 4-8"),
        ("4-", "length '4-' in '4-' is not like 12 or 4-8"),
        ("4.5", "length '4.5' in '4.5' is not like 12 or 4-8"),
        ("4 8", "length '4 8' in '4 8' is not like 12 or 4-8"),
        ("1e3", "length '1e3' in '1e3' is not like 12 or 4-8"),
        ("٤", "length '٤' in '٤' is not like 12 or 4-8"),
        ("0", "length '0' in '0' is below 1"),
        ("0-4", "length '0-4' in '0-4' is below 1"),
        ("8-4", "length range '8-4' runs backwards; write 4-8"),
        ("100001", "length 100001 in '100001' is beyond 100000"),
        ("4-999999999", "length 999999999 in '4-999999999' is beyond 100000"),
    ],
)
def test_what_is_not_is_a_sentence(text, sentence):
    with pytest.raises(BadInput) as caught:
        lengths.parse(text)
    assert str(caught.value) == sentence


def test_a_number_of_thousands_of_digits_is_a_sentence():
    with pytest.raises(BadInput, match="is not like 12 or 4-8"):
        lengths.parse("9" * 5000)


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text):
    try:
        found = lengths.parse(text)
    except BadInput:
        return
    assert found == sorted(set(found))
    assert found[0] >= 1


@pytest.mark.parametrize("module", [errors, lengths, provenance, tasks])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0
