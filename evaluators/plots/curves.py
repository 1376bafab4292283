"""Size generalisation: score against length, one line per model, trained lengths shaded."""

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from clrs_text_bench import tasks

from .. import aggregate, entries
from ..effective_size import effective_size, train_lengths
from . import style
from .style import Look

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_COLUMNS = {None: 1, "algorithm": 5, "family": 4}

# Area of the ring around a point, in square points.
_RING = 90


def figure(
    frame: "pd.DataFrame",
    score: str,
    by: Literal["algorithm", "family"] | None = None,
    share: float | None = None,
) -> Figure:
    """Draws the mean score at each length, or one panel for each algorithm or family.

    Bands are 95% intervals, or one standard deviation over seeds. Hollow points are lengths that
    the model was not trained on. Lengths are shaded where all trained models were trained on them.
    Given a share, the effective size of each line that is drawn is ringed: with one panel for each
    algorithm, those of the algorithms, else that of the mean's line.
    """
    cells = entries.enter(frame)
    means = aggregate.means(frame, [by, "length"] if by else ["length"])
    means = means[means[score].notna()]
    looks = {e: k for e, k in style.looks(means, cells).items() if e in set(means["entry"])}
    trained = _train_lengths(cells, looks)
    panels = _panels(means, by)
    columns = min(_COLUMNS[by], len(panels))
    rows = -(-len(panels) // columns)
    size = (6.4, 3.6) if by is None else (max(2.2 * columns, 6.4), 1.75 * rows + 0.6)
    drawn = Figure(figsize=size, layout="constrained")
    grid = drawn.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    shaded = _shared(trained)
    for axes, (title, part) in zip(grid.flat, panels.items(), strict=False):
        _shade(axes, shaded)
        for entry, look in looks.items():
            line = part[part["entry"] == entry].sort_values("length")
            if len(line):
                _line(axes, line, look, score, trained.get(entry))
                if share and entry in trained:
                    _ring(axes, line, look, score, trained[entry], share)
        axes.set_title(title, fontsize=8.5)
    _frame(drawn, grid, len(panels), score, means["length"], shaded)
    tasks_ = cells["algorithm"].nunique()
    over = f"mean over {tasks_} algorithms" if by is None and tasks_ > 1 else ""
    drawn.suptitle(f"Size generalisation{f', {over}' if over else ''}")
    contestants = means[[not looks[entry].reference for entry in means["entry"]]]
    note = f"Bands: {style.spread_note(contestants)}" if len(contestants) else ""
    style.legend(drawn, _handles(looks, shaded, trained, share), note)
    return drawn


def _train_lengths(cells: "pd.DataFrame", looks: dict[str, Look]) -> dict[str, tuple[int, ...]]:
    """Returns the lengths that each contestant was trained on, where it was trained on any."""
    known = train_lengths(cells)
    return {e: known[e] for e, look in looks.items() if not look.reference and known[e]}


def _shared(trained: dict[str, tuple[int, ...]]) -> list[tuple[int, int]]:
    """Returns the runs of lengths that all trained entries were trained on, ends included."""
    if not trained:
        return []
    common = sorted(set.intersection(*map(set, trained.values())))
    runs: list[tuple[int, int]] = []
    for length in common:
        if runs and length == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], length)
        else:
            runs.append((length, length))
    return runs


def _panels(means: "pd.DataFrame", by: str | None) -> dict[str, "pd.DataFrame"]:
    if by is None:
        return {"": means}
    known = tasks.names() if by == "algorithm" else list(tasks.families())
    present = set(means[by])
    names = [n for n in known if n in present] + sorted(present - set(known))
    title = style.family if by == "family" else style.label
    return {title(name): means[means[by] == name] for name in names}


def _shade(axes: "Axes", runs: list[tuple[int, int]]) -> None:
    for low, high in runs:
        axes.axvspan(low - 0.5, high + 0.5, color=style.SHADE, linewidth=0, zorder=0)


