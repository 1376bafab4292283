"""Effective size: up to which length a model keeps a share of what it scores where it was trained.

In the spirit of the effective context length of RULER (Hsieh et al. 2024, arXiv 2404.06654, section
4). The threshold there is one model's score. Here it is a share of the model's own: it is asked how
far what a model can do reaches, whether that is much or little.
"""

import statistics
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from clrs_text_bench.errors import BadInput
from clrs_text_bench.regimes import regime

from . import aggregate, entries
from .leaderboard import check_score

if TYPE_CHECKING:
    import pandas as pd

SHARE = 0.5

# Means are weighted sums: what is equal but for rounding is kept.
_ROUNDING = 1e-9


class EffectiveSize(NamedTuple):
    """How far a score reaches.

    Attributes:
      size: the largest length that counts, 0 if none does.
      at_least: whether all tested lengths count, so that it may reach further.
    """

    size: int
    at_least: bool

    def __str__(self) -> str:
        if not self.size:
            return "none"
        return f"≥ {self.size}" if self.at_least else str(self.size)


def in_distribution(scores: Mapping[int, float], trained: Collection[int]) -> float | None:
    """Returns the mean score over the tested lengths that were trained on; None without any."""
    inside = [score for n, score in scores.items() if regime(n, trained) == "in-distribution"]
    return statistics.fmean(inside) if inside else None


def effective_size(
    scores: Mapping[int, float], trained: Collection[int], share: float = SHARE
) -> EffectiveSize | None:
    """Returns the largest length up to which a score is kept.

    A length counts if every tested length from the smallest trained one up to it, itself included,
    scores at least `share` of the in-distribution score. So lengths between trained ones count like
    the others, and one that fails ends the size there, whatever comes after; lengths below the
    smallest trained one are left out. An in-distribution score of 0 gives size 0: there is nothing
    to keep.

    Args:
      scores: by tested length.
      trained: lengths that the model was trained on.
      share: of the in-distribution score, above 0.

    Returns:
      None if no trained length was tested.

    >>> str(effective_size({4: 1.0, 8: 0.8, 12: 0.5, 16: 0.2, 20: 0.6}, trained=(4, 8)))
    '12'
    >>> str(effective_size({4: 1.0, 8: 0.8, 12: 0.5}, trained=(4, 8)))
    '≥ 12'
    """
    level = in_distribution(scores, trained)
    if level is None:
        return None
    size = 0
    for length in sorted(n for n in scores if n >= min(trained)):
        if level == 0 or scores[length] < share * level - _ROUNDING:
            return EffectiveSize(size, at_least=False)
        size = length
    return EffectiveSize(size, at_least=True)


def median(sizes: Iterable[EffectiveSize]) -> EffectiveSize:
    """Returns the median, of an even number the lower of the two in the middle.

    So it is a tested length, and unlike a mean it stands where some sizes are only known to be at
    least so much.
    """
    return statistics.median_low(sizes)


def sizes(frame: "pd.DataFrame", score: str, share: float = SHARE) -> "pd.DataFrame":
    """Returns the effective sizes of a leaderboard's entries, for every algorithm.

    Args:
      frame: rows as `leaderboard.read` gives them.
      score: which score.
      share: of the in-distribution score.

    Returns:
      One row per (entry, algorithm) that has any: `entry`, `algorithm`, `in_distribution`,
      `effective_size` and `at_least`. Several train seeds are averaged at each length before.

    Raises:
      BadInput: if no run has the score, or no entry was tested at a length that it was trained on.
    """
    import pandas as pd

    check_score(frame, score)
    means = aggregate.means(frame, ["algorithm", "length"])
    means = means[means[score].notna()]
    trained = train_lengths(entries.enter(frame))
    rows = []
    for (entry, algorithm), cells in means.groupby(["entry", "algorithm"], sort=False):
        scores = dict(zip(cells["length"].tolist(), cells[score].tolist(), strict=True))
        found = effective_size(scores, trained[entry], share)
        if found is not None:
            level = in_distribution(scores, trained[entry])
            rows.append((entry, algorithm, level, *found))
    if not rows:
        raise BadInput(
            "no model of the leaderboard was tested at a length that it was trained on, which "
            "effective sizes are measured against"
        )
    columns = ["entry", "algorithm", "in_distribution", "effective_size", "at_least"]
    return pd.DataFrame(rows, columns=columns)


def train_lengths(cells: "pd.DataFrame") -> dict[str, tuple[int, ...]]:
    """Returns the lengths that each entry was trained on, () for none.

    Args:
      cells: rows of `entries.enter`.
    """
    firsts = cells.drop_duplicates("entry").set_index("entry")["train_lengths"]
    return {entry: lengths or () for entry, lengths in firsts.items()}
