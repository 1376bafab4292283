"""A leaderboard's figures as the page holds them; every mean is `aggregate.means`'s."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from clrs_text_bench import tasks

from .. import aggregate, entries, leaderboard, tables
from ..effective_size import train_lengths
from ..plots import style
from ..regimes import REGIMES, regime
from . import texts

if TYPE_CHECKING:
    import pandas as pd

# Figures that are printed agree with the leaderboard command's to the last digit that it shows;
# those that are drawn need no more than four.
_PRINTED, _DRAWN = 8, 4

_KINDS = [*REGIMES, aggregate.NO_REGIME]

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
    scores = leaderboard.score_names(frame)
    score = leaderboard.main_score(frame)
    cells = entries.enter(frame)
    order = tables.full(frame, None, score, "score").to_dict("records")
    places = {row["model"]: place for place, row in enumerate(order)}
    families, algorithms = _families(cells), _algorithms(cells)
    keys = {
        "entry": places,
        "family": {name: i for i, name in enumerate(families)},
        "regime": {name: i for i, name in enumerate(_KINDS)},
        "algorithm": {name: i for i, name in enumerate(algorithms)},
    }
    trained = train_lengths(cells)
    return {
        "scores": [texts.name(name) for name in scores],
        "score": scores.index(score),
        "entries": _entries(frame, cells, order, trained),
        "families": [texts.name(name.replace("_", " ")) for name in families],
        "algorithms": [texts.name(name) for name in algorithms],
        "family_of": [keys["family"][_family(cells, name)] for name in algorithms],
        "regimes": _KINDS,
        "overall": _overall(frame, keys, scores),
        "curves": _drawn(frame, keys, scores, trained, [["length"], ["family", "length"]]),
        "cells": _drawn(frame, keys, scores, trained, [["algorithm", "length"]]),
    }


def _families(cells: "pd.DataFrame") -> list[str]:
    return _in_order(set(cells["family"]), list(tasks.families()))


def _algorithms(cells: "pd.DataFrame") -> list[str]:
    return _in_order(set(cells["algorithm"]), tasks.names())


def _family(cells: "pd.DataFrame", algorithm: str) -> str:
    return cells.loc[cells["algorithm"] == algorithm, "family"].iloc[0]


def _in_order(present: set[str], known: Sequence[str]) -> list[str]:
    return [name for name in known if name in present] + sorted(present - set(known))


def _entries(
    frame: "pd.DataFrame",
    cells: "pd.DataFrame",
    order: list[dict[str, Any]],
    trained: dict[str, tuple[int, ...]],
) -> list[dict[str, Any]]:
    """Returns who stands in the leaderboard, the best first."""
    looks = style.looks(aggregate.means(frame), cells)
    runs = cells.drop_duplicates(["entry", "run"]).groupby("entry", sort=False)["run"].agg(list)
    return [
        {
            "name": texts.name(row["model"]),
            "label": texts.name(looks[row["model"]].label),
            "parameters": _integer(row["n_parameters"]),
            "trained": [int(n) for n in trained[row["model"]]],
            "runs": [texts.name(run) for run in runs[row["model"]]],
            **_look(looks[row["model"]]),
        }
        for row in order
    ]


def _look(look: style.Look) -> dict[str, Any]:
    line = look.line if isinstance(look.line, str) else None
    return {
        "reference": look.reference,
        "color": look.color,
        "shape": None if look.reference else _SHAPES[look.marker],
        "dash": _DASHES[line] if line else list(look.line[1]),
    }


def _integer(value: Any) -> int | None:
    import pandas as pd

    return None if pd.isna(value) else int(value)


def _overall(
    frame: "pd.DataFrame", keys: dict[str, dict[Any, int]], scores: list[str]
) -> dict[str, Any]:
    counts = ["seeds", "algorithms", "lengths", "n", "errors", "missing"]
    rows = []
    for by in ([], ["family"], ["regime"], ["family", "regime"]):
        for row in aggregate.means(frame, by).to_dict("records"):
            rows.append(
                [
                    *_places(row, keys, ("entry", "family", "regime")),
                    *(int(row[name]) for name in counts),
                    *(
                        _number(row[score + suffix], _PRINTED)
                        for score in scores
                        for suffix in (*_ENDS, "_sd")
                    ),
                ]
            )
    figures = [f"{i}{suffix}" for i in range(len(scores)) for suffix in (*_ENDS, "_sd")]
    return {"columns": ["entry", "family", "regime", *counts, *figures], "rows": rows}


def _drawn(
    frame: "pd.DataFrame",
    keys: dict[str, dict[Any, int]],
    scores: list[str],
    trained: dict[str, tuple[int, ...]],
    groupings: list[list[aggregate.Key]],
) -> dict[str, Any]:
    group = "algorithm" if "algorithm" in groupings[0] else "family"
    rows = []
    for by in groupings:
        for row in aggregate.means(frame, by).to_dict("records"):
            kind = regime(row["length"], trained[row["entry"]]) or aggregate.NO_REGIME
            drawn: list[float | None] = []
            for score in scores:
                mean, (below, above) = row[score], style.spread(row, score)
                drawn += [_number(x, _DRAWN) for x in (mean, mean - below, mean + above)]
            rows.append(
                [
                    *_places(row, keys, ("entry", group)),
                    int(row["length"]),
                    keys["regime"][kind],
                    int(row["n"]),
                    *drawn,
                ]
            )
    figures = [f"{i}{suffix}" for i in range(len(scores)) for suffix in _ENDS]
    return {"columns": ["entry", group, "length", "regime", "n", *figures], "rows": rows}


def _places(
    row: dict[str, Any], keys: dict[str, dict[Any, int]], names: Sequence[str]
) -> list[int]:
    return [keys[name][row[name]] if name in row else -1 for name in names]


def _number(value: float, decimals: int) -> float | int | None:
    if value != value:
        return None
    rounded = round(float(value), decimals)
    return int(rounded) if rounded.is_integer() else rounded
