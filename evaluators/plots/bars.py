"""Score of every algorithm, in and out of distribution side by side (Bounsi et al. 2024, fig. 4).

Out of distribution is interpolation and extrapolation together.
"""

from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from clrs_text_bench import tasks

from .. import aggregate, entries
from . import style
from .style import Look

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_IN, _OUT = "in-distribution", "out of distribution"
_HATCHES = {_IN: "", _OUT: "//////", aggregate.NO_REGIME: "...."}
_SHADES = {_IN: 1.0, _OUT: 0.25, aggregate.NO_REGIME: 0.6}

# Of a group of bars, beside which the rest is space.
_FILLED = 0.84

_WIDTH = 11.0
_BARS_IN_ROW = 64


def figure(frame: "pd.DataFrame", score: str) -> Figure:
    """Draws a group of bars for every algorithm, filed by family, in as many rows as it takes."""
    cells = entries.enter(frame)
    out = frame["regime"].isin(["interpolation", "extrapolation"])
    means = aggregate.means(
        frame.assign(regime=frame["regime"].mask(out, _OUT)), ["algorithm", "regime"]
    )
    means = means[means[score].notna()]
    looks = {e: k for e, k in style.looks(means, cells).items() if e in set(means["entry"])}
    whole = aggregate.means(frame, ["algorithm"])
    regimes = [r for r in _HATCHES if r in set(_contestants(means, looks)["regime"])]
    rows = _rows(means, max(1, len(_slots(means, looks))))
    drawn = Figure(figsize=(_WIDTH, 2.3 * len(rows) + 0.3), layout="constrained")
    grid = drawn.subplots(len(rows), 1, sharey=True, squeeze=False)
    for axes, algorithms in zip(grid.flat, rows, strict=True):
        _row(axes, means, looks, algorithms, score, max(map(len, rows)))
        _references(axes, whole, looks, algorithms, score)
    drawn.suptitle("Scores by algorithm, in and out of distribution")
    contestants = _contestants(means, looks)
    note = f"Error bars: {style.spread_note(contestants)}" if len(contestants) else ""
    style.legend(drawn, _handles(looks, regimes), note)
    return drawn


def _contestants(means: "pd.DataFrame", looks: dict[str, Look]) -> "pd.DataFrame":
    references = [entry for entry, look in looks.items() if look.reference]
    return means[~means["entry"].isin(references)]


def _slots(means: "pd.DataFrame", looks: dict[str, Look]) -> list[tuple[str, str]]:
    """Returns the (entry, regime) that a group has bars for, in order."""
    present = set(zip(means["entry"], means["regime"], strict=True))
    return [
        (entry, regime)
        for entry, look in looks.items()
        for regime in _HATCHES
        if not look.reference and (entry, regime) in present
    ]


def _rows(means: "pd.DataFrame", bars: int) -> list[list[str]]:
    """Shares the algorithms out over rows of about equal length, in order of family."""
    present = set(means["algorithm"])
    known = [name for names in tasks.families().values() for name in names]
    names = [n for n in known if n in present] + sorted(present - set(known))
    most = min(10, max(2, _BARS_IN_ROW // bars))
    rows = -(-len(names) // most)
    size = -(-len(names) // rows)
    return [names[start : start + size] for start in range(0, len(names), size)]


def _row(
    axes: "Axes",
    means: "pd.DataFrame",
    looks: dict[str, Look],
    algorithms: list[str],
    score: str,
    places: int,
) -> None:
    slots = _slots(means, looks)
    width = _FILLED / max(1, len(slots))
    rows = means.set_index(["algorithm", "entry", "regime"])
    for place, algorithm in enumerate(algorithms):
        for number, (entry, regime) in enumerate(slots):
            if (algorithm, entry, regime) not in rows.index:
                continue
            row = rows.loc[(algorithm, entry, regime)]
            x = place - _FILLED / 2 + (number + 0.5) * width
            _bar(axes, x, width, row, score, looks[entry], regime)
    axes.set_xlim(-0.6, places - 0.4)
    room = (_WIDTH - 1) / places
    names = [style.wrapped(style.label(a), room) for a in algorithms]
    axes.set_xticks(range(len(algorithms)), names)
    axes.set_ylabel(style.score_label(score))
    axes.tick_params(axis="x", length=0)
    axes.grid(visible=False, axis="x")
    style.score_axis(axes)
    _families(axes, algorithms)


def _bar(
    axes: "Axes", x: float, width: float, row: "pd.Series", score: str, look: Look, regime: str
) -> None:
    below, above = style.spread(row, score)
    face = style.lighter(look.color, _SHADES[regime])
    axes.bar(
        x,
        row[score],
        0.92 * width,
        color=face,
        edgecolor=look.color,
        hatch=_HATCHES[regime],
        linewidth=0.7,
        label=f"{look.label}, {regime}",
    )
    axes.errorbar(x, row[score], [[below], [above]], color="black", linewidth=0.8, capsize=1.2)


def _references(
    axes: "Axes",
    whole: "pd.DataFrame",
    looks: dict[str, Look],
    algorithms: list[str],
    score: str,
) -> None:
    for entry, look in looks.items():
        if not look.reference:
            continue
        scores = whole[whole["entry"] == entry].set_index("algorithm")[score]
        for place, algorithm in enumerate(algorithms):
            if algorithm in scores.index:
                ends = (place - 0.48, place + 0.48)
                axes.hlines(scores[algorithm], *ends, color=look.color, linestyle=look.line, lw=0.9)


def _families(axes: "Axes", algorithms: list[str]) -> None:
    """Writes the families above their algorithms, and parts them by lines."""
    known = tasks.catalogue()
    names = [style.family(known[a].family) if a in known else "other" for a in algorithms]
    start = 0
    for place in range(1, len(names) + 1):
        if place == len(names) or names[place] != names[start]:
            axes.text(
                (start + place - 1) / 2,
                1.07,
                names[start],
                ha="center",
                va="bottom",
                color="#555555",
                fontsize=8.5,
                fontstyle="italic",
            )
            if place < len(names):
                axes.axvline(place - 0.5, color="#BBBBBB", linewidth=0.8, zorder=0.5)
            start = place


def _handles(looks: dict[str, Look], regimes: list[str]) -> list["Artist"]:
    handles: list[Artist] = [
        Patch(facecolor=look.color, edgecolor=look.color, label=look.label)
        for look in looks.values()
        if not look.reference
    ]
    handles += [
        Line2D([], [], color=look.color, linestyle=look.line, linewidth=0.9, label=look.label)
        for look in looks.values()
        if look.reference
    ]
    handles += [
        Patch(
            facecolor=style.lighter(style.GREY, _SHADES[regime]),
            edgecolor=style.GREY,
            hatch=_HATCHES[regime],
            label=regime,
        )
        for regime in regimes
    ]
    return handles
