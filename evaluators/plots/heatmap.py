"""Score of every algorithm at every length, one panel per model."""

import itertools
import textwrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from clrs_text_bench import tasks

from .. import aggregate, entries
from . import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLUMNS = 4
_CELL = (0.4, 0.2)
_NARROWEST = 1.3
_MISSING = "#F2F2F2"


def figure(frame: "pd.DataFrame", score: str) -> Figure:
    """Draws one panel per model; lines of reference have none, unless there is nothing else.

    Rows are filed by family. Lengths that the model was trained on are bold.
    """
    cells = entries.enter(frame)
    means = aggregate.means(frame, ["algorithm", "length"])
    means = means[means[score].notna()]
    looks = {e: k for e, k in style.looks(means, cells).items() if e in set(means["entry"])}
    shown = [k for k in looks.values() if not k.reference] or list(looks.values())
    algorithms = _algorithms(means)
    lengths = sorted(set(means["length"]))
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    panel = max(_CELL[0] * len(lengths), _NARROWEST)
    width = columns * (panel + 0.35) + 3.4
    height = rows * (_CELL[1] * len(algorithms) + 0.55) + 1.0
    drawn = Figure(figsize=(width, height), layout="constrained")
    grid = drawn.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    trained = cells.drop_duplicates("entry").set_index("entry")["train_lengths"]
    colors = colormaps["viridis"].with_extremes(bad=_MISSING)
    image = None
    for place, axes in enumerate(grid.flat):
        if place >= len(shown):
            axes.set_axis_off()
            continue
        look = shown[place]
        table = means[means["entry"] == look.entry].pivot(
            index="algorithm", columns="length", values=score
        )
        values = table.reindex(index=algorithms, columns=lengths).to_numpy(float)
        image = axes.imshow(values, cmap=colors, vmin=0, vmax=1, aspect="auto")
        _annotate(axes, values)
        _ticks(axes, algorithms, lengths, trained[look.entry] or ())
        axes.set_title(textwrap.fill(look.label, int(12 * panel)), fontsize=8.5)
    _families(grid[0, columns - 1], algorithms)
    drawn.colorbar(image, ax=grid, label=style.score_label(score), aspect=30, pad=0.02)
    drawn.supxlabel(
        "length" + (" (bold: trained on)" if any(trained[k.entry] for k in shown) else ""),
        fontsize=9,
    )
    drawn.suptitle("Scores by algorithm and length")
    return drawn


def _algorithms(means: "pd.DataFrame") -> list[str]:
    present = set(means["algorithm"])
    known = [name for names in tasks.families().values() for name in names]
    return [n for n in known if n in present] + sorted(present - set(known))


def _annotate(axes: "Axes", values: np.ndarray) -> None:
    for (row, column), value in np.ndenumerate(values):
        text = "–" if np.isnan(value) else f"{value:.2f}"
        light = np.isnan(value) or value > 0.6
        axes.text(
            column,
            row,
            text,
            ha="center",
            va="center",
            fontsize=6.5,
            color="black" if light else "white",
        )


def _ticks(
    axes: "Axes", algorithms: list[str], lengths: list[int], trained: tuple[int, ...]
) -> None:
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_yticks(range(len(algorithms)), [style.label(a) for a in algorithms])
    axes.set_xticks(range(len(lengths)), lengths)
    axes.tick_params(labelbottom=True)
    for tick, length in zip(axes.get_xticklabels(), lengths, strict=True):
        tick.set_fontweight("bold" if length in trained else "normal")
    for place in _borders(algorithms):
        axes.axhline(place - 0.5, color="white", linewidth=2.5)


def _family(algorithm: str) -> str:
    known = tasks.catalogue()
    return known[algorithm].family if algorithm in known else "other"


def _borders(algorithms: list[str]) -> list[int]:
    """Returns the rows at which another family begins, but the first."""
    names = [_family(a) for a in algorithms]
    return [i for i in range(1, len(names)) if names[i] != names[i - 1]]


def _families(axes: "Axes", algorithms: list[str]) -> None:
    """Writes the families beside their rows."""
    edges = [0, *_borders(algorithms), len(algorithms)]
    for start, stop in itertools.pairwise(edges):
        axes.text(
            1.02,
            (start + stop - 1) / 2,
            style.family(_family(algorithms[start])),
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=8,
            fontstyle="italic",
            color="#555555",
        )
