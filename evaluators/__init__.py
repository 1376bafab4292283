"""Scores of answers, leaderboards, comparisons and plots."""

from importlib import import_module
from typing import Any

__all__ = ["Scores", "score_answer", "score_table"]


def __getattr__(name: str) -> Any:
    # Imported on first use: the command line looks into this package and must stay quick.
    if name in __all__:
        return getattr(import_module(f"{__name__}.clrs_text"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
