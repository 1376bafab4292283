"""Our tasks as a procedural data set of reasoning-gym. Importing this module registers it.

    import reasoning_gym
    import clrs_text_bench.integrations.reasoning_gym

    reasoning_gym.create_dataset("clrs_text", algorithms=["bfs"], lengths=[4, 8], seed=0, size=100)

reasoning-gym seeds item i by `seed + i`, so that neighbouring seeds share almost all items. Here an
item's algorithm, length and inputs follow from a hash of its identity, so seeds share nothing.
"""

from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np

from clrs_text_bench import engines, extras, schema, tasks
from clrs_text_bench.errors import BadInput, unknown
from clrs_text_bench.identity import SampleId, stream_key
from clrs_text_bench.protocols import Extraction

from . import scoring

NAME = "clrs_text"

_factory = extras.load("reasoning_gym.factory", "reasoning-gym", "the data set clrs_text")


@dataclass
class ClrsTextConfig:
    """What is drawn, and how answers are scored.

    Attributes:
      algorithms: names of tasks; by default the thirty of CLRS-30.
      lengths: of the samples; each algorithm and length is as likely as any other.
      use_hints: whether the text is traced.
      split: name of the split; splits of one seed share no samples.
      score: which score is the reward: clrs (the share of right elements), exact, shape or parse.
      extraction: "strict" takes an answer as it is, "lenient" finds the last well-formed one in it.
      seed: of the samples; None draws one.
      size: number of items.
    """

    algorithms: list[str] = field(default_factory=lambda: list(tasks.by_plugin()["clrs30"]))
    lengths: list[int] = field(default_factory=lambda: [4, 5, 6, 7, 8])
    use_hints: bool = False
    split: str = "train"
    score: str = "clrs"
    extraction: Extraction = "strict"
    seed: int | None = None
    size: int = 500

    def validate(self) -> None:
        """Raises `BadInput` on a value that cannot be used."""
        if not self.algorithms or not self.lengths:
            raise BadInput("clrs_text needs at least one of algorithms and of lengths")
        for name in self.algorithms:
            for length in self.lengths:
                tasks.get(name).check_length(length)
        if self.score not in scoring.judge().scores:
            raise unknown("score", self.score, scoring.judge().scores)
        if self.extraction not in get_args(Extraction):
            raise unknown("extraction", self.extraction, get_args(Extraction))
        if self.size < 1:
            raise BadInput(f"size {self.size} is below 1")


class ClrsTextDataset(_factory.ProceduralDataset):
    """CLRS-Text samples; item i is sample i of its algorithm and length, for the seed and split."""

    def __init__(self, config: ClrsTextConfig) -> None:
        super().__init__(config=config, seed=config.seed, size=config.size)
        self._cells = [(name, n) for name in config.algorithms for n in config.lengths]

    @property
    def category(self) -> str:
        """The group of data sets that reasoning-gym counts it to."""
        return NAME

    def __getitem__(self, idx: int) -> dict[str, Any]:
        """Returns an item: `question`, `answer`, and in `metadata` the sample's identity.

        Raises:
          IndexError: if there is no item of that place.
        """
        if not 0 <= idx < self.size:
            raise IndexError(f"clrs_text has {self.size} items, there is no {idx}")
        algorithm, length = self._cell(idx)
        engine = engines.load(engines.name_of([algorithm]))
        row = engine.generate(
            algorithm,
            length,
            seed=self.seed,
            split=self.config.split,
            indices=np.array([idx]),
            use_hints=self.config.use_hints,
            graph_hints=False,
        ).to_pylist()[0]
        return {
            "question": row["question"],
            "answer": row["answer"],
            "metadata": {
                "source_dataset": NAME,
                "source_index": idx,
                **{name: row[name] for name in schema.IDENTITY},
                "use_hints": row["use_hints"],
                "difficulty": {"length": length},
            },
        }

    def _cell(self, idx: int) -> tuple[str, int]:
        where = SampleId(self.seed, self.config.split, NAME, len(self._cells), idx)
        return self._cells[stream_key(where, "cell") % len(self._cells)]

    def score_answer(self, answer: str | None, entry: dict[str, Any]) -> float:
        """Returns the score of an answer to an item, 0..1; see `ClrsTextConfig.score`."""
        sample = entry["metadata"]
        scores = scoring.score(
            answer,
            algorithm=sample["algo_name"],
            length=sample["length"],
            truth=entry["answer"],
            use_hints=sample["use_hints"],
            extraction=self.config.extraction,
        )
        return scores[self.config.score]


_factory.register_dataset(NAME, ClrsTextDataset, ClrsTextConfig)
