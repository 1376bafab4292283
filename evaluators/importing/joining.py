"""Which sample of a data set each answer of a log is to.

By identity where the log has it, else by the exact text of the question. Of several samples that
ask the same question, each takes one answer of the log to it, in order; more are duplicates.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from clrs_text_bench import schema
from clrs_text_bench.datasets import Cell, Dataset
from clrs_text_bench.errors import shortened
from clrs_text_bench.predictions import described

from .entries import Entry, Identity

_COLUMNS = [*schema.IDENTITY, "question"]
_MOST_SHOWN = 80


@dataclass
class Joined:
    """What a log's answers are to.

    Attributes:
      answers: by sample; the first, where there are several.
      repeated: sentences about answers that repeat one that was read before.
      contradicted: the same, where the answer is another one, which is left out.
      unknown: sentences about answers to no sample of the data set.
      missing: samples without an answer, in cells that have some.
    """

    answers: dict[Identity, Entry] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    contradicted: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    missing: list[Identity] = field(default_factory=list)


def join(entries: Iterable[Entry], dataset: Dataset, split: str) -> Joined:
    """Finds the samples of answers.

    Args:
      entries: of one log or several.
      dataset: whose samples are answered.
      split: whose questions are searched for answers without an identity.
    """
    samples = _Samples(dataset)
    joined = Joined()
    for entry in entries:
        places = samples.named(entry) if entry.identity else samples.asking(entry, split)
        if not places:
            joined.unknown.append(f"{entry.where}: {_why(entry, samples, split)}")
            continue
        free = [place for place in places if place not in joined.answers]
        if free:
            joined.answers[free[0]] = entry
            continue
        first = joined.answers[places[0]]
        same = any(joined.answers[p].prediction == entry.prediction for p in places)
        listed = joined.repeated if same else joined.contradicted
        listed.append(f"{entry.where} answers what {first.where} does")
    for cell in dataset.cells():
        known = samples.of(cell)
        if not joined.answers.keys().isdisjoint(known):
            joined.missing += [one for one in known if one not in joined.answers]
    return joined


def _why(entry: Entry, samples: "_Samples", split: str) -> str:
    if entry.identity is None:
        return f"split {split} has no such question: {_short(entry.question)}"
    if samples.question(entry.identity) is None:
        return f"the data set has no {described(entry.identity)}"
    return f"{described(entry.identity)} asks something else than {_short(entry.question)}"


def _short(question: str | None) -> str:
    return shortened(question or "", _MOST_SHOWN)


class _Samples:
    """The samples of a data set, each cell read when it is first asked for."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._cells = {(c.split, c.algorithm, c.length): c for c in dataset.cells()}
        self._read: dict[Cell, dict[Identity, str]] = {}
        self._asking: dict[str, dict[str, list[Identity]]] = {}

    def of(self, cell: Cell) -> dict[Identity, str]:
        """Returns the questions of a cell's samples."""
        if cell not in self._read:
            rows = self._dataset.read(cell, _COLUMNS)
            *identity, questions = (rows[name].to_pylist() for name in _COLUMNS)
            self._read[cell] = dict(zip(zip(*identity, strict=True), questions, strict=True))
        return self._read[cell]

    def question(self, identity: Identity) -> str | None:
        """Returns the question of a sample; None if there is no such sample."""
        cell = self._cells.get(identity[:3])
        return None if cell is None else self.of(cell).get(identity)

    def named(self, entry: Entry) -> list[Identity]:
        """Returns the sample that an answer names, unless it is to another question."""
        asked = self.question(entry.identity)
        fits = asked is not None and entry.question in (None, asked)
        return [entry.identity] if fits else []

    def asking(self, entry: Entry, split: str) -> list[Identity]:
        """Returns the samples of a split that ask an answer's question."""
        if split not in self._asking:
            found = defaultdict(list)
            for cell in self._dataset.cells(split):
                for identity, question in self.of(cell).items():
                    found[question].append(identity)
            self._asking[split] = dict(found)
        return self._asking[split].get(entry.question or "", [])
