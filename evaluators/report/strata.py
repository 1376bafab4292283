"""Which samples are shown: strata of one algorithm and length, in an order that is always the same."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

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

    def ranked(self) -> list[Sample]:
        """Returns its samples: those that most runs answered first, else in order of a hash."""
        counts: dict[Sample, int] = {}
        for run in self.runs:
            for sample in run.samples(self.algorithm, self.length):
                counts[sample] = counts.get(sample, 0) + 1
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
