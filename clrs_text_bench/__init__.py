"""Benchmark and evaluation harness for algorithmic reasoning in text.

The core: the contracts that generators, models and evaluators share, and the command line.
"""

from importlib import import_module, metadata
from typing import Any

__version__ = metadata.version("clrs-text-bench")

_MODULES = ("datasets", "graph", "identity", "recipes", "tasks", "text")


def __getattr__(name: str) -> Any:
    # Imported on first use: `import clrs_text_bench` alone must stay quick.
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
