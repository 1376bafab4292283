"""Generators: engines that make samples, and the making of data sets.

from clrs_text_bench.generators import generate_batch, run_algorithm
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .batch import generate_batch, run_algorithm

__all__ = ["generate_batch", "run_algorithm"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from . import batch

        return getattr(batch, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
