"""Generators: engines that make samples, and the making of data sets.

from clrs_text_bench.generators import generate_batch, run_algorithm, stream
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .batch import generate_batch, run_algorithm
    from .streams import stream

__all__ = ["generate_batch", "run_algorithm", "stream"]

_MODULES = {"generate_batch": "batch", "run_algorithm": "batch", "stream": "streams"}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
