"""What an ablation measures: every variant's scores, and how they differ from the base's.

A part is a length, or all lengths in or out of distribution (interpolation and extrapolation
together). Differences are paired, over the seeds that variant and base share.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from clrs_text_bench import progress, schema
from clrs_text_bench.ablation import Ablation, Variant
from clrs_text_bench.storage import Folder

from .. import aggregate, leaderboard
from ..compare import compare, holm

if TYPE_CHECKING:
    import pandas as pd

IN, OUT = "in-distribution", "out of distribution"


def measure(
    results: Folder, ablation: Ablation, frame: "pd.DataFrame", *, show: bool = False
) -> "pd.DataFrame":
    """Returns one row per score, part and variant that has answered.

    Several seeds' scores are averaged, and their intervals as `aggregate.means` says. A difference
    is that of the means over seeds of each sample's score, with an interval and a p-value as
    `compare` gives them, over the samples that both answered. p-values are also corrected for the
    number of variants that are compared (`holm`).

    Args:
      results: where the scores of answers are.
      ablation: what is compared.
      frame: rows as `runs.find` gives them.
      show: whether to show progress.

    Returns:
      Columns `ablation`, `variant`, `description`, `n_parameters`, `n_trained`; `score`; `part`
      (`IN`, `OUT`, or "length 12"), `lengths`; `seeds`, `n` (answers, over all seeds), `mean`,
      `low`, `high` (its 95% interval), `sd` (over seeds; NaN for one); `base`, `paired_seeds`,
      `difference` (variant - base), `difference_low`, `difference_high` (its 95% interval),
      `difference_sd` (over seeds), `p`, `p_holm`: of these, NaN for the base itself and where base
      and variant share no seed.
    """
    import pandas as pd

    frame = _as_entries(frame)
    answers = _Answers(results, frame)
    wanted = [
        (variant, score, part, lengths)
        for score in leaderboard.score_names(frame)
        for part, lengths in _parts(frame).items()
        for variant in ablation.variants
        if variant.name in set(frame["model"])
    ]
    with progress.bar("rows", show=show) as bar:
        rows = [
            _row(ablation, *one, frame, answers)
            for one in bar.track(wanted, description="comparing")
        ]
    found = pd.DataFrame(rows)
    found["p_holm"] = found.groupby(["score", "part"])["p"].transform(_corrected)
    return found


def _corrected(p_values: "pd.Series") -> "pd.Series":
    known = p_values.notna()
    corrected = p_values.copy()
    if known.any():
        corrected[known] = holm(p_values[known].to_numpy())
    return corrected


def _as_entries(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Makes a variant's seeds one entry, whichever of their checkpoints was the best."""
    out = frame["regime"].isin(["interpolation", "extrapolation"])
    return frame.assign(settings="{}", regime=frame["regime"].mask(out, OUT))


def _parts(frame: "pd.DataFrame") -> dict[str, tuple[int, ...]]:
    """Returns the lengths of each part."""
    lengths = sorted(frame["length"].unique().tolist())
    regimes = {
        regime: tuple(
            n for n in lengths if n in set(frame.loc[frame["regime"] == regime, "length"])
        )
        for regime in (IN, OUT)
    }
    found = {regime: members for regime, members in regimes.items() if members}
    return found | {f"length {n}": (n,) for n in lengths}


class _Answers:
    """The scores of answers of runs, read once each."""

    def __init__(self, results: Folder, frame: "pd.DataFrame") -> None:
        runs = frame.drop_duplicates("run")
        keys = zip(runs["model"], runs["train_seed"].tolist(), strict=True)
        self._runs = dict(zip(keys, runs["run"], strict=True))
        self._results = results
        self._means: dict[tuple, pa.Table] = {}

    def seeds(self, variant: str) -> tuple[int, ...]:
        """Returns the seeds that a variant has answers of."""
        return tuple(sorted(seed for name, seed in self._runs if name == variant))

    def mean(self, variant: str, seeds: tuple[int, ...]) -> pa.Table:
        """Returns the means over seeds of each sample's scores."""
        key = (variant, seeds)
        if key not in self._means:
            runs = [self._runs[variant, seed] for seed in seeds]
            self._means[key] = _mean([leaderboard.read_scores(self._results, r) for r in runs])
        return self._means[key]


def _mean(tables: list[pa.Table]) -> pa.Table:
    if len(tables) == 1:
        return tables[0]
    identity = list(schema.IDENTITY)
    first = tables[0].schema
    scores = [
        n for n in first.names if n not in identity and pa.types.is_floating(first.field(n).type)
    ]
    joined = pa.concat_tables([table.select([*identity, *scores]) for table in tables])
    means = joined.unify_dictionaries().group_by(identity).aggregate([(s, "mean") for s in scores])
    return means.rename_columns([name.removesuffix("_mean") for name in means.column_names])


def _row(
    ablation: Ablation,
    variant: Variant,
    score: str,
    part: str,
    lengths: tuple[int, ...],
    frame: "pd.DataFrame",
    answers: _Answers,
) -> dict[str, Any]:
    rows = frame[frame["length"].isin(lengths)]
    (mean,) = aggregate.means(rows[rows["model"] == variant.name]).to_dict("records")
    return {
        "ablation": ablation.name,
        "variant": variant.name,
        "description": variant.description,
        "n_parameters": variant.n_parameters,
        "n_trained": variant.n_trained,
        "score": score,
        "part": part,
        "lengths": list(lengths),
        "seeds": list(answers.seeds(variant.name)),
        "n": mean["n"],
        "mean": mean[score],
        "low": mean[f"{score}_low"],
        "high": mean[f"{score}_high"],
        "sd": mean[f"{score}_sd"],
        "base": ablation.base,
        **_difference(ablation.base, variant.name, score, rows, lengths, answers),
    }


def _difference(
    base: str,
    variant: str,
    score: str,
    rows: "pd.DataFrame",
    lengths: tuple[int, ...],
    answers: _Answers,
) -> dict[str, Any]:
    shared = tuple(sorted({*answers.seeds(base)} & {*answers.seeds(variant)}))
    if variant == base or not shared:
        names = ("difference", "difference_low", "difference_high", "difference_sd", "p")
        return {"paired_seeds": []} | dict.fromkeys(names, np.nan)
    pair = [_of_lengths(answers.mean(name, shared), lengths) for name in (base, variant)]
    found = compare(*pair, score).overall
    of_seed = [_macro(rows, variant, s, score) - _macro(rows, base, s, score) for s in shared]
    return {
        "paired_seeds": list(shared),
        "difference": found["difference"],
        "difference_low": found["low"],
        "difference_high": found["high"],
        "difference_sd": float(np.std(of_seed, ddof=1)) if len(shared) > 1 else np.nan,
        "p": found["p"],
    }


def _of_lengths(scores: pa.Table, lengths: tuple[int, ...]) -> pa.Table:
    import pyarrow.compute as pc

    return scores.filter(pc.is_in(scores["length"], pa.array(lengths, pa.int32())))


def _macro(rows: "pd.DataFrame", variant: str, seed: int, score: str) -> float:
    """Returns the mean over lengths, then algorithms, of one model's scores."""
    own = rows[(rows["model"] == variant) & (rows["train_seed"] == seed)]
    return float(own.groupby("algorithm")[score].mean().mean())
