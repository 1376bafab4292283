"""Score of every family of algorithms, by regime, one panel per family."""

from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from clrs_text_bench import tasks
from clrs_text_bench.regimes import REGIMES

from .. import aggregate, entries
from . import style
from .style import Look

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_COLUMNS = 4
_FILLED = 0.8
_SHORT = {
    "in-distribution": "in-dist.",
    "interpolation": "interp.",
    "extrapolation": "extrap.",
    aggregate.NO_REGIME: "no train\nlengths",
}


def figure(frame: "pd.DataFrame", score: str) -> Figure:
    """Draws a panel for every family: bars of the models, grouped by regime."""
    cells = entries.enter(frame)
    means = aggregate.means(frame, ["family", "regime"])
    means = means[means[score].notna()]
    whole = aggregate.means(frame, ["family"])
    looks = {e: k for e, k in style.looks(means, cells).items() if e in set(means["entry"])}
    bars = means[[not looks[entry].reference for entry in means["entry"]]]
    regimes = [r for r in (*REGIMES, aggregate.NO_REGIME) if r in set(bars["regime"])]
    names = _families(means)
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    drawn = Figure(figsize=(max(2.7 * columns, 5.4), 2.1 * rows + 0.4), layout="constrained")
    grid = drawn.subplots(rows, columns, sharey=True, squeeze=False)
    counts = cells.groupby("family")["algorithm"].nunique()
    for place, axes in enumerate(grid.flat):
        if place >= len(names):
            axes.set_axis_off()
            continue
        name = names[place]
        _bars(axes, bars[bars["family"] == name], looks, regimes, score)
        _references(axes, whole[whole["family"] == name], looks, score, len(regimes))
        count = f"{counts[name]} algorithm{'s' if counts[name] > 1 else ''}"
        axes.set_title(f"{style.family(name)} ({count})", fontsize=8.5)
        if place % columns == 0:
            axes.set_ylabel(style.score_label(score))
    drawn.suptitle("Scores by family of algorithms")
    note = f"Error bars: {style.spread_note(bars)}" if len(bars) else ""
    style.legend(drawn, _handles(looks), note)
    return drawn


def _families(means: "pd.DataFrame") -> list[str]:
    present = set(means["family"])
    known = [name for name in tasks.families() if name in present]
    return known + sorted(present - set(known))


def _bars(
    axes: "Axes", rows: "pd.DataFrame", looks: dict[str, Look], regimes: list[str], score: str
) -> None:
    order = [entry for entry, look in looks.items() if not look.reference]
    width = _FILLED / max(1, len(order))
    for _, row in rows.iterrows():
        look = looks[row["entry"]]
        # Bars are centred on their regime, also where only some models have it.
        present = [e for e in order if e in set(rows[rows["regime"] == row["regime"]]["entry"])]
        offset = present.index(row["entry"]) - (len(present) - 1) / 2
        x = regimes.index(row["regime"]) + offset * width
        below, above = style.spread(row, score)
        axes.bar(x, row[score], 0.92 * width, color=look.color, label=look.label)
        axes.errorbar(x, row[score], [[below], [above]], color="black", linewidth=0.8, capsize=1.5)
    axes.set_xticks(range(len(regimes)), [_SHORT[r] for r in regimes])
    axes.set_xlim(-0.55, max(1, len(regimes)) - 0.45)
    axes.tick_params(axis="x", length=0)
    axes.grid(visible=False, axis="x")
    style.score_axis(axes)


def _references(
    axes: "Axes", rows: "pd.DataFrame", looks: dict[str, Look], score: str, groups: int
) -> None:
    for _, row in rows.iterrows():
        look = looks.get(row["entry"])
        if look is not None and look.reference:
            ends = (-0.55, max(1, groups) - 0.45)
            axes.hlines(row[score], *ends, color=look.color, linestyle=look.line, linewidth=0.9)


def _handles(looks: dict[str, Look]) -> list["Artist"]:
    return [
        Line2D([], [], color=look.color, linestyle=look.line, linewidth=0.9, label=look.label)
        if look.reference
        else Patch(color=look.color, label=look.label)
        for look in looks.values()
    ]
