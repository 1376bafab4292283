"""TransNARs trained by the one loop on a reasoner's run, cut off, gone on with, and refused."""

import json
import shutil

import jax
import numpy as np
import pyarrow as pa
import pytest

from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models import load
from clrs_text_bench.models.nar.network import Latents
from clrs_text_bench.models.rows import sample_ids
from clrs_text_bench.models.training import checkpoint, run
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.transnar import store
from clrs_text_bench.models.transnar.trainable import TrainableTransNar

from .. import tiny_data
from . import tiny_nar_run, tiny_run, tiny_transnar

TOML = """
[model]
kind = "transnar"

[model.transformer]
hidden_dim = 16
num_layers = 1
num_heads = 2
expansion = 2
context = 32
max_answer = 16

[model.nar]
run = "nar"
steps = "bound"

[train]
steps = 6
batch_size = 8
log_every = 1
save_every = 2

[optimizer]
learning_rate = 0.01
warmup_steps = 1

[validation]
every = 3
samples = 2
fraction = 0.1
"""


def config(*overrides):
    return configs.parse(TOML, "tiny.toml", overrides)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Holds a reasoner's run "nar", and a data set "set"."""
    folder = tmp_path_factory.mktemp("transnar")
    tiny_nar_run.write(folder / "nar")
    tiny_data.write(folder / "set", {"train": [4]}, algorithms=("minimum",))
    return folder


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    """The working directory: runs are named as a user names them."""
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def compiled_once(tmp_path_factory):
    """Programs of the same shapes are compiled once for all runs of this file."""
    names = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    before = {name: getattr(jax.config, name) for name in names}
    for name, value in zip(names, (str(tmp_path_factory.mktemp("cache")), 0.0), strict=True):
        jax.config.update(name, value)
    yield
    for name, value in before.items():
        jax.config.update(name, value)


def train(out, *overrides, data="set", **options):
    return run.train(config(*overrides), data, out, show=False, **options)


@pytest.fixture(scope="module")
def trained(folder):
    """The folder of a run that nothing cut off."""
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        assert train("trained")
    return folder / "trained"


def test_the_run_holds_what_its_reasoner_is_and_answers_without_its_folder(
    trained, tmp_path, monkeypatch
):
    described = json.loads((trained / "nar.json").read_text())
    record = json.loads((trained / "run.json").read_text())
    assert described["model"]["algorithms"] == ["minimum", "insertion_sort"]
    assert described["hash"] == record["model"]["nar"]
    monkeypatch.chdir(tmp_path)  # where there is no reasoner
    model = load(f"transnar:{trained}")
    table = pa.Table.from_pylist(
        [tiny_data.sample("minimum", 4, split="test", seed=0, index=i) for i in range(3)]
    )
    answers = model.generate(table)
    assert (
        answers["finish_reason"].to_pylist() == model.generate(table)["finish_reason"].to_pylist()
    )
    assert answers["index"].to_pylist() == [0, 1, 2]
    assert model.info().settings["nar"] == described["hash"]
    # What has learnt has, and the reasoner is bit for bit the one that the run began with.
    kept = checkpoint.best(trained, model.trainable.shapes()).state
    assert checkpoint.tree_hash(kept["nar"]) == described["hash"]
    assert all(reader["gate"] != 0 for reader in kept["readers"].values())


@pytest.mark.parametrize(
    ("computed", "step"), [("block", 3), ("once", 4)], ids=["block", "once, between two saves"]
)
def test_a_run_cut_off_and_gone_on_with_is_as_if_unbroken(trained, monkeypatch, computed, step):
    out, override = trained.parent / f"cut-{computed}", f"model.nar.computed={computed}"
    with monkeypatch.context() as patched:
        tiny_run.stop_at(patched, step)
        assert not train(out, override)
    if computed == "once":
        forget_some(trained.parent / "nar" / "latents")
    monkeypatch.setattr(TrainableTransNar, "init", lambda self: pytest.fail("made again"))
    assert run.train(config(override), None, out, resume=True, show=False)
    assert tiny_run.params(out) == tiny_run.params(trained)
    assert tiny_run.params(out, "best") == tiny_run.params(trained, "best")
    assert tiny_run.logged(out) == tiny_run.logged(trained)
    before = tiny_run.contents(out)
    assert train(out, override, resume=True)
    assert tiny_run.contents(out) == before


def forget_some(latents):
    """Leaves a store as a process leaves it that is killed while it writes."""
    (of_minimum,) = latents.rglob("train-minimum-4-0.there")
    there = np.memmap(of_minimum, np.uint8, "r+")
    assert there.sum() > 10
    values = np.memmap(of_minimum.with_suffix(".latents"), np.float32, "r+")
    there[::3] = 0
    values.reshape(len(there), -1)[::3] = np.nan


def test_a_run_of_another_reasoner_is_not_gone_on_with(trained, here):
    out = shutil.copytree(trained, here / "other")
    nar, kept = here / "nar", here / "kept"
    nar.rename(kept)
    try:
        with pytest.raises(BadInput, match=r"model\.nar\.run: run nar does not exist"):
            train(out, resume=True)
        tiny_nar_run.write(nar, seed=1)
        with pytest.raises(BadInput, match=r"begun with another nar than model\.nar\.run holds"):
            train(out, resume=True)
    finally:
        shutil.rmtree(nar, ignore_errors=True)
        kept.rename(nar)
    assert tiny_run.contents(out) == tiny_run.contents(trained)


