"""What those who train an ablation's variants hand to those who report on them.

The plug-in `ablation` of the group `clrs_text_bench.reports` is a `Reporter`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from clrs_text_bench.datasets import Dataset
from clrs_text_bench.storage import Folder


@dataclass(frozen=True, slots=True)
class Variant:
    """One line of an ablation's table.

    Attributes:
      name: of the variant; its models are called so.
      description: what it is, in a few words.
      n_parameters: number of parameters.
      n_trained: how many of them are trained.
    """

    name: str
    description: str
    n_parameters: int
    n_trained: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What every model of an ablation answers.

    Attributes:
      dataset: the data set.
      split: of it.
      lengths: of the split; empty for all.
      limit: so many samples of each algorithm and length, the first; None for all.
    """

    dataset: Dataset
    split: str
    lengths: tuple[int, ...]
    limit: int | None


@dataclass(frozen=True, slots=True)
class Ablation:
    """Variants that are compared with one of them.

    Attributes:
      name: of the ablation.
      description: the question that it answers.
      base: name of the variant that the others are compared with.
      seeds: that every variant is trained with.
      variants: the lines of the table, in order.
      asked: what is answered.
    """

    name: str
    description: str
    base: str
    seeds: tuple[int, ...]
    variants: tuple[Variant, ...]
    asked: Asked


@dataclass(frozen=True, slots=True, order=True)
class Trained:
    """A model of a variant that was trained to its end.

    Attributes:
      variant: its name.
      seed: of the training.
      checkpoint: hash of the parameters that answer.
    """

    variant: str
    seed: int
    checkpoint: str


class Reporter(Protocol):
    """Reports on an ablation from a results folder that `evaluate` added its models to."""

    def check(self, asked: Asked) -> None:
        """Raises `BadInput` if the data set has no such split or length."""

    def evaluated(self, results: Folder, asked: Asked, models: Collection[Trained]) -> set[Trained]:
        """Returns those of the models whose answers to all that is asked are in the folder."""

    def write(self, results: Folder, ablation: Ablation, models: Collection[Trained]) -> None:
        """Prints the ablation's tables, and puts them and a figure into the folder.

        Args:
          results: the folder.
          ablation: what is compared.
          models: as `evaluated` gives them; one at least.
        """
