"""Pydantic's complaints, put into sentences a person understands."""

import tomllib
from typing import TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from clrs_text_bench.errors import BadInput, did_you_mean, shortened

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
    parts, parent = _walk(model, first["loc"])
    place = ".".join(parts)
    if first["type"] == "extra_forbidden":
        known = list(parent.model_fields) if parent else []
        return f"unknown key {place!r}{did_you_mean(str(first['loc'][-1]), known)}"
    if first["type"] == "missing":
        return f"key {place!r} is missing"
    if first["type"] == "union_tag_invalid":
        context = first["ctx"]
        expected = " or ".join(context["expected_tags"].split(", "))
        return f"{place}.kind = {context['tag']!r}: input should be {expected}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":
        return f"{place}: {message}" if place else message
    value = shortened(first["input"], _MOST_SHOWN)
    return f"{f'{place} = {value}' if place else value}: {message[0].lower()}{message[1:]}"


def _walk(model: type[BaseModel], location: tuple) -> tuple[list[str], type[BaseModel] | None]:
    """Follows a location; returns its parts, and the model that has or lacks the last one.

    After a field that is one of several models, pydantic names which; that is no part of the place.
    """
    parts: list[str] = []
    parent: type[BaseModel] | None = model
    places = iter(location)
    for part in places:
        parts.append(str(part))
        if parent is None or part not in parent.model_fields:
            continue
        annotation = parent.model_fields[part].annotation
        if get_origin(annotation) in (dict, list, tuple):
            parts += [str(key) for key in [next(places, None)] if key is not None]
        nested = _models(annotation)
        if len(nested) > 1:
            tag = next(places, None)
            nested = [m for m in nested if m.model_fields["kind"].default == tag]
        if nested:
            parent = nested[0]
    return parts, parent


def _models(annotation: object) -> list[type[BaseModel]]:
    """Returns the models among a type and its parts."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]
