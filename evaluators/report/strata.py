"""Which samples are shown: of each algorithm and length some, the same ones each time."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clrs_text_bench import tasks

from .kept import Run, Sample


@dataclass(frozen=True)
class Stratum:
    """The answers to one (algorithm, length) of one split of a data set.

    Attributes:
      dataset_hash: of the data set.
      split: of the data set.
      algorithm: name of the task.
      length: of the samples.
      runs: those that answered some of it.
    """

    dataset_hash: str
    split: str
    algorithm: str
    length: int
    runs: tuple[Run, ...]

    def answers(self) -> dict[str, dict[Sample, dict[str, Any]]]:
        """Returns the answers of every run, by run id and sample."""
        return {run.run: run.answers(self.algorithm, self.length) for run in self.runs}

    def ranked(self, answers: dict[str, dict[Sample, Any]]) -> list[Sample]:
        """Returns the answered samples: those that most runs answered first, then by a hash."""
        counts = Counter(sample for found in answers.values() for sample in found)
        return sorted(counts, key=lambda sample: (-counts[sample], self._hash(sample)))

    def _hash(self, sample: Sample) -> bytes:
        name = f"{self.dataset_hash} {self.split} {self.algorithm} {self.length} {sample}"
        return hashlib.sha256(name.encode()).digest()


def strata(runs: Sequence[Run]) -> list[Stratum]:
    """Returns what runs answered: algorithms in catalogue order, then by length."""
    found: dict[tuple[str, str, str, int], list[Run]] = {}
    for run in runs:
        for algorithm, length in run.files:
            found.setdefault((run.dataset_hash, run.split, algorithm, length), []).append(run)
    order = {name: place for place, name in enumerate(tasks.names())}
    keys = sorted(found, key=lambda key: (order.get(key[2], len(order)), key[2:], key[:2]))
    return [Stratum(*key, tuple(found[key])) for key in keys]
