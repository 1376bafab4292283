"""The toy engine as an installed plug-in, and a small data set of the real one."""

import os
from pathlib import Path

import pytest

from clrs_text_bench import registry

from .. import plugins
from . import orders


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory):
    """The folder of the toy engine's package, for PYTHONPATH."""
    source = (Path(__file__).parent / "toy_engine.py").read_text()
    entries = {"generators": {"toy": "toy_engine:Engine"}}
    return plugins.install(tmp_path_factory.mktemp("toy"), "toys", entries, {"toy_engine": source})


@pytest.fixture
def toy(toy_folder, monkeypatch):
    """The name of the toy engine, which this process and its workers can find."""
    for name in ("TOY_FEW", "TOY_SLEEP", "TOY_FAULT"):
        assert name not in os.environ
    monkeypatch.syspath_prepend(str(toy_folder))
    registry._entries.cache_clear()
    yield "toy"
    registry._entries.cache_clear()


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    """A data set of all thirty, traced, with graph hints, by the default engine."""
    return orders.make(orders.REAL, tmp_path_factory.mktemp("real") / "data", n_workers=2)
