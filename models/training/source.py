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


def open_or_make(data: str, run: Path) -> Dataset:
    """Opens a data set, or makes the train and validation splits of a recipe in the run's folder.

    A recipe's data set is kept, so that a resumed run finds it; one that was cut off is gone on
    with.

    Args:
      data: a data set's path or URL, a shipped recipe's name, or the path of a recipe's file.
      run: the run's folder.

    Raises:
      BadInput: if it is none of these, or the recipe has no split "train".
    """
    if data.endswith(".toml") or data in recipes.shipped():
        if not data.endswith(".toml") and os.path.exists(os.path.join(data, datasets.MANIFEST)):
            return datasets.open(data)
        return _make(recipes.load(data), data, run)
    try:
        return datasets.open(data)
    except BadInput as error:
        if os.path.exists(data) or "://" in data or os.sep in data:
            raise
        hint = did_you_mean(data, recipes.shipped())
        raise BadInput(f"{data!r} is neither a data set nor a recipe{hint}") from error


def _make(recipe: Recipe, name: str, run: Path) -> Dataset:
    splits = tuple(s for s in recipe.splits if s.name in (TRAIN, VALIDATION))
    if TRAIN not in [s.name for s in splits]:
        raise BadInput(f"recipe {name} has no split {TRAIN!r} to train on")
    text = toml.dumps(recipe.model_copy(update={"splits": splits}).model_dump(mode="json"))
    with storage.writing(str(run / _RECIPE)):
        storage.write_local(str(run / _RECIPE), text.encode())
    folder = str(run / _FOLDER)
    generate = registry.load("commands", "generate")
    generate.main([str(run / _RECIPE), "--resume", "--out", folder], standalone_mode=False)
    return datasets.open(folder)
