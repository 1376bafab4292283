"""What an answer costs: the real solver beside a model.

The solver's seconds are the compiled engine's for a whole sample, on one core: it draws the input,
runs the algorithm and writes question and answer, so that the answer alone costs less. Its
operations are counted in steps of the algorithm's trace, as dm-clrs records it; a step is what the
algorithm does between two hints, from one comparison (`insertion_sort`'s is an insertion) to a pass
over all pairs of nodes (`floyd_warshall`).

A model's seconds are those that its evaluation recorded for an answer, on whatever it ran on. Its
operations are 2 * parameters * tokens (Kaplan et al. 2020, arXiv 2001.08361, section 2.1: a
multiplication and an addition for each parameter and token, without attention's own), the tokens
those of the question and of the answer. Questions are counted where the model's record names one of
our tokenisers; without, operations are left out.
"""

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from clrs_text_bench import progress, registry, tasks, tokenizers
from clrs_text_bench.protocols import DEFAULT_ENGINE, Engine

from .. import entries

if TYPE_CHECKING:
    import pandas as pd

_SPLIT = "cost"
# Samples that are timed: as many as take so long, but no more than this; the best of some times.
_FIRST, _SECONDS, _MOST, _TIMES = 4, 0.05, 1000, 3

COLUMNS = (
    *("algorithm", "length", "solver_seconds", "solver_steps", "model", "n_parameters"),
    *("model_seconds", "question_tokens", "answer_tokens", "model_operations"),
)


def costs(
    algorithms: Sequence[str],
    lengths: Sequence[int],
    board: "pd.DataFrame | None",
    *,
    show: bool,
) -> "pd.DataFrame":
    """Measures the solver, and puts models' recorded costs beside.

    Args:
      algorithms: names of tasks.
      lengths: to measure the solver at, beside those of the leaderboard; those below a task's
        smallest are left out.
      board: rows as `leaderboard.read` gives them, of plain text; None for the solver alone.
      show: whether to show progress.

    Returns:
      `COLUMNS`, all of means per answer: one row per (algorithm, length, model), and one without a
      model where none was evaluated.

    Raises:
      BadInput: if an algorithm is unknown.
    """
    import pandas as pd

    engine = registry.load("generators", DEFAULT_ENGINE)()
    models = {} if board is None else _by_cell(board)
    wanted = [
        (tasks.get(a).name, n)
        for a in algorithms
        for n in sorted({*lengths, *(n for name, n in models if name == a)})
        if n >= tasks.get(a).min_length
    ]
    rows: list[dict[str, Any]] = []
    with progress.bar("cells", show=show) as bar:
        for algorithm, length in bar.track(wanted, description="solver"):
            solver = {"algorithm": algorithm, "length": length}
            solver |= _solver(engine, algorithm, length)
            of_models = [
                solver | _model(engine, algorithm, length, cell)
                for cell in models.get((algorithm, length), [])
            ]
            rows += of_models or [solver]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _samples(engine: Engine, algorithm: str, length: int, count: int) -> pa.Table:
    return engine.generate(
        algorithm,
        length,
        seed=0,
        split=_SPLIT,
        indices=np.arange(count),
        use_hints=False,
        graph_hints=False,
    )


def _solver(engine: Engine, algorithm: str, length: int) -> dict[str, float]:
    def timed(count: int) -> tuple[float, pa.Table]:
        began = time.process_time()
        table = _samples(engine, algorithm, length, count)
        return (time.process_time() - began) / count, table

    timed(1)  # compiles
    first, _ = timed(_FIRST)
    count = int(np.clip(_SECONDS / max(first, 1e-9), _FIRST, _MOST))
    found = [timed(count) for _ in range(_TIMES)]
    steps = float(np.mean(found[0][1]["n_steps"].to_numpy()))
    return {"solver_seconds": min(seconds for seconds, _ in found), "solver_steps": steps}


def _by_cell(board: "pd.DataFrame") -> dict[tuple[str, int], list["pd.Series"]]:
    """Returns the plain rows of a leaderboard but the solver's, seeds together, by cell."""
    plain = board[~board["use_hints"] & (board["spec"].str.partition(":")[0] != "solver")]
    if plain.empty:
        return {}
    cells = entries.enter(plain)
    grouped = cells.groupby(["entry", "algorithm", "length"], sort=False)
    firsts = grouped[["n_parameters", "settings"]].first()
    sums = grouped[["n", "seconds"]].sum()
    sums["n_tokens"] = grouped["n_tokens"].sum(min_count=1)
    found: dict[tuple[str, int], list[pd.Series]] = {}
    for row in sums.join(firsts).reset_index().itertuples(index=False):
        found.setdefault((row.algorithm, row.length), []).append(row)
    return found


def _model(engine: Engine, algorithm: str, length: int, cell: Any) -> dict[str, Any]:
    import pandas as pd

    asked = _question_tokens(engine, algorithm, length, cell.settings)
    answered = None if pd.isna(cell.n_tokens) else cell.n_tokens / cell.n
    operations = None
    if asked is not None and answered is not None and not pd.isna(cell.n_parameters):
        operations = 2.0 * cell.n_parameters * (asked + answered)
    return {
        "model": cell.entry,
        "n_parameters": None if pd.isna(cell.n_parameters) else int(cell.n_parameters),
        "model_seconds": cell.seconds / cell.n,
        "question_tokens": asked,
        "answer_tokens": answered,
        "model_operations": operations,
    }


def _question_tokens(engine: Engine, algorithm: str, length: int, settings: str) -> float | None:
    """Returns the mean tokens of questions, by the tokeniser that settings name, if it is ours."""
    name = json.loads(settings).get("tokenizer")
    if name not in tokenizers.names():
        return None
    questions = _samples(engine, algorithm, length, 32)["question"].to_pylist()
    return float(tokenizers.get(name).lengths(questions).mean())