def _line(
    axes: "Axes", line: "pd.DataFrame", look: Look, score: str, trained: Collection[int] | None
) -> None:
    x, y = line["length"].to_numpy(), line[score].to_numpy()
    if look.reference:
        axes.plot(x, y, color=look.color, linestyle=look.line, linewidth=0.9, zorder=1.5)
        return
    below, above = np.array([style.spread(row, score) for _, row in line.iterrows()]).T
    if len(x) > 1:
        axes.fill_between(x, y - below, y + above, color=look.color, alpha=0.15, linewidth=0)
    else:
        axes.errorbar(x, y, [below, above], color=look.color, capsize=3, linewidth=1)
    axes.plot(x, y, color=look.color, linestyle=look.line, label=look.label, zorder=3)
    hollow = [trained is not None and length not in trained for length in x]
    faces = ["white" if h else look.color for h in hollow]
    axes.scatter(
        x, y, s=24, marker=look.marker, c=faces, edgecolors=look.color, linewidths=1.2, zorder=4
    )


def _ring(
    axes: "Axes",
    line: "pd.DataFrame",
    look: Look,
    score: str,
    trained: Collection[int],
    share: float,
) -> None:
    """Rings the point of a line at its effective size, if it has one."""
    scores = dict(zip(line["length"], line[score], strict=True))
    found = effective_size(scores, trained, share)
    if found and found.size:
        axes.scatter(
            *(found.size, scores[found.size]),
            s=_RING,
            marker="o",
            facecolors="none",
            edgecolors=look.color,
            linewidths=1.1,
            zorder=5,
            gid=f"effective size of {look.entry}",
        )


def _frame(
    drawn: Figure,
    grid: np.ndarray,
    used: int,
    score: str,
    lengths: "pd.Series",
    shaded: list[tuple[int, int]],
) -> None:
    """Sets the axes' limits, ticks and labels; empties the panels that are left over."""
    ends = [*lengths, *(end for run in shaded for end in run)]
    margin = max(0.7, 0.03 * (max(ends) - min(ends)))
    ticks = sorted(set(lengths))
    for place, axes in enumerate(grid.flat):
        if place >= used:
            axes.set_axis_off()
            continue
        axes.set_xlim(min(ends) - margin, max(ends) + margin)
        axes.set_xticks(_apart(ticks, (max(ends) - min(ends)) / (9 if grid.size > 1 else 24)))
        style.score_axis(axes)
        # Columns that end above the last row need labels of their own.
        if place + grid.shape[1] >= used:
            axes.set_xlabel("length")
            axes.tick_params(labelbottom=True)
        if place % grid.shape[1] == 0:
            axes.set_ylabel(style.score_label(score))


def _apart(ticks: list[int], gap: float) -> list[int]:
    """Leaves out ticks that would stand closer than a gap, and keeps the last one."""
    kept = [ticks[-1]]
    for tick in reversed(ticks[:-1]):
        if kept[-1] - tick >= gap:
            kept.append(tick)
    return kept[::-1]


def _handles(
    looks: dict[str, Look],
    shaded: list[tuple[int, int]],
    trained: dict[str, tuple[int, ...]],
    share: float | None,
) -> list["Artist"]:
    handles: list[Artist] = [
        Line2D(
            [],
            [],
            color=look.color,
            marker=look.marker or None,
            linestyle=look.line,
            linewidth=0.9 if look.reference else 1.6,
            label=look.label,
        )
        for look in looks.values()
    ]
    if shaded:
        handles.append(Patch(color=style.SHADE, label="trained lengths (in-distribution)"))
    if trained:
        handles.append(
            Line2D(
                [],
                [],
                linestyle="",
                marker="o",
                markerfacecolor="white",
                markeredgecolor=style.GREY,
                label="hollow: length not trained on",
            )
        )
    if trained and share:
        handles.append(
            Line2D(
                [],
                [],
                linestyle="",
                marker="o",
                markersize=math.sqrt(_RING),
                markerfacecolor="none",
                markeredgecolor=style.GREY,
                label=f"ring: {share:.0%} of the trained score is kept up to here",
            )
        )
    return handles
