"""A tiny data set that servers are asked about, away from the user's own keys and cache."""

import pytest

from . import served


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch, tmp_path):
    served.isolate(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return served.dataset_in(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture(scope="module")
def truth(dataset):
    return served.truths(dataset)
