"""The student as the training loop sees it: a Transformer that learns what a teacher says."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pyarrow as pa
from rich.progress import Progress

from clrs_text_bench.errors import BadInput

from ..transformer.trainable import TrainableTransformer
from . import losses
from .answers import Answer, Answers
from .asking import Asking
from .config import DistilConfig
from .distributions import Distributions
from .examples import DROPPED, Lessons, apart
from .teacher import Teacher

_OF_TEACHER = "of_teacher"
_END = "\n\n"


class Student:
    """See `training.trainable.Trainable` and `training.trainable.Tutor`.

    Parameters, checkpoints and answers are those of the Transformer alone.
    """

    def __init__(
        self,
        text: TrainableTransformer,
        teacher: Teacher,
        config: DistilConfig,
        run: Path,
        *,
        show: bool,
    ) -> None:
        """Brings a student and a teacher together; nothing is asked yet.

        Args:
          text: what is trained.
          teacher: what it learns from.
          config: what of it.
          run: the folder that keeps the teacher's answers.
          show: whether to show progress.

        Raises:
          BadInput: if the teacher cannot give what is to be learnt.
        """
        self.columns = (*text.columns, "use_hints", "graph_inputs")
        self.block, self.stage = text.block, text.stage
        self.text = text
        self._config = config
        self._teacher = teacher
        self._asking = Asking(teacher, Answers(run), show=show)
        self._distributions = None
        if config.has_distributions:
            self._distributions = Distributions(teacher, text, config.temperature)
        if not config.has_sequences:
            _check_greedy(teacher)
        self._dropped: list[jax.Array] = []

    @property
    def reader(self) -> None:
        """Returns nothing: to ready rows the teacher is asked, which needs its device."""

    def record(self) -> dict[str, Any]:
        """Returns what a checkpoint must agree with: nothing of the teacher."""
        return self.text.record()

    def files(self) -> dict[str, bytes]:
        """Returns the files that a run needs besides its checkpoints to answer."""
        return self.text.files()

    def shapes(self) -> dict:
        """Returns the shapes and types of the student's parameters."""
        return self.text.shapes()

    def init(self) -> dict:
        """Returns the student's initial parameters."""
        return self.text.init()

    def scales(self) -> None:
        """Returns nothing: all parameters learn alike."""

    def watched(self, params: dict) -> dict[str, float]:
        """Returns what of the student is to be watched."""
        return self.text.watched(params)

    def answer(self, params: dict, requests: pa.Table) -> pa.Table:
        """Answers rows, without the teacher."""
        return self.text.answer(params, requests)

    def encode(self, table: pa.Table) -> Lessons:
        """Makes rows ready, with the teacher's answers in place of the truth if so configured.

        Raises:
          BadInput: if rows do not fit the student or the teacher, or none is answered.
        """
        rows = table.num_rows
        if self._config.has_sequences:
            table = self._answered(table)
        read = self._distributions.encode(table) if self._distributions else None
        return Lessons(self.text.encode(table), read, 1 - table.num_rows / rows)

    def _answered(self, table: pa.Table) -> pa.Table:
        """Returns rows with the teacher's answers; those are dropped that can be no target."""
        texts = [_said(answer) for answer in self._asking.answers(table)]
        place = table.column_names.index("answer")
        answers = pa.array([text or "" for text in texts], pa.string())
        table = table.set_column(place, table.field(place), answers)
        kept = np.array([text is not None for text in texts])
        for reader in self._readers():
            kept &= reader.fitting(table)
        if not kept.any():
            raise BadInput(
                f"teacher {self._teacher.record.spec} has no answer to any of {len(kept)} rows "
                "that it came to the end of and that fits model.max_answer and model.context; "
                'train it longer, or say distil.targets = "distributions"'
            )
        return table.filter(pa.array(kept))

    def _readers(self) -> list[TrainableTransformer]:
        """Returns who reads the teacher's answers: the student and, for distributions, itself."""
        return [self.text, *([self._distributions.text] if self._distributions else [])]

    def complete(self, batch: dict[str, jax.Array]) -> dict[str, jax.Array]:
        """Returns a batch with the logarithms of the teacher's probabilities."""
        own, theirs = apart(batch)
        self._dropped.append(own.pop(DROPPED))
        if self._distributions is None:
            return own
        return own | {_OF_TEACHER: self._distributions(theirs)}

    def noted(self) -> dict[str, float]:
        """Returns the share of rows that were dropped, on average over the steps since before."""
        dropped, self._dropped = self._dropped, []
        if not self._config.has_sequences:
            return {}
        return {"dropped_share": float(np.mean([np.asarray(x)[0] for x in dropped]))}

    def show_on(self, bar: Progress) -> None:
        """Shows on a bar how many rows the teacher has answered."""
        self._asking.show_on(bar)

    def close(self) -> None:
        """Asks the teacher nothing more."""
        self._asking.close()

    def loss(self, params: dict, batch: dict[str, jax.Array]) -> tuple[jax.Array, jax.Array]:
        """Returns the sum of the targets' losses, in nats, and the number of targets."""
        logits_BxAxV = self.text.target_logits(params, batch)
        return losses.total(self._config, logits_BxAxV, batch.get(_OF_TEACHER), batch)


def _check_greedy(teacher: Teacher) -> None:
    """Refuses a spec that says how a teacher answers where it is not to answer."""
    spec = teacher.record.spec
    if "?" in spec:
        raise BadInput(
            f"teacher {spec} says after ? how it answers, and its answers are no target; leave "
            'that out (the softmax has distil.temperature), or say distil.targets = "both"'
        )


def _said(answer: Answer) -> str | None:
    """Returns an answer as a data set spells it; None if it did not come to its end.

    It ends, as in scoring, at the first blank line.
    """
    if answer.text is None or answer.finish_reason != "stop":
        return None
    return answer.text.split(_END)[0].rstrip("\n") + _END
