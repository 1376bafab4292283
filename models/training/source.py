"""Where a run's data comes from: a data set, or a recipe that is made into one."""

import os
from pathlib import Path

from clrs_text_bench import datasets, recipes, registry, storage
from clrs_text_bench.datasets import Dataset
from clrs_text_bench.errors import BadInput, did_you_mean
from clrs_text_bench.recipes import Recipe

from . import toml
from .corpus import TRAIN, VALIDATION

_FOLDER = "data"
_RECIPE = "recipe.toml"


def find(data: str) -> Dataset | Recipe:
    """Opens a data set or reads a recipe; writes nothing.

    Args:
      data: a data set's path or URL, a shipped recipe's name, or the path of a recipe's file.

    Returns:
      The data set, or the train and validation splits of the recipe.

    Raises:
      BadInput: if it is none of these, or the recipe has no split "train".
    """
    if data.endswith(".toml") or data in recipes.shipped():
        if not data.endswith(".toml") and os.path.exists(os.path.join(data, datasets.MANIFEST)):
            return datasets.open(data)
        return _for_training(recipes.load(data), data)
    try:
        return datasets.open(data)
    except BadInput as error:
        if os.path.exists(data) or "://" in data or os.sep in data:
            raise
        hint = did_you_mean(data, recipes.shipped())
        raise BadInput(f"{data!r} is neither a data set nor a recipe{hint}") from error


def _for_training(recipe: Recipe, name: str) -> Recipe:
    splits = tuple(s for s in recipe.splits if s.name in (TRAIN, VALIDATION))
    if TRAIN not in [s.name for s in splits]:
        raise BadInput(f"recipe {name} has no split {TRAIN!r} to train on")
    return recipe.model_copy(update={"splits": splits})


def make(recipe: Recipe, run: Path) -> Dataset:
    """Makes a recipe's data set in the run's folder.

    It is kept, so that a resumed run finds it; one that was cut off is gone on with.
    """
    with storage.writing(str(run / _RECIPE)):
        text = toml.dumps(recipe.model_dump(mode="json"))
        storage.write_local(str(run / _RECIPE), text.encode())
    folder = str(run / _FOLDER)
    generate = registry.load("commands", "generate")
    generate.main([str(run / _RECIPE), "--resume", "--out", folder], standalone_mode=False)
    return datasets.open(folder)
