"""What a student reads, beside what its teacher does."""

from collections.abc import Hashable
from typing import NamedTuple

import numpy as np

from ..training.trainable import Examples
from ..transformer.sequences import Sequences, Shape

TEACHER = "teacher"
DROPPED = "dropped"

# Of these arrays the teacher reads the student's.
SHARED = ("tokens", "places")
_STUDENTS = (*SHARED, "targets", "weights")


class LessonShape(NamedTuple):
    """What rows of one batch have in common: the shape of the text, and what the teacher reads."""

    text: Shape
    teacher: Hashable


class Lessons:
    """Examples for the training of a student (see `training.trainable.Examples`)."""

    def __init__(self, text: Sequences, teacher: Examples | None, dropped: float) -> None:
        """Puts both together.

        Args:
          text: what the student reads.
          teacher: the same rows as the teacher reads them; None if it makes no passes.
          dropped: share of the rows asked for that are not there, for want of an answer.
        """
        self._text, self._teacher, self._dropped = text, teacher, dropped
        self.shapes = text.shapes
        if teacher is not None:
            self.shapes = list(map(LessonShape, text.shapes, teacher.shapes))

    def tokens(self, rows: np.ndarray) -> int:
        """Returns how many tokens rows have, without padding."""
        return self._text.tokens(rows)

    def batch(self, rows: np.ndarray, visit: int) -> dict[str, np.ndarray]:
        """Returns rows of one shape as arrays.

        Returns:
          The student's (see `Sequences.batch`); DROPPED, float32 `[B]`; and whatever the teacher
          reads besides the student's tokens, each as `teacher/...`.
        """
        batch = self._text.batch(rows, visit)
        batch[DROPPED] = np.full(len(rows), self._dropped, np.float32)
        if self._teacher is not None:
            theirs = self._teacher.batch(rows, visit)
            batch |= {f"{TEACHER}/{k}": x for k, x in theirs.items() if k not in _STUDENTS}
        return batch


def apart(batch: dict) -> tuple[dict, dict]:
    """Returns a batch's arrays for the student, and those for the teacher."""
    start = f"{TEACHER}/"
    own = {name: x for name, x in batch.items() if not name.startswith(start)}
    theirs = {name.removeprefix(start): x for name, x in batch.items() if name not in own}
    return own, theirs | {name: own[name] for name in SHARED}
