"""Figures of a leaderboard, one module each: curves, bars, families, heatmap."""

from importlib import import_module
from typing import Any

__all__ = ["FIGURES", "draw"]


def __getattr__(name: str) -> Any:
    # Imported on first use: matplotlib is slow to import.
    if name in __all__:
        return getattr(import_module(f"{__name__}.drawing"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
