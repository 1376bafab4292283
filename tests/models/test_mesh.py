"""Training over eight devices, which one CPU pretends to have, in processes of their own."""

import json
import subprocess
import sys

import jax
import numpy as np
import pytest

from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import mesh

from .. import command
from . import tiny_run

DEVICES = 8
SETTINGS = (
    *("train.batch_size=16", "train.ema_decay=0.5", "train.log_every=1", "model.hidden_dim=64"),
)

PROGRAM = """
import json, sys
import jax
from clrs_text_bench.models.training import checkpoint, config, interrupt, loop, run

assert jax.device_count() == {devices}
found = {{}}
original = loop.Loop._step

def step(self):
    original(self)
    if self.step == {stop}:
        self._stop.asked = True
    for path, leaf in jax.tree_util.tree_leaves_with_path(self.state):
        name = jax.tree_util.keystr(path)
        found[name] = [leaf.size, leaf.addressable_shards[0].data.size]

def running(self, stop, **options):
    self._stop = stop
    return original_run(self, stop, **options)

original_run = loop.Loop.run
loop.Loop._step, loop.Loop.run = step, running
chosen = config.load(sys.argv[1], sys.argv[4:])
run.train(chosen, sys.argv[2], sys.argv[3], resume=True, show=False)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mesh")
    (folder / "tiny.toml").write_text(tiny_run.TOML)
    return folder


def train(folder, dataset, out, *overrides, devices=DEVICES, stop=-1):
    """Trains on so many devices; returns the sizes of the state's arrays, whole and on one."""
    done = subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM.format(devices=devices, stop=stop)),
            *(folder / "tiny.toml", dataset.url, folder / out, *SETTINGS, *overrides),
        ],
        env=command.surroundings(
            XLA_FLAGS=f"--xla_force_host_platform_device_count={devices}",
            JAX_COMPILATION_CACHE_DIR=str(folder / "cache"),
            JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def losses(folder, out):
    """Returns each step's loss and gradient norm."""
    return np.array(
        [(m["loss"], m["gradient_norm"]) for m in tiny_run.metrics(folder / out) if "loss" in m]
    )


def scores(folder, out):
    found = [m for m in tiny_run.metrics(folder / out) if m["kind"] == "validation"]
    return [(m["step"], m["shape"], m["clrs"]) for m in found]


@pytest.fixture(scope="module")
def alone(folder, dataset):
    """A run on one device."""
    train(folder, dataset, "alone", devices=1)
    return losses(folder, "alone")


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides", [(), ("mesh.fsdp=8",), ("mesh.fsdp=4", "train.accumulate=2")], ids=str
)
def test_any_mesh_trains_as_one_device_does(folder, dataset, alone, overrides):
    out = "-".join(("run", *overrides))
    sizes = train(folder, dataset, out, *overrides)
    np.testing.assert_allclose(losses(folder, out), alone, rtol=1e-4)
    assert scores(folder, out) == scores(folder, "alone")
    parts = int(overrides[0].removeprefix("mesh.fsdp=")) if overrides else 1
    large = {name: size for name, size in sizes.items() if size[0] >= 4096}
    # The matrices, and the optimiser's two means and the running mean of each.
    assert len(large) == 4 * 5
    assert all(whole == parts * on_one for whole, on_one in large.values())
    assert all(whole == on_one for n, (whole, on_one) in sizes.items() if n not in large)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("devices", "settings"), [(1, ()), (DEVICES, ("mesh.fsdp=4",))], ids=["one", "2x4"]
)
def test_a_run_cut_over_eight_goes_on_on_other_devices(folder, dataset, alone, devices, settings):
    out = f"moved-to-{devices}"
    train(folder, dataset, out, "mesh.fsdp=8", stop=5)
    train(folder, dataset, out, *settings, devices=devices)
    np.testing.assert_allclose(losses(folder, out), alone, rtol=1e-4)
    assert scores(folder, out) == scores(folder, "alone")


def test_what_cannot_be_cut_is_a_sentence():
    eight = jax.devices()[:1] * 8
    with pytest.raises(BadInput, match=r"mesh\.fsdp 3 does not divide the 8 devices there are"):
        mesh.make(configs.Mesh(fsdp=3), 8, eight)
    with pytest.raises(BadInput, match=r"12 examples \(train\.batch_size / train\.accumulate\)"):
        mesh.make(configs.Mesh(), 12, eight)


def test_only_large_arrays_are_cut_along_their_longest_axis():
    def cut(parts, *shape):
        return tuple(mesh._cut(parts, shape))

    assert cut(4, 64, 256) == (None, "fsdp")
    assert cut(4, 256, 64) == ("fsdp", None)
    assert cut(4, 255, 64) == (None, "fsdp")
    assert cut(4, 255, 63) == ()
    assert cut(4, 64) == ()
    assert cut(1, 64, 256) == ()


def test_gathered_arrays_are_whole():
    tree = {"a": np.arange(12.0).reshape(3, 4)}
    placed = mesh.place(mesh.make(configs.Mesh(), jax.device_count()), tree)
    np.testing.assert_array_equal(mesh.gather(placed)["a"], tree["a"])
