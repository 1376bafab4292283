"""Pydantic's complaints, put into sentences a person understands."""

import tomllib
from typing import TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from clrs_text_bench.errors import BadInput, did_you_mean

M = TypeVar("M", bound=BaseModel)

_MOST_SHOWN = 100


def parse_toml(text: str | bytes, where: str) -> dict:
    """Reads TOML; raises `BadInput` naming the place of a mistake."""
    try:
        return tomllib.loads(text.decode() if isinstance(text, bytes) else text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{where} is not valid TOML: {error}") from error


def build(model: type[M], values: object, where: str) -> M:
    """Validates values against a model; raises `BadInput` with the first complaint as a sentence.

    Args:
      model: a pydantic model that forbids unknown keys.
      values: what was read from a file.
      where: names the file in the sentence.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise BadInput(f"{where}: {sentence(error, model)}") from error


def sentence(error: ValidationError, model: type[BaseModel]) -> str:
    """Puts the first complaint of a validation into words, with its place."""
    found = error.errors()
    # A key written wrong is unknown, and the one that was meant is missing: name the former.
    first = next((e for e in found if e["type"] == "extra_forbidden"), found[0])
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _fields_at(model, first["loc"][:-1])
        return f"unknown key {place!r}{did_you_mean(str(first['loc'][-1]), known)}"
    if first["type"] == "missing":
        return f"key {place!r} is missing"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":
        return f"{place}: {message}" if place else message
    value = _shown(first["input"])
    return f"{f'{place} = {value}' if place else value}: {message[0].lower()}{message[1:]}"


def _shown(value: object) -> str:
    """Writes a value, shortened if it is long."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _fields_at(model: type[BaseModel], location: tuple) -> list[str]:
    """Returns the field names of the model nested at a location."""
    places = iter(location)
    for place in places:
        annotation = model.model_fields[place].annotation
        if get_origin(annotation) in (dict, list, tuple):
            next(places, None)  # a key or an index
        nested = [annotation, *get_args(annotation)]
        found = [n for n in nested if isinstance(n, type) and issubclass(n, BaseModel)]
        if not found:
            return []
        model = found[0]
    return list(model.model_fields)
