"""Which runs of a leaderboard are the evaluations that an ablation asks for."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from clrs_text_bench.ablation import Asked, Trained
from clrs_text_bench.choosing import choose_cells
from clrs_text_bench.storage import Folder

from .. import leaderboard
from ..evaluate import DEFAULT_EVALUATOR

if TYPE_CHECKING:
    import pandas as pd

_EXTRACTION = "strict"


def find(results: Folder, asked: Asked, models: Collection[Trained]) -> "pd.DataFrame | None":
    """Returns the rows of models' answers to all that is asked, and to nothing else.

    Args:
      results: the results folder.
      asked: what is answered.
      models: that answer, told by their names, seeds and checkpoints.

    Returns:
      Rows as `leaderboard.read` gives them; None if there are none. Of several evaluations of one
      model the newest is kept.
    """
    if leaderboard.is_empty(results):
        return None
    frame = leaderboard.read(results)
    frame = frame[_of_models(frame, models) & _of_request(frame, asked)]
    wanted = {
        (cell.algorithm, cell.length)
        for cell in choose_cells(asked.dataset, asked.split, (), asked.lengths)
    }
    whole = [
        run
        for run, rows in frame.groupby("run")
        if set(zip(rows["algorithm"], rows["length"], strict=True)) == wanted
    ]
    frame = frame[frame["run"].isin(whole)]
    newest = frame.sort_values("created", ascending=False).drop_duplicates(["model", "train_seed"])
    frame = frame[frame["run"].isin(newest["run"])].reset_index(drop=True)
    return None if frame.empty else frame


def _of_models(frame: "pd.DataFrame", models: Collection[Trained]) -> "pd.Series":
    import pandas as pd

    wanted = {(m.variant, m.seed, m.checkpoint) for m in models}
    keys = zip(frame["model"], frame["train_seed"], frame["checkpoint"], strict=True)
    return pd.Series([key in wanted for key in keys], frame.index)


def _of_request(frame: "pd.DataFrame", asked: Asked) -> "pd.Series":
    limit = frame["limit"].isna() if asked.limit is None else frame["limit"].eq(asked.limit)
    return (
        (frame["dataset_hash"] == asked.dataset.hash)
        & (frame["split"] == asked.split)
        & (frame["evaluator"] == DEFAULT_EVALUATOR)
        & (frame["extraction"] == _EXTRACTION)
        & limit.fillna(False).astype(bool)
    )
