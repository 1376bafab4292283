"""Where a prediction differs from the truth, token by token."""

import difflib
import re
from collections.abc import Iterator

# A token is a bracket, a bar, or a run of anything else between separators.
_TOKEN = re.compile(r"[\[\]()|]|[^\s,\[\]()|]+", re.ASCII)
_NUMBER = re.compile(r"-?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})")
_END = re.compile(r"\n[ \t\r]*\n|<\|endoftext\|>")

# Aligning takes time that grows with the square of this many tokens and more.
_ALIGNED = 150

SAME, OTHER, EXTRA, MISSING, AFTER = "=x+-~"


def marked(prediction: str, truth: str, *, whole: bool = True) -> list[str]:
    """Splits a prediction into pieces that are as the truth, and pieces that are not.

    Separators do not count, and numbers are compared as numbers, as in the scores. Texts of as many
    tokens are compared place by place, and so are very long ones; others are aligned.

    Args:
      prediction: what a model wrote.
      truth: the right answer.
      whole: whether both texts are whole; if not, nothing is said of what one has after the
        other's end.

    Returns:
      Pieces in order. The first character of each is its mark: `SAME`, `OTHER` (than what the truth
      has there), `EXTRA`, `MISSING` (text of the truth that the prediction lacks) or `AFTER` (what
      follows the answer's end, if anything does). The pieces that are not missing make
      the prediction.

    >>> marked("[0.10 0.3 7]", "[0.1 0.2]")
    ['=[0.10 ', 'x0.3', '= ', '+7', '=]']
    """
    end = _END.search(prediction)
    answer = prediction[: end.start()] if end else prediction
    found = [(m.group(), m.start()) for m in _TOKEN.finditer(answer)]
    wanted = _TOKEN.findall(truth)
    pieces = _Pieces(answer)
    for mark, (start, stop), (low, high) in _steps([t for t, _ in found], wanted):
        if mark == MISSING and low < high and (whole or stop < len(found)):
            pieces.add(MISSING, f" {' '.join(wanted[low:high])}")
        extra = mark == EXTRA and not whole and stop == len(found)
        for token, place in found[start:stop]:
            pieces.token(SAME if extra else mark, place, place + len(token))
    pieces.rest()
    if end and prediction[end.start() :].strip():
        pieces.add(AFTER, prediction[end.start() :])
    return pieces.found


class _Pieces:
    """Collects pieces, those of one mark in a row as one."""

    def __init__(self, text: str) -> None:
        self.found: list[str] = []
        self._text = text
        self._place = 0

    def add(self, mark: str, text: str) -> None:
        """Adds text that is not the prediction's next."""
        if self.found and self.found[-1][0] == mark:
            self.found[-1] += text
        elif text:
            self.found.append(mark + text)

    def token(self, mark: str, start: int, stop: int) -> None:
        """Adds a token of the prediction, and what separates it from the one before."""
        within = self.found and self.found[-1][0] == mark
        self.add(mark if within else SAME, self._text[self._place : start])
        self.add(mark, self._text[start:stop])
        self._place = stop

    def rest(self) -> None:
        """Adds what follows the last token."""
        self.add(SAME, self._text[self._place :])


def _steps(
    found: list[str], wanted: list[str]
) -> Iterator[tuple[str, tuple[int, int], tuple[int, int]]]:
    """Yields marks with the spans of tokens, found and wanted, that they are of."""
    ours, theirs = [*map(_value, found)], [*map(_value, wanted)]
    if len(ours) == len(theirs) or max(len(ours), len(theirs)) > _ALIGNED:
        shared = min(len(ours), len(theirs))
        for i in range(shared):
            yield SAME if ours[i] == theirs[i] else OTHER, (i, i + 1), (i, i + 1)
        yield EXTRA, (shared, len(ours)), (shared, shared)
        yield MISSING, (len(ours), len(ours)), (shared, len(theirs))
        return
    matcher = difflib.SequenceMatcher(None, theirs, ours, autojunk=False)
    for tag, low, high, start, stop in matcher.get_opcodes():
        if tag == "equal":
            yield SAME, (start, stop), (low, high)
            continue
        shared = min(stop - start, high - low)
        yield OTHER, (start, start + shared), (low, low + shared)
        yield EXTRA, (start + shared, stop), (high, high)
        yield MISSING, (stop, stop), (low + shared, high)


def _value(token: str) -> float | str:
    return float(token) if _NUMBER.fullmatch(token) else token
