"""What all figures share: colours, fonts, names, and which models are lines of reference."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.colors import to_rgb

from ..rendering import clean

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito 2008, colour-blind safe; without yellow, too faint on white, and black, for text.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", "--", "-.", ":")
GREY = "#7F7F7F"
SHADE = "#EAEAEA"

# Plug-ins that are no contestants: what is at most, and at least, to be had.
REFERENCES = {"solver": "ceiling", "majority": "floor"}

# Of a label, in characters; and how many stand in an inch.
_LONGEST = 48
_PER_INCH = 14

_SETTINGS = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9.5,
    "figure.titlesize": 11,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.6,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "savefig.facecolor": "white",
    "svg.hashsalt": "clrs-text-bench",
    # Names of models are not mathematics, whatever dollar signs they hold.
    "text.parse_math": False,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
}


@contextlib.contextmanager
def applied() -> Iterator[None]:
    """Draws with these settings, whatever the user's own are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


@dataclass(frozen=True, slots=True)
class Look:
    """How a model is drawn.

    Attributes:
      entry: its name in the leaderboard.
      label: its name in a legend.
      color: of lines and bars.
      marker: of points; "" for a reference.
      line: style of lines.
      reference: whether it is a thin line of reference.
    """

    entry: str
    label: str
    color: str
    marker: str
    line: str
    reference: bool


def looks(means: "pd.DataFrame", cells: "pd.DataFrame") -> dict[str, Look]:
    """Returns the look of every entry, contestants first, in alphabetical order.

    Args:
      means: rows of `aggregate.means`, for the number of seeds and missing answers.
      cells: rows of `entries.enter`, for the specs.
    """
    plugins = cells.drop_duplicates("entry").set_index("entry")["spec"].str.partition(":")[0]
    seeds = means.groupby("entry")["seeds"].max()
    incomplete = means.groupby("entry")["incomplete"].any()
    contestants = sorted(e for e in plugins.index if plugins[e] not in REFERENCES)
    references = sorted(
        (e for e in plugins.index if plugins[e] in REFERENCES),
        key=lambda e: (list(REFERENCES).index(plugins[e]), e),
    )
    found = {}
    for place, entry in enumerate(contestants):
        notes = [f"mean of {seeds[entry]} seeds"] if seeds[entry] > 1 else []
        notes += ["answers missing"] if incomplete[entry] else []
        turn, index = divmod(place, len(COLORS))
        found[entry] = Look(
            entry,
            label(entry) + (f" ({', '.join(notes)})" if notes else ""),
            COLORS[index],
            MARKERS[(index + turn) % len(MARKERS)],
            LINES[turn % len(LINES)],
            reference=False,
        )
    for entry in references:
        kind = REFERENCES[plugins[entry]]
        line = "-" if kind == "ceiling" else (0, (4, 2))
        found[entry] = Look(entry, f"{label(entry)} ({kind})", GREY, "", line, reference=True)
    return found


def label(text: str) -> str:
    """Returns text fit for a figure: short, printable, and never hidden from a legend."""
    text = clean(text)
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 1]}…"
    return f" {text}" if text.startswith("_") else text


def family(name: str) -> str:
    """Returns a family's name in words."""
    return label(name.replace("_", " "))


def wrapped(name: str, width: float) -> str:
    """Breaks a long name after the underscore nearest to its middle, to fit so many inches."""
    places = [i + 1 for i, c in enumerate(name[:-1]) if c == "_"]
    if len(name) <= _PER_INCH * width or not places:
        return name
    place = min(places, key=lambda i: abs(i - len(name) / 2))
    return f"{name[:place]}\n{name[place:]}"


def spread(row: "pd.Series", score: str) -> tuple[float, float]:
    """Returns how far the error bar reaches below and above a mean.

    One standard deviation over seeds where there are several, else the 95% interval.
    """
    if row["seeds"] > 1:
        return row[f"{score}_sd"], row[f"{score}_sd"]
    return row[score] - row[f"{score}_low"], row[f"{score}_high"] - row[score]


def spread_note(means: "pd.DataFrame") -> str:
    """Says what the error bars are."""
    parts = []
    if (means["seeds"] == 1).any():
        parts.append("95% bootstrap interval")
    if (means["seeds"] > 1).any():
        parts.append("± 1 standard deviation over seeds")
    return ", or ".join(parts)


def score_label(score: str) -> str:
    """Returns the name of a score's axis."""
    return "share of exact answers" if score == "exact" else f"{label(score)} score"


def score_axis(axes: "Axes") -> None:
    """Lets the vertical axis run over all scores."""
    axes.set_ylim(-0.03, 1.05)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])


def legend(figure: "Figure", handles: list["Artist"], note: str) -> None:
    """Puts a legend below the panels, where it covers nothing, and makes room for it.

    Args:
      figure: with a constrained layout.
      handles: artists with labels.
      note: a line above them; "" for none.
    """
    longest = max(len(handle.get_label()) for handle in handles)
    columns = int(figure.get_figwidth() / (0.6 + 0.072 * longest))
    columns = max(1, min(len(handles), columns))
    rows = -(-len(handles) // columns) + bool(note)
    figure.set_figheight(figure.get_figheight() + 0.19 * rows + 0.15)
    figure.legend(
        handles=handles,
        title=note or None,
        title_fontsize=8,
        loc="outside lower center",
        ncols=columns,
        handlelength=2.4,
        columnspacing=1.4,
    )


def lighter(color: str, share: float) -> tuple[float, float, float]:
    """Returns a colour mixed with white, of which `share` is left."""
    return tuple(1 - share * (1 - part) for part in to_rgb(color))
