"""Pydantic's complaints as sentences."""

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator

from clrs_text_bench import validation
from clrs_text_bench.errors import BadInput


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    width: int = 1
    name: str = ""

    @model_validator(mode="after")
    def _odd(self) -> "Inner":
        if self.width % 2 == 0:
            raise ValueError(f"width {self.width} is even")
        return self


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    rate: float = Field(1.0, gt=0)
    inner: Inner = Inner()
    many: tuple[Inner, ...] = ()
    by_name: dict[str, Inner] = {}
    needed: str


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"needed": "x", "rat": 1}, "f: unknown key 'rat'; did you mean 'rate'?"),
        (
            {"needed": "x", "inner": {"widht": 1}},
            "f: unknown key 'inner.widht'; did you mean 'width'?",
        ),
        (
            {"needed": "x", "many": [{}, {"nane": 1}]},
            "f: unknown key 'many.1.nane'; did you mean 'name'?",
        ),
        (
            {"needed": "x", "by_name": {"a": {"nane": 1}}},
            "f: unknown key 'by_name.a.nane'; did you mean 'name'?",
        ),
        ({}, "f: key 'needed' is missing"),
        ({"neded": "x"}, "f: unknown key 'neded'; did you mean 'needed'?"),
        ({"needed": "x", "rate": 0}, "f: rate = 0: input should be greater than 0"),
        (
            {"needed": "x", "rate": "fast"},
            "f: rate = 'fast': input should be a valid number, unable to parse string as a number",
        ),
        ({"needed": "x", "inner": {"width": 2}}, "f: inner: width 2 is even"),
        (3, "f: 3: input should be a valid dictionary or instance of Outer"),
    ],
)
def test_first_complaint_names_place_and_value(values, sentence):
    with pytest.raises(BadInput) as caught:
        validation.build(Outer, values, "f")
    assert str(caught.value) == sentence


def test_a_long_value_is_cut():
    with pytest.raises(BadInput) as caught:
        validation.build(Outer, {"needed": "x", "rate": "9x" * 5000}, "f")
    assert len(str(caught.value)) < 300


def test_what_is_right_is_built():
    built = validation.build(Outer, {"needed": "x", "many": [{"width": 3}]}, "f")
    assert built.many[0].width == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a = ", "f is not valid TOML: "),
        (b"a = '\xff'", "f is not valid TOML: 'utf-8' codec can't decode"),
        ("a = 1\na = 2", "f is not valid TOML: "),
    ],
)
def test_what_is_no_toml_is_a_sentence(text, sentence):
    with pytest.raises(BadInput, match=sentence):
        validation.parse_toml(text, "f")
