"""What the tests ask to be made."""

import hashlib
import os

from clrs_text_bench import recipes
from clrs_text_bench.generators import making
from clrs_text_bench.protocols import DEFAULT_ENGINE

SORTS = ("minimum", "insertion_sort")


def split(name, lengths, samples, *, algorithms=SORTS, seeds=(0,)):
    return {
        "name": name,
        "algorithms": list(algorithms),
        "lengths": list(lengths),
        "samples": samples,
        "seeds": list(seeds),
    }


def recipe(*splits, **more):
    return recipes.Recipe.model_validate({"name": "tests", "splits": list(splits), **more})


def order(*splits, engine="toy", dedupe=False, **more):
    return making.Order(recipe(*splits, **more), engine, dedupe, "the tests' command")


def make(what, url, *, n_workers=0, **how):
    """Makes a data set, in this process unless workers are asked for."""
    return making.make(what, os.fspath(url), n_workers=n_workers, show=False, **how)


def digests(dataset):
    """Returns a digest of every file of a data set, the manifest among them."""
    names = dataset.folder.names()
    return {name: hashlib.sha256(dataset.folder.read(name)).hexdigest() for name in names}


SMALL = (split("train", [3, 4], 20), split("test", [4], 10, seeds=[0, 5]))
REAL = making.Order(
    recipe(
        split("train", [5], 4, algorithms=recipes.tasks.names()),
        split("test", [5], 3, algorithms=recipes.tasks.names(), seeds=[0, 1]),
        hints=True,
    ),
    DEFAULT_ENGINE,
    dedupe=True,
    command="the tests' command",
)
