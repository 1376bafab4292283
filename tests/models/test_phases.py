"""A TransNAR whose reasoner is trained first, by the same command."""

import pytest

from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.models import load
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import phases, run
from clrs_text_bench.models.training.trainable import build

from . import tiny_run

STEPS = """
[train]
steps = 4
batch_size = 4
log_every = 2
save_every = 2

[optimizer]
warmup_steps = 1

[validation]
every = 4
samples = 2
"""

NAR = """
[model]
kind = "nar"
algorithms = ["minimum"]
hidden_dim = 8
triplet_dim = 2

"""

HYBRID = """
[model]
kind = "transnar"

[model.transformer]
hidden_dim = 16
num_layers = 1
num_heads = 2
expansion = 2
context = 64
max_answer = 8

"""

RECIPE = """
name = "tiny"
[[splits]]
name = "train"
algorithms = ["minimum"]
lengths = "4"
samples = 50
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phases")
    (folder / "nar.toml").write_text(NAR + STEPS)
    (folder / "recipe.toml").write_text(RECIPE)
    return folder


def config(*of_nar):
    return configs.parse(
        HYBRID + STEPS, "hybrid.toml", ["train.seed=3", *(f"model.nar.{x}" for x in of_nar)]
    )


def train(config, folder, out, **options):
    return run.train(config, str(folder / "recipe.toml"), folder / out, show=False, **options)


def params(out, built):
    """Returns the hash of a run's best parameters."""
    from clrs_text_bench.models.training import checkpoint

    return checkpoint.tree_hash(checkpoint.best(out, built.shapes()).state)


@pytest.fixture(scope="module")
def trained(folder):
    assert train(config(f"config={folder / 'nar.toml'}"), folder, "run")
    return folder / "run"


@pytest.mark.slow
def test_the_reasoner_is_a_run_of_its_own_with_the_seed_of_the_whole(trained):
    found = configs.load(trained / "nar" / "config.toml")
    assert found.model.kind == "nar"
    assert found.train.seed == 3
    table = generate_batch("minimum", 4, count=3, split="test")
    alone, within = (load(f"nar:{x}") for x in (trained / "nar", trained))
    assert alone.generate(table)["prediction"].equals(within.generate(table)["prediction"])
    assert (
        alone.info().checkpoint
        == within.info().checkpoint
        == load(f"transnar:{trained}").info().settings["nar"]
    )


@pytest.mark.slow
def test_it_is_the_hybrid_that_a_reasoner_trained_before_gives(trained, folder):
    apart = config(f"run={trained / 'nar'}")
    assert train(apart, folder, "apart")
    built = build(apart)
    assert params(folder / "apart", built) == params(trained, built)


@pytest.mark.slow
def test_stopped_in_the_first_phase_it_goes_on_to_the_same(trained, folder, monkeypatch):
    whole = config(f"config={folder / 'nar.toml'}")
    with monkeypatch.context() as patched:
        tiny_run.stop_at(patched, 2)
        assert not train(whole, folder, "stopped")
    assert not (folder / "stopped" / "run.json").exists()
    assert train(whole, folder, "stopped", resume=True)
    built = build(config(f"run={trained / 'nar'}"))
    assert params(folder / "stopped", built) == params(trained, built)


def test_the_reasoners_config_may_be_changed_and_have_data_of_its_own(folder):
    whole = config(
        f"config={folder / 'nar.toml'}", 'overrides=["train.steps=9", "train.seed=5"]', "data=other"
    )
    found = phases.before(whole, "mine", folder / "run")
    assert (found.config.train.steps, found.config.train.seed) == (9, 5)
    assert (found.data, found.run) == ("other", folder / "run" / "nar")
    without = phases.before(config("run=runs/nar"), "mine", folder / "run")
    assert without is None


@pytest.mark.parametrize(
    ("of_nar", "sentence"),
    [
        ((), "either run, of a trained reasoner, or config"),
        (("run=a", "config=b"), "either run, of a trained reasoner, or config"),
        (("run=a", "data=b"), "are for nar.config"),
        (("config=a", "start=random"), "takes the size of nar.run"),
    ],
)
def test_a_source_that_cannot_be_is_refused(of_nar, sentence):
    with pytest.raises(BadInput, match=sentence):
        config(*(of_nar or ("steps=bound",)))


def test_a_config_that_is_no_reasoners_is_refused_before_anything_is_written(folder):
    with pytest.raises(BadInput, match=r"model\.nar\.config smoke is of a transformer"):
        train(config("config=smoke"), folder, "refused")
    assert not (folder / "refused").exists()
