"""A leaderboard's figures as the page holds them; every mean is `aggregate.means`'s."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from clrs_text_bench import tasks
from clrs_text_bench.regimes import REGIMES, regime

from .. import aggregate, entries, leaderboard, tables
from ..effective_size import train_lengths
from ..plots import style
from . import texts

if TYPE_CHECKING:
    import pandas as pd

# Figures that are printed agree with the leaderboard command's to the last digit that it shows;
# those that are drawn need no more than four.
_PRINTED, _DRAWN = 8, 4

_KINDS = [*REGIMES, aggregate.NO_REGIME]

_COUNTS = ("seeds", "algorithms", "lengths", "n", "errors", "missing")
_ENDS = ("", "_low", "_high")

# What Vega calls the markers and lines of `style`.
_SHAPES = dict(
    zip(
        style.MARKERS,
        ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross"),
        strict=True,
    )
)
_DASHES = {"-": [1, 0], "--": [7, 3], "-.": [7, 3, 1.5, 3], ":": [1.5, 2.5]}


def payload(frame: "pd.DataFrame") -> dict[str, Any]:
    """Returns the figures of a leaderboard, JSON-like.

    Rows are lists, named by `columns`; `entry`, `family`, `regime` and `algorithm` are places in
    the lists of that name, -1 for all. In `overall` each score has its mean, the ends of its
    interval and its standard deviation over seeds (as `aggregate.means` gives them), in `curves`
    and `cells` its mean and the ends of what is drawn around it (as `style.spread` does).

    Args:
      frame: rows as `leaderboard.read` gives them.
    """
    board = _Board(frame)
    return {
        "scores": [texts.name(name) for name in board.scores],
        "score": board.scores.index(leaderboard.main_score(frame)),
        "entries": board.entries(),
        "families": [texts.name(name.replace("_", " ")) for name in board.families],
        "algorithms": [texts.name(name) for name in board.algorithms],
        "family_of": board.family_of(),
        "regimes": _KINDS,
        "overall": board.overall([], ["family"], ["regime"], ["family", "regime"]),
        "curves": board.drawn("family", ["length"], ["family", "length"]),
        "cells": board.drawn("algorithm", ["algorithm", "length"]),
    }


class _Board:
    """A leaderboard, and in which order its models, tasks and regimes stand on the page."""

    def __init__(self, frame: "pd.DataFrame") -> None:
        self.scores = leaderboard.score_names(frame)
        self._frame = frame
        self._cells = entries.enter(frame)
        order = tables.full(frame, None, leaderboard.main_score(frame), "score")
        self._order = order.to_dict("records")
        self._trained = train_lengths(self._cells)
        self.families = _in_order(set(self._cells["family"]), list(tasks.families()))
        self.algorithms = _in_order(set(self._cells["algorithm"]), tasks.names())
        names = {
            "entry": [row["model"] for row in self._order],
            "family": self.families,
            "regime": _KINDS,
            "algorithm": self.algorithms,
        }
        self._places = {
            key: {name: place for place, name in enumerate(known)} for key, known in names.items()
        }

    def family_of(self) -> list[int]:
        """Returns the family of each algorithm."""
        firsts = self._cells.drop_duplicates("algorithm").set_index("algorithm")["family"]
        return [self._places["family"][firsts[name]] for name in self.algorithms]

    def entries(self) -> list[dict[str, Any]]:
        """Returns who stands in the leaderboard, the best first."""
        looks = style.looks(aggregate.means(self._frame), self._cells)
        return [
            {
                "name": texts.name(row["model"]),
                "label": texts.name(looks[row["model"]].label),
                "parameters": _integer(row["n_parameters"]),
                "trained": [int(n) for n in self._trained[row["model"]]],
                **_look(looks[row["model"]]),
            }
            for row in self._order
        ]

    def overall(self, *groupings: list[aggregate.Key]) -> dict[str, Any]:
        """Returns the table's figures: means over all, and within groups."""
        keys, ends = ("entry", "family", "regime"), (*_ENDS, "_sd")
        rows = [
            [
                *self._key(row, keys),
                *(int(row[name]) for name in _COUNTS),
                *(_number(row[score + end], _PRINTED) for score in self.scores for end in ends),
            ]
            for by in groupings
            for row in aggregate.means(self._frame, by).to_dict("records")
        ]
        return {"columns": [*keys, *_COUNTS, *self._columns(ends)], "rows": rows}

    def drawn(self, group: aggregate.Key, *groupings: list[aggregate.Key]) -> dict[str, Any]:
        """Returns the figures' figures: means at each length of all, or within groups."""
        keys = ("entry", group, "regime")
        rows = [
            [
                *self._key(row | {"regime": self._regime(row)}, keys),
                int(row["length"]),
                int(row["n"]),
                *(_number(x, _DRAWN) for score in self.scores for x in _band(row, score)),
            ]
            for by in groupings
            for row in aggregate.means(self._frame, by).to_dict("records")
        ]
        return {"columns": [*keys, "length", "n", *self._columns(_ENDS)], "rows": rows}

    def _regime(self, row: dict[str, Any]) -> str:
        return regime(row["length"], self._trained[row["entry"]]) or aggregate.NO_REGIME

    def _key(self, row: dict[str, Any], keys: Sequence[str]) -> list[int]:
        return [self._places[key][row[key]] if key in row else -1 for key in keys]

    def _columns(self, ends: Sequence[str]) -> list[str]:
        return [f"{place}{end}" for place in range(len(self.scores)) for end in ends]


def _in_order(present: set[str], known: Sequence[str]) -> list[str]:
    return [name for name in known if name in present] + sorted(present - set(known))


def _look(look: style.Look) -> dict[str, Any]:
    return {
        "reference": look.reference,
        "color": look.color,
        "shape": None if look.reference else _SHAPES[look.marker],
        "dash": _DASHES[look.line] if isinstance(look.line, str) else list(look.line[1]),
    }


def _band(row: dict[str, Any], score: str) -> tuple[float, float, float]:
    """Returns a mean, and the ends of what is drawn around it."""
    mean, (below, above) = row[score], style.spread(row, score)
    return mean, mean - below, mean + above


def _integer(value: Any) -> int | None:
    import pandas as pd

    return None if pd.isna(value) else int(value)


def _number(value: float, decimals: int) -> float | int | None:
    """Returns a figure as short as it can be written; None for NaN."""
    if value != value:
        return None
    rounded = round(float(value), decimals)
    return int(rounded) if rounded.is_integer() else rounded
