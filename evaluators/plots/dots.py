"""An ablation: every variant's score in and out of distribution, and how it differs from the base.

A point for each variant and regime, with its interval (Cleveland 1993, dot plots).
"""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..ablation.measures import IN, OUT
from ..rendering import clean
from . import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

# By regime: colour, marker, whether it is filled, and how far from a variant's line it stands.
_LOOKS = {IN: (style.COLORS[0], "o", True, -0.14), OUT: (style.COLORS[1], "s", False, 0.14)}


def figure(measured: "pd.DataFrame", score: str, title: str) -> Figure:
    """Draws scores to the left, differences to the right, a line for each variant.

    Args:
      measured: rows as `ablation.measures.measure` gives them.
      score: which score.
      title: of the figure.
    """
    rows = measured[(measured["score"] == score) & measured["part"].isin(_LOOKS)]
    variants = list(dict.fromkeys(rows["variant"]))
    base = rows["base"].iloc[0]
    drawn = Figure(figsize=(8.2, 0.42 * len(variants) + 1.1), layout="constrained")
    left, right = drawn.subplots(1, 2, sharey=True)
    for regime, (color, marker, filled, offset) in _LOOKS.items():
        part = rows[rows["part"] == regime].set_index("variant")
        heights = np.array([variants.index(v) + offset for v in part.index])
        look = {"color": color, "marker": marker, "mfc": color if filled else "white"}
        _points(left, part, heights, ("mean", "low", "high"), look)
        _points(right, part, heights, tuple(f"difference{s}" for s in ("", "_low", "_high")), look)
    right.axvline(0, color=style.GREY, linewidth=0.9, zorder=0.5)
    left.set_ylim(len(variants) - 0.5, -0.5)
    left.set_yticks(
        range(len(variants)),
        [style.label(f"{v} (base)" if v == base else v) for v in variants],
    )
    for axes in (left, right):
        axes.tick_params(axis="y", length=0)
        axes.locator_params(axis="x", nbins=5)
    left.set_xlabel(style.score_label(score))
    right.set_xlabel(f"difference to {style.label(base)}")
    drawn.suptitle(clean(title))
    style.legend(drawn, _handles(rows), _note(rows))
    return drawn


def _points(
    axes: "Axes",
    part: "pd.DataFrame",
    heights: np.ndarray,
    columns: tuple[str, str, str],
    look: dict[str, str],
) -> None:
    mean, low, high = (part[column].to_numpy(float) for column in columns)
    known = np.isfinite(mean)
    reach = np.stack([mean - low, high - mean])[:, known]
    axes.errorbar(
        mean[known], heights[known], xerr=reach, linestyle="", linewidth=1.2, capsize=2, **look
    )


def _handles(rows: "pd.DataFrame") -> list["Artist"]:
    return [
        Line2D(
            [],
            [],
            color=color,
            marker=marker,
            mfc=color if filled else "white",
            ls="",
            label=regime,
        )
        for regime, (color, marker, filled, _) in _LOOKS.items()
        if regime in set(rows["part"])
    ]


def _note(rows: "pd.DataFrame") -> str:
    seeds = max(map(len, rows["seeds"]))
    over = f"; means over up to {seeds} seeds" if seeds > 1 else ""
    return f"Bars: 95% bootstrap intervals over the answers, paired for differences{over}"
