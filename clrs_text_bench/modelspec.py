"""Model specs: `transformer:runs/a` names the plug-in and what to hand it."""

from clrs_text_bench import registry
from clrs_text_bench.protocols import Model


def load(spec: str) -> Model:
    """Loads the model that a spec such as `solver` or `transformer:runs/a` names.

    Raises:
      BadInput: if no plug-in has that name, or it cannot load what the spec points to.
    """
    name, _, argument = spec.partition(":")
    return registry.load("models", name)(argument)
