"""The figure of the context report: how large an input each algorithm can have."""

from typing import TYPE_CHECKING

from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from clrs_text_bench import tasks

from ..plots import style
from .report import MODES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_MARKERS = ("o", "s", "D", "^", "v", "P")
_ROW, _WIDTH = 0.24, 3.0
# Of the rows between which the tokenisers of an algorithm stand, and the ends of the colour scale.
_SPREAD, _COLORS = 0.44, (0.08, 0.9)
_TITLES = {"plain": "plain: question and answer", "traced": "with the algorithm's trace"}


def figure(rows: "pd.DataFrame") -> Figure:
    """Draws the largest sizes by the median, one panel per mode, one row per algorithm.

    Args:
      rows: as `report.largest_sizes` gives them.
    """
    modes = [mode for mode in MODES if mode in set(rows["mode"])]
    algorithms = _algorithms(rows)
    names = list(dict.fromkeys(rows["tokenizer"]))
    contexts = sorted(set(rows["context"]))
    first, last = _COLORS
    scale = colormaps["viridis_r"]
    colors = {
        c: scale(first + (last - first) * i / max(1, len(contexts) - 1))
        for i, c in enumerate(contexts)
    }
    size = (_WIDTH * len(modes) + 2.0, _ROW * len(algorithms) + 1.1)
    drawn = Figure(figsize=size, layout="constrained")
    grid = drawn.subplots(1, len(modes), sharey=True, sharex=True, squeeze=False)[0]
    for axes, mode in zip(grid, modes, strict=True):
        for place, algorithm in enumerate(algorithms):
            for k, name in enumerate(names):
                chosen = (rows["mode"] == mode) & (rows["algorithm"] == algorithm)
                part = rows[chosen & (rows["tokenizer"] == name) & (rows["size_median"] > 0)]
                offset = _SPREAD * ((k + 0.5) / len(names) - 0.5)
                _points(axes, part, place + offset, _MARKERS[k % len(_MARKERS)], colors)
        _frame(axes, algorithms)
        axes.set_title(_TITLES[mode], fontsize=9)
    drawn.suptitle("The largest input that fits a context")
    style.legend(drawn, _handles(names, colors, more=rows["at_least_median"].any()), "")
    return drawn


def _algorithms(rows: "pd.DataFrame") -> list[str]:
    present = set(rows["algorithm"])
    known = [name for names in tasks.families().values() for name in names]
    return [n for n in known if n in present]


def _points(
    axes: "Axes", part: "pd.DataFrame", y: float, marker: str, colors: dict[int, tuple]
) -> None:
    axes.plot(part["size_median"], [y] * len(part), color="#BBBBBB", linewidth=0.7, zorder=2)
    for context, size, more in zip(
        part["context"], part["size_median"], part["at_least_median"], strict=True
    ):
        faces = {"facecolors": "none"} if more else {"facecolors": [colors[context]]}
        axes.scatter(
            *([size], [y]),
            s=20,
            marker=marker,
            edgecolors=[colors[context]],
            linewidths=0.9,
            zorder=3,
            **faces,
        )


def _frame(axes: "Axes", algorithms: list[str]) -> None:
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
    axes.set_yticks(range(len(algorithms)), [style.label(a) for a in algorithms])
    axes.set_ylim(len(algorithms) - 0.4, -0.6)
    axes.set_xlabel("length")
    axes.tick_params(axis="x", labelrotation=45)
    families = [tasks.get(a).family for a in algorithms]
    for place in range(1, len(algorithms)):
        if families[place] != families[place - 1]:
            axes.axhline(place - 0.5, color=style.GREY, linewidth=0.6)


def _handles(names: list[str], colors: dict[int, tuple], *, more: bool) -> list["Artist"]:
    def point(label: str, marker: str, face: object, edge: object) -> Line2D:
        return Line2D(
            [],
            [],
            linestyle="",
            marker=marker,
            markerfacecolor=face,
            markeredgecolor=edge,
            label=label,
        )

    return [
        *(point(f"{c:,} tokens", "o", color, color) for c, color in colors.items()),
        *(
            point(style.label(n), _MARKERS[k % len(_MARKERS)], style.GREY, style.GREY)
            for k, n in enumerate(names)
        ),
        *([point("hollow: at least", "o", "none", style.GREY)] if more else []),
    ]
