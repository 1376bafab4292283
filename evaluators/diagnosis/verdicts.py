"""Verdicts: which signs of failure show, by stated thresholds.

The signs are those of Bounsi et al. 2024 (arXiv 2406.09308) put into numbers, each a sentence with
the figures that it rests on:

latents not reached            No reading layer takes `SHARE` of its output from latents, or clrs
                               is the same without latents.
content of latents not read    clrs changes without latents, but not with those of another graph
                               of the same task and size: it is read that there are latents, not
                               what they say.
wrong content in right shapes  Shape is at least `SHAPE`, and clrs less than `CONTENT` of it.
good in distribution only      clrs is at least `TRAINED` at trained lengths, and at others less
                               than `KEPT` of that.
reasoner wrong                 The reasoner's own answers to the same rows have a clrs below
                               `KNOWS`.
reasoner right but not read    The reasoner's own answers are better by a clrs of at least
                               `UNREAD`.

A score changes if the 95% interval of its paired difference leaves out 0 and the difference is at
least `CHANGE`; it is the same if it does not and the interval lies within `SAME` of 0; else the
answers are too few. What cannot be told is said to be so, with the reason.
"""

from dataclasses import dataclass

from ..bootstrap import Interval
from .measures import ALL, OTHERS, REASONER, SHUFFLED, TRUE, ZEROS, Measures

SHARE = 0.01
CHANGE, SAME = 0.01, 0.05
SHAPE, CONTENT = 0.8, 0.5
TRAINED, KEPT = 0.2, 0.5
KNOWS = 0.5
UNREAD = 0.1

THRESHOLDS = {
    "share": SHARE,
    "change": CHANGE,
    "same": SAME,
    "shape": SHAPE,
    "content": CONTENT,
    "trained": TRAINED,
    "kept": KEPT,
    "knows": KNOWS,
    "unread": UNREAD,
}

_INSIDE = "in-distribution"
_STALE = "but it was tuned with the text, and what decodes its own answers was not"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a sign of failure shows.

    Attributes:
      sign: its name.
      shows: None if it cannot be told.
      sentence: what was found.
    """

    sign: str
    shows: bool | None
    sentence: str


def verdicts(found: Measures) -> list[Verdict]:
    """Returns a verdict on each sign, in the order in which they would be looked into."""
    return [
        _not_reached(found),
        _not_of_the_graph(found),
        _wrong_content(found),
        _in_distribution(found),
        _reasoner_wrong(found),
        _reasoner_unread(found),
    ]


def conclusion(reached: list[Verdict]) -> str:
    """Returns one sentence on which signs show."""
    shown = [one.sign for one in reached if one.shows]
    untold = [one.sign for one in reached if one.shows is None]
    said = f"signs of failure: {', '.join(shown)}" if shown else "no sign of failure shows"
    return f"{said}; not told: {', '.join(untold)}" if untold else said


def _not_reached(found: Measures) -> Verdict:
    sign, share = "latents not reached", found.share
    most = f"at most {share:.1%} of a reading layer's output comes from latents"
    if share < SHARE:
        return Verdict(sign, True, f"Latents are not reached: {most}, below {SHARE:.0%}.")
    without = found.changes[ZEROS]["clrs"]
    figures = f"{most}, and without them clrs is {_signed(without)}"
    if _changes(without):
        return Verdict(sign, False, f"Latents are reached: {figures}.")
    if _is_same(without):
        return Verdict(sign, True, f"Latents are let in and make no difference: {figures}.")
    return Verdict(sign, None, f"Too few answers to tell what latents do: {figures}.")


def _not_of_the_graph(found: Measures) -> Verdict:
    sign, other = "content of latents not read", found.changes[SHUFFLED]["clrs"]
    if _not_reached(found).shows is not False:
        return Verdict(sign, None, "What latents say cannot matter unless they are reached.")
    figures = f"with those of another graph clrs is {_signed(other)}"
    if _changes(other):
        return Verdict(sign, False, f"What latents say is read: {figures}.")
    if _is_same(other):
        said = "It is read that there are latents, not what they say"
        return Verdict(sign, True, f"{said}: {figures}.")
    return Verdict(sign, None, f"Too few answers to tell whether it is read: {figures}.")


def _wrong_content(found: Measures) -> Verdict:
    sign, whole = "wrong content in right shapes", found.scores[TRUE][ALL]
    shape, clrs = whole["shape"].mean, whole["clrs"].mean
    if shape < SHAPE:
        return Verdict(
            sign,
            False,
            f"Shapes themselves are often wrong: shape {shape:.3f}, below {SHAPE}, with clrs "
            f"{clrs:.3f}.",
        )
    content = clrs / shape
    figures = f"shape {shape:.3f}, and of the elements in right shapes {content:.1%} are right"
    if content < CONTENT:
        return Verdict(sign, True, f"Shapes are right and their content is wrong: {figures}.")
    return Verdict(sign, False, f"Right shapes mostly have right content: {figures}.")


def _in_distribution(found: Measures) -> Verdict:
    sign, parts = "good in distribution only", found.scores[TRUE]
    if _INSIDE not in parts or OTHERS not in parts:
        lacking = "other than trained" if OTHERS not in parts else "trained"
        return Verdict(sign, None, f"No {lacking} lengths were answered to compare with.")
    inside, outside = parts[_INSIDE]["clrs"].mean, parts[OTHERS]["clrs"].mean
    figures = f"clrs {inside:.3f} at trained lengths and {outside:.3f} at others"
    if inside < TRAINED:
        return Verdict(
            sign, False, f"Trained lengths are no better off, being low themselves: {figures}."
        )
    if outside < KEPT * inside:
        return Verdict(sign, True, f"It is good in distribution only: {figures}.")
    return Verdict(sign, False, f"Other lengths keep most of the score: {figures}.")


def _reasoner_wrong(found: Measures) -> Verdict:
    sign = "reasoner wrong"
    if found.untold is not None:
        return Verdict(sign, None, found.untold)
    own = f"its own answers have clrs {found.scores[REASONER][ALL]['clrs'].mean:.3f}"
    if found.scores[REASONER][ALL]["clrs"].mean >= KNOWS:
        return Verdict(sign, False, f"The reasoner itself knows: {own}.")
    if found.tuned:
        return Verdict(sign, None, f"The reasoner may know more than it says: {own}, {_STALE}.")
    return Verdict(sign, True, f"The reasoner itself is wrong: {own}.")


def _reasoner_unread(found: Measures) -> Verdict:
    sign = "reasoner right but not read"
    if found.untold is not None:
        return Verdict(sign, None, found.untold)
    gain = found.changes[REASONER]["clrs"]
    own = f"whose own clrs is {_signed(gain)}"
    if _changes(gain) and gain.mean >= UNREAD:
        return Verdict(sign, True, f"The text does not read what the reasoner knows, {own}.")
    if found.tuned:
        return Verdict(sign, None, f"The text is not far behind the reasoner, {own}, {_STALE}.")
    return Verdict(sign, False, f"The text is not far behind the reasoner, {own}.")


def _changes(difference: Interval) -> bool:
    apart = difference.low > 0 or difference.high < 0
    return apart and abs(difference.mean) >= CHANGE


def _is_same(difference: Interval) -> bool:
    """Returns whether a score is the same, given that it does not change."""
    return difference.low >= -SAME and difference.high <= SAME


def _signed(difference: Interval) -> str:
    sign = "higher" if difference.mean > 0 else "lower"
    return f"{abs(difference.mean):.3f} {sign} [{difference.low:+.3f}, {difference.high:+.3f}]"
