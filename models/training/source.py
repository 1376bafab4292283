"""Where a run's rows come from: a data set, or a recipe whose samples are made as they are used."""

import os
from collections.abc import Iterator, Sequence
from typing import Protocol

import pyarrow as pa

from clrs_text_bench import datasets, recipes
from clrs_text_bench.errors import BadInput, did_you_mean
from clrs_text_bench.protocols import Model

from .config import TrainingConfig
from .corpus import Corpus
from .fresh import Fresh


class Source(Protocol):
    """Rows to train and to validate on.

    Attributes:
      name: what the user calls it.
      hash: of all that the rows follow from.
      use_hints: whether the text is traced.
      algorithms: tasks trained on.
      lengths: lengths trained on.
    """

    name: str
    hash: str
    use_hints: bool
    algorithms: tuple[str, ...]
    lengths: tuple[int, ...]

    def show_to(self, model: Model) -> None:
        """Lets a model that is to answer the rows look at what only a data set knows.

        Raises:
          BadInput: if the two do not fit.
        """

    def held_out(self) -> pa.Table:
        """Returns the rows to validate on; raises `BadInput` if there are none."""

    def blocks(self, rows: int, start: int, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yields blocks of so many rows to train on, without end, from a block's number on."""


def find(data: str, config: TrainingConfig, *, show: bool) -> Source:
    """Opens a data set or reads a recipe; writes nothing.

    Args:
      data: a data set's path or URL, a shipped recipe's name, or the path of a recipe's file.
      config: of the run.
      show: whether to show progress in reading.

    Raises:
      BadInput: if it is none of these, or has no split "train".
    """
    held_out, seed = config.validation, config.train.seed
    is_folder = os.path.exists(os.path.join(data, datasets.MANIFEST))
    if data.endswith(".toml") or (data in recipes.shipped() and not is_folder):
        return Fresh(recipes.load(data), data, held_out, seed=seed)
    try:
        return Corpus(datasets.open(data), held_out, seed=seed, show=show)
    except BadInput as error:
        if os.path.exists(data) or "://" in data or os.sep in data:
            raise
        hint = did_you_mean(data, recipes.shipped())
        raise BadInput(f"{data!r} is neither a data set nor a recipe{hint}") from error
