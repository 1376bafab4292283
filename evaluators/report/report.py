"""A report: a results folder's leaderboard and kept answers in one HTML file."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from clrs_text_bench import __version__, datasets
from clrs_text_bench.errors import BadInput

from .. import entries, leaderboard, tables
from . import kept, library, page, samples, scores, texts

if TYPE_CHECKING:
    import pandas as pd

MOST_SAMPLES = 10

# Of the whole file; a mail or a forge takes it, and a phone opens it.
_MOST_BYTES = 4_900_000


def build(
    results: Sequence[str | os.PathLike],
    data: Sequence[str | os.PathLike] = (),
    *,
    most: int = MOST_SAMPLES,
    show_progress: bool = False,
) -> bytes:
    """Builds the page of one or several results folders; the same folders give the same bytes.

    Args:
      results: results folders.
      data: data sets that kept answers are answers to, for questions, true answers and graphs.
      most: kept answers to so many samples of each algorithm and length are shown at most; fewer,
        where the file would grow beyond five megabytes.
      show_progress: whether to show a progress bar on standard error.

    Raises:
      BadInput: if there is no leaderboard, a data set is not what was answered, a file is damaged,
        or the library of charts is not installed.
    """
    charts = library.script()
    folders = [leaderboard.results_folder(path) for path in results]
    frame = _read(folders)
    cells = entries.enter(frame)
    runs: dict[str, kept.Run] = {}
    for folder in folders:
        runs |= {run.run: run for run in kept.runs(folder, cells) if run.run not in runs}
    opened = [datasets.open(url) for url in dict.fromkeys(map(os.fspath, data))]
    if opened and not runs:
        raise BadInput(
            f"{folders[0].url} has no kept answers to show beside {opened[0].url}; keep some with "
            "evaluate --save-predictions"
        )
    content: dict[str, Any] = {"about": _about(frame), "board": scores.payload(frame)}
    used = len(page.build({**content, "samples": None}, charts))
    content["samples"] = _samples(
        frame, list(runs.values()), opened, most, _MOST_BYTES - used, show_progress
    )
    return page.build(content, charts)


def _read(folders: Sequence[leaderboard.Folder]) -> "pd.DataFrame":
    """Reads all leaderboards; a run that stands in several is taken from the first."""
    import pandas as pd

    frames: list[pd.DataFrame] = []
    seen: set[str] = set()
    for folder in folders:
        frame = leaderboard.read(folder)
        frames.append(frame[~frame["run"].isin(seen)])
        seen |= set(frame["run"])
    return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]


def _about(frame: "pd.DataFrame") -> dict[str, Any]:
    """Returns what the page says of itself."""
    hashes = sorted({str(h)[:8] for h in frame["dataset_hash"]})
    return {
        "version": __version__,
        "runs": int(frame["run"].nunique()),
        "newest": frame["created"].max().date().isoformat(),
        "data": [texts.name(h) for h in hashes],
        "notes": [texts.name(note) for note in tables.different_cells(frame)],
    }


def _samples(
    frame: "pd.DataFrame",
    runs: list[kept.Run],
    opened: list[datasets.Dataset],
    most: int,
    room: int,
    show: bool,
) -> dict[str, Any] | None:
    if not runs:
        return None
    order = tables.full(frame, None, leaderboard.main_score(frame), "score")["model"]
    places = {name: place for place, name in enumerate(order)}
    runs = sorted(runs, key=lambda run: (places[run.entry], run.train_seed or 0, run.run))
    names = leaderboard.score_names(frame)
    return samples.payload(runs, opened, places, names, most=most, room=room, show=show)