@pytest.mark.parametrize(
    ("overrides", "data", "sentence"),
    [
        (("model.nar.run=none",), "set", "model.nar.run: run none does not exist"),
        (("model.nar.run=trained",), "set", "is of a transnar, not of a nar"),
        (("model.nar.run=set",), "set", "model.nar.run: run set holds no run.json"),
        ((), "plain", "a reasoner needs graph_inputs, and a row of minimum has none"),
        ((), "sort", "a row is of minimum, which the network was not made for"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_leaves_nothing(
    trained, here, monkeypatch, overrides, data, sentence
):
    if data == "plain":
        complete = tiny_data.sample
        monkeypatch.setattr(
            tiny_data, "sample", lambda *a, **b: complete(*a, **b) | {"graph_inputs": None}
        )
        tiny_data.write(here / data, {"train": [4]})
    if data == "sort":
        tiny_nar_run.write(here / "sort", ("insertion_sort",))
        overrides, data = ("model.nar.run=sort",), "set"
    with pytest.raises(BadInput) as error:
        train("refused", *overrides, data=data)
    assert sentence in str(error.value)
    assert not (here / "refused").exists()


def altered(out, **changes):
    """Alters what a run's nar.json says."""
    described = json.loads((out / "nar.json").read_text())
    described["model"] |= changes.pop("model", {})
    (out / "nar.json").write_text(json.dumps(described | changes))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda out: altered(out, hash="0" * 64), "nar.json tells of another reasoner than run"),
        (lambda out: altered(out, model={"hidden_dim": 4}), "is cut short or of another model"),
        (lambda out: altered(out, model={"algorithms": ["bsf"]}), "unknown algorithm 'bsf'"),
        (lambda out: altered(out, more=1), "unknown key 'more'"),
        (lambda out: (out / "nar.json").write_text("{"), "nar.json is not valid JSON"),
        (lambda out: (out / "nar.json").unlink(), "nar.json: No such file or directory"),
    ],
    ids=["hash", "width", "algorithm", "key", "cut short", "gone"],
)
def test_an_altered_description_of_the_reasoner_is_refused(trained, tmp_path, damage, sentence):
    out = shutil.copytree(trained, tmp_path / "run")
    damage(out)
    with pytest.raises(BadInput) as error:
        load(f"transnar:{out}")
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_an_altered_reasoner_is_refused(trained, tmp_path):
    out = shutil.copytree(trained, tmp_path / "run")
    kept = checkpoint.best(out, load(f"transnar:{out}").trainable.shapes())
    state = jax.tree.map(np.asarray, kept.state)
    state["nar"] = jax.tree.map(lambda x: x + np.float32(1e-3), state["nar"])
    shutil.rmtree(out / "checkpoints" / "best")
    checkpoints = checkpoint.Checkpoints(out, "best", create=True)
    checkpoints.save(kept.step, state, kept.progress)
    checkpoints.close()
    with pytest.raises(BadInput, match="holds another reasoner than it was trained with"):
        load(f"transnar:{out}")


def test_what_it_cannot_answer_is_said(trained):
    model = load(f"transnar:{trained}")
    with pytest.raises(BadInput, match="a row is of bfs, which the network was not made for"):
        model.generate(generate_batch("bfs", 4, count=1))
    with pytest.raises(BadInput, match="transnar needs a run"):
        load("transnar:")


@pytest.fixture
def kept(tmp_path):
    """A store of latents, and what computes rows' own numbers as latents."""
    reasoner = tiny_transnar.shapes_only("bound")._replace(folder=tmp_path)
    table = tiny_transnar.table((4, 6), 3)
    rows = reasoner.trainable.requests.rows(table)
    asked = []

    def compute(missing):
        asked.append(len(missing))
        return [
            Latents(np.full((1, row.n, 8), i, np.float32), np.full((1, row.n, row.n, 8), -i))
            for row in missing
            for i in [next(n for n, one in enumerate(rows) if one is row)]
        ]

    def latents(chosen):
        samples = sample_ids(table)
        return store.Store(reasoner, "bound", 1).latents(
            [samples[i] for i in chosen], [rows[i] for i in chosen], compute
        )

    return tmp_path, latents, asked, len(rows)


def test_a_store_computes_what_it_has_not_and_keeps_it(kept):
    folder, latents, asked, count = kept
    latents(range(0, count, 2))
    for _ in range(2):
        for i, found in zip(range(count), latents(range(count)), strict=True):
            assert np.all(found.nodes_BxNxH == i)
            assert np.all(found.edges_BxNxNxH == -i)
    assert asked == [-(-count // 2), count // 2, 0]
    for there in folder.rglob("*.there"):
        np.memmap(there, np.uint8, "r+")[0] = 0
    latents(range(count))
    assert asked[-1] == len(list(folder.rglob("*.there")))


def test_a_store_that_cannot_be_written_is_a_sentence(kept):
    folder, latents, _, _ = kept
    (folder / "latents").write_text("a file")
    with pytest.raises(BadInput, match=r"cannot write .*latents"):
        latents([0])
