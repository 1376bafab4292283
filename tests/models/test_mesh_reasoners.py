"""TransNARs and reasoners over eight devices, which one CPU pretends to have."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from .. import command


@pytest.fixture(scope="module")
def found():
    """What `mesh_process` tells of each kind of model and mesh."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.models.mesh_process"],
        env=command.surroundings(XLA_FLAGS="--xla_force_host_platform_device_count=8"),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "mesh"), [("transnar", "cut"), ("nar", "cut copies")])
def test_any_mesh_trains_as_one_device_does(found, kind, mesh):
    alone, over = found[kind]["one"], found[kind][mesh]
    np.testing.assert_allclose(over["losses"], alone["losses"], rtol=1e-4)
    assert len({loss for loss, _ in alone["losses"]}) == len(alone["losses"])
    assert over["cut"] > 10


@pytest.mark.slow
@pytest.mark.parametrize("mesh", ["one", "cut"])
def test_a_frozen_reasoner_stays_bit_for_bit_on_any_mesh(found, mesh):
    before, after = found["transnar"][mesh]["frozen"]
    assert before == after
