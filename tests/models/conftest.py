"""A tiny data set and a finished run on it, which no test may alter."""

import pytest

from .. import tiny_data
from . import tiny_run


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "set"
    return tiny_data.write(folder, {"train": [4, 6], "test": [5]})


@pytest.fixture(scope="session")
def unbroken(dataset, tmp_path_factory):
    """The folder of a run of twelve steps that nothing cut off."""
    out = tmp_path_factory.mktemp("runs") / "unbroken"
    assert tiny_run.train(tiny_run.config(), dataset, out)
    return out
