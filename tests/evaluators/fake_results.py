"""Leaderboard rows that look like those of real models, without any model."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from clrs_text_bench import schema, tasks
from clrs_text_bench.evaluators import leaderboard
from clrs_text_bench.regimes import regime

SCORES = ("shape", "parse", "clrs", "exact")


def run(
    model: str = "transformer",
    *,
    spec: str | None = None,
    cells: Sequence[tuple[str, int]] = (("bfs", 4), ("bfs", 8)),
    score: Callable[[str, int], float] = lambda algorithm, length: 0.5,
    width: float = 0.05,
    n: int = 100,
    created: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    **columns,
) -> pa.Table:
    """Returns the rows of one run; the scores of a cell are all `score(algorithm, length)`."""
    shared = {
        "model": model,
        "spec": spec or f"{model}:run",
        "n_parameters": None,
        "train_lengths": None,
        "train_algorithms": None,
        "train_seed": None,
        "checkpoint": None,
        "settings": "{}",
        "dataset": "data",
        "dataset_hash": "d" * 64,
        "split": "test",
        "use_hints": False,
        "evaluator": "clrs-text",
        "extraction": "strict",
        "limit": None,
        "errors": 0,
        "missing": 0,
        "incomplete": False,
        "n": n,
        "versions": "{}",
        "command": "tests",
        "created": created,
    } | columns
    shared.setdefault("run", leaderboard.run_id(model, [list(cells), str(shared)]))
    rows = []
    for algorithm, length in cells:
        value = score(algorithm, length)
        row = shared | {
            "algorithm": algorithm,
            "family": tasks.get(algorithm).family,
            "length": length,
            "regime": regime(length, shared["train_lengths"]),
        }
        for name in SCORES:
            row |= {
                name: value,
                f"{name}_low": max(0.0, value - width),
                f"{name}_high": min(1.0, value + width),
            }
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=leaderboard.row_schema(SCORES))


def answers(rows: pa.Table, seed: int = 0) -> pa.Table:
    """Returns scores of answers (each 0 or 1) that have about the means of these rows."""
    rng = np.random.default_rng(seed)
    records = []
    for row in rows.to_pylist():
        for index in range(row["n"]):
            right = float(rng.random() < row["clrs"])
            records.append(
                {
                    "split": row["split"],
                    "algo_name": row["algorithm"],
                    "length": row["length"],
                    "seed": 0,
                    "index": index,
                    **dict.fromkeys(SCORES, right),
                }
            )
    return pa.Table.from_pylist(records, schema=schema.SCORES)


ALGORITHMS = (
    "insertion_sort",
    "minimum",
    "binary_search",
    "find_maximum_subarray_kadane",
    "activity_selector",
    "lcs_length",
    "bfs",
    "bellman_ford",
    "strongly_connected_components",
    "naive_string_matcher",
    "graham_scan",
)
LENGTHS = (4, 6, 8, 10, 12, 14)
TRAINED = (4, 5, 6, 7, 8, 12)


def _decline(level: float, trained: float, beyond: float, offset: int) -> Callable:
    """A model that is good at what it was trained on and fails beyond it."""

    def score(algorithm: str, length: int) -> float:
        place = ALGORITHMS.index(algorithm) if algorithm in ALGORITHMS else len(algorithm)
        wobble = 0.09 * np.sin(2.3 * place + offset) + 0.03 * np.cos(length + offset)
        inside = length in TRAINED
        value = level - (trained if inside else beyond) * (length - 4) / 10 + wobble
        return float(np.clip(value - 0.1 * place / 11, 0, 1))

    return score


def realistic(algorithms: Sequence[str] = ALGORITHMS) -> list[pa.Table]:
    """Returns runs of several models, seeds and references on many cells."""
    cells = [(a, n) for a in algorithms for n in LENGTHS]
    trained = {"train_lengths": TRAINED, "n_parameters": 1_060_000}
    seeds = [
        run(
            "transnar",
            cells=cells,
            score=_decline(1.0, 0.08, 0.3, seed),
            width=0.02,
            train_seed=seed,
            checkpoint=f"{seed}" * 64,
            settings=json.dumps({"positions": "randomised"}),
            **trained,
        )
        for seed in range(4)
    ]
    return [
        *seeds,
        run(
            "transformer",
            cells=cells,
            score=_decline(0.95, 0.1, 0.85, 3),
            train_seed=0,
            checkpoint="a" * 64,
            **trained,
        ),
        run(
            "transformer-randomised",
            cells=cells,
            score=_decline(0.8, 0.15, 0.5, 5),
            train_seed=0,
            checkpoint="b" * 64,
            **trained,
        ),
        run("gpt", spec="hf:gpt", cells=cells, score=_decline(0.5, 0.3, 0.3, 7), width=0.04),
        run("solver", spec="solver", cells=cells, score=lambda a, n: 1.0, width=0.0),
        run("majority", spec="majority", cells=cells, score=lambda a, n: 0.4 / np.sqrt(n)),
    ]
