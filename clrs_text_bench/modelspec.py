"""Model specs: `transformer:runs/a` names the plug-in and what to hand it."""

import urllib.parse

from clrs_text_bench import registry
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import Model


def load(spec: str) -> Model:
    """Loads the model that a spec such as `solver` or `transformer:runs/a` names.

    Raises:
      BadInput: if no plug-in has that name, or it cannot load what the spec points to.
    """
    name, _, argument = spec.partition(":")
    return registry.load("models", name)(argument)


def with_option(spec: str, name: str, value: str) -> str:
    """Adds an option to a spec, as if it stood there.

    >>> with_option("openai:small@https://host/v1", "prompt", "few-shot:3")
    'openai:small@https://host/v1?prompt=few-shot:3'

    Raises:
      BadInput: if the spec holds no more than a name, or has that option.
    """
    path, question, options = spec.partition("?")
    if ":" not in path:
        raise BadInput(f"model {spec} takes no {name}; leave --{name} out")
    if f"&{name}=" in f"&{options}":
        raise BadInput(f"{name} stands in {spec} and beside it; give it once")
    return f"{spec}{'&' if question else '?'}{name}={urllib.parse.quote(value, safe=':')}"
