"""What is measured of a model of text that reads a reasoner's latents.

Answers are given four times: with the latents of each row's own graph ("true"), with those of
another graph of the same task and size ("shuffled"), with none ("zeros"), and by the reasoner
itself ("reasoner"). The first is compared to each of the others over the same rows.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clrs_text_bench.protocols import Attention
from clrs_text_bench.regimes import regime

from .. import aggregate, compare, leaderboard
from ..bootstrap import Interval
from ..evaluate import Evaluation

if TYPE_CHECKING:
    import pandas as pd

TRUE, SHUFFLED, ZEROS, REASONER = "true", "shuffled", "zeros", "reasoner"
CONTROLS = (SHUFFLED, ZEROS)
SCORES = ("shape", "parse", "clrs", "exact")
ALL, OTHERS = "all", "others"

ByScore = dict[str, Interval]


@dataclass(frozen=True, slots=True)
class Measures:
    """What verdicts are made of.

    Attributes:
      rows: answers of each kind.
      gates: how far each reading layer's gate is open, -1 to 1.
      shares: what part of each reading layer's output comes from latents.
      scores: by who answers, then part, then score. Parts are ALL, the regimes there are, and
        OTHERS, the lengths that were not trained on; means are over answers, then lengths, then
        algorithms.
      changes: by who answers other than TRUE, then score: its mean score less that of TRUE, with
        the interval of a bootstrap over the pairs.
      untold: why the reasoner itself has no scores; None if it has.
      tuned: whether the reasoner was trained on with the text.
    """

    rows: int
    gates: dict[int, float]
    shares: dict[int, Interval]
    scores: dict[str, dict[str, ByScore]]
    changes: dict[str, ByScore]
    untold: str | None
    tuned: bool

    @property
    def share(self) -> float:
        """The largest share of any layer."""
        return max(interval.mean for interval in self.shares.values())


@dataclass(frozen=True, slots=True)
class Shown:
    """What figures show besides.

    Attributes:
      gates_over_training: by step, then layer; empty where they were not logged.
      sample: what the answer is of, in words.
      attention: of one answer.
    """

    gates_over_training: dict[int, dict[int, float]]
    sample: str
    attention: Attention


def scores_by_part(found: Evaluation, train_lengths: tuple[int, ...]) -> dict[str, ByScore]:
    """Returns the scores of an evaluation, see `Measures.scores`.

    Args:
      found: the evaluation.
      train_lengths: those of the model whose failure is looked for, whoever answers.
    """
    frame = leaderboard.frame_of([found.rows])
    frame = frame.assign(regime=[regime(n, train_lengths) for n in frame["length"]])
    parts = {ALL: _means(frame)}
    for name, part in frame.groupby("regime", sort=False):
        parts[str(name)] = _means(part)
    others = frame[frame["regime"] != "in-distribution"]
    if train_lengths and len(others):
        parts[OTHERS] = _means(others)
    return parts


def _means(frame: "pd.DataFrame") -> ByScore:
    (row,) = aggregate.means(frame).to_dict("records")
    return {s: Interval(row[s], row[f"{s}_low"], row[f"{s}_high"]) for s in SCORES}


def changes(true: Evaluation, other: Evaluation, seed: int) -> ByScore:
    """Returns how scores differ from those of true latents, see `Measures.changes`."""
    found = {}
    for score in SCORES:
        overall = compare.compare(true.scores, other.scores, score, seed=seed).overall
        found[score] = Interval(overall["difference"], overall["low"], overall["high"])
    return found
