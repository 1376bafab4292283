"""Asking a teacher ahead of training, each sample once in a run's life."""

import contextlib
from collections.abc import Iterator

import pyarrow as pa
from rich.progress import Progress

from clrs_text_bench import progress
from clrs_text_bench.errors import RunFailed
from clrs_text_bench.identity import SampleId

from ..rows import sample_ids
from .answers import Answer, Answers
from .teacher import Teacher

# Rows between two writes: a killed process loses what was answered since the last.
_CHUNK = 512


class Asking:
    """A teacher whose answers are kept."""

    def __init__(self, teacher: Teacher, answers: Answers, *, show: bool) -> None:
        """Puts teacher and answers together.

        Args:
          teacher: answers.
          answers: that there are, and more to come.
          show: whether to show progress.
        """
        self._teacher = teacher
        self._answers = answers
        self._show = show
        self._bar: Progress | None = None
        self._closed = False

    def show_on(self, bar: Progress) -> None:
        """Shows on a bar, from now on, how many answers there are."""
        self._bar = bar

    def close(self) -> None:
        """Asks nothing more; what is being answered is still kept."""
        self._closed = True

    def answers(self, table: pa.Table) -> list[Answer]:
        """Returns the answers to rows, of which those that are not there are asked for and kept.

        Args:
          table: rows with the identity's columns, "answer" and what the teacher reads.

        Raises:
          BadInput: if the teacher cannot answer them, or its answers cannot be kept.
          RunFailed: if it is closed meanwhile.
        """
        samples = sample_ids(table)
        places = {sample: place for place, sample in enumerate(samples)}
        found = dict(zip(samples, self._answers.find(samples), strict=True))
        missing = [sample for sample, answer in found.items() if answer is None]
        if missing:
            requests = table.drop_columns(["answer"])
            for chunk in self._chunks(missing):
                rows = requests.take(pa.array([places[sample] for sample in chunk]))
                answers = self._teacher.answers(rows)
                self._answers.keep(chunk, answers)
                found.update(zip(chunk, answers, strict=True))
        return [found[sample] for sample in samples]

    def _chunks(self, samples: list[SampleId]) -> Iterator[list[SampleId]]:
        """Yields so many samples at a time, and shows which are done."""
        with self._shown() as bar:
            task = bar.add_task("teacher", total=len(samples), unit="answers")
            for start in range(0, len(samples), _CHUNK):
                if self._closed:
                    raise RunFailed("stopped while the teacher was answering")
                chunk = samples[start : start + _CHUNK]
                yield chunk
                bar.advance(task, len(chunk))
            if bar is self._bar:  # it goes on with other tasks
                bar.remove_task(task)

    def _shown(self) -> contextlib.AbstractContextManager[Progress]:
        if self._bar is not None:
            return contextlib.nullcontext(self._bar)
        return progress.bar("answers", show=self._show)
