"""The rows of a leaderboard that a command shows or draws."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def load(results: str, chosen: dict) -> "pd.DataFrame":
    """Reads the rows of a leaderboard that the values of `options.read` choose."""
    from clrs_text_bench.lengths import parse

    from .. import leaderboard as board

    return board.select(
        board.read(board.results_folder(results)),
        models=chosen["models"],
        algorithms=chosen["algorithms"],
        lengths=parse(chosen["lengths"]) if chosen["lengths"] else (),
        splits=(chosen["split"],) if chosen["split"] else (),
    )
