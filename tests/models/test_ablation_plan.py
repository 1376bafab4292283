"""What an ablation file comes to, before anything is trained."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clrs_text_bench.cli.main import cli
from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.ablation import file as files
from clrs_text_bench.models.ablation import plan, sizes, work
from clrs_text_bench.models.ablation.plan import Run, Shard
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training.config import TrainingConfig

from .. import command
from . import tiny_run

ROOT = Path(__file__).parents[2]

TOML = """
name = "tiny"
description = "A test."
config = "tiny.toml"
base = "plain"
seeds = [0, 3]
train.steps = 9

[evaluate]
lengths = "5"
limit = 4

[variants.plain]
description = "as it is"

[variants.randomised]
description = "randomised positions"
model.positions = { kind = "randomised", range = 128 }
train.steps = 7

[variants.reader]
description = "of another config"
config = "transnar-smoke"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ablation.toml").write_text(TOML)
    (tmp_path / "tiny.toml").write_text(tiny_run.TOML)
    return tmp_path


def load(folder, *overrides):
    return files.load(folder / "ablation.toml", overrides)


def by_name(folder, *overrides):
    return {run.name: run for run in plan.runs(load(folder, *overrides))}


def test_each_variant_is_run_with_each_seed_and_the_first_seeds_come_first(folder):
    names = ["plain-0", "randomised-0", "reader-0", "plain-3", "randomised-3", "reader-3"]
    assert list(by_name(folder)) == names


def test_a_variants_config_is_its_own_with_what_is_set_for_all_and_for_it(folder):
    found = by_name(folder)
    expected = tiny_run.config("name=plain", "train.seed=3", "train.steps=9")
    assert found["plain-3"].config == expected
    assert found["plain-3"].source == str(folder / "tiny.toml")  # beside the ablation
    randomised = found["randomised-0"].config
    assert (randomised.model.positions.kind, randomised.model.positions.range) == (
        "randomised", 128,
    )  # fmt: skip
    assert randomised.train.steps == 7
    assert found["reader-0"].config.model.kind == "transnar"
    assert found["reader-0"].config.train.steps == 9


def test_the_overrides_of_a_run_are_those_of_the_train_command(folder):
    for run in by_name(folder, "model.nar.run=a b/c").values():
        assert configs.load(run.source, run.overrides) == run.config


def test_overrides_are_of_the_file_and_reach_the_models_that_have_the_key(folder):
    found = by_name(
        folder,
        *("model.nar.run=runs/x", "model.hidden_dim=8", "seeds=[1]"),
        *("variants.plain.train.steps=5", "evaluate.limit=2"),
    )
    assert list(found) == ["plain-1", "randomised-1", "reader-1"]
    assert found["reader-1"].config.model.nar.run == "runs/x"
    assert found["reader-1"].config.model.transformer.hidden_dim == 32
    assert found["plain-1"].config.model.hidden_dim == 8
    assert [run.config.train.steps for run in found.values()] == [5, 7, 9]
    assert load(folder, "evaluate.limit=2", "evaluate.lengths=4-6,8").evaluate.model_dump() == {
        "split": "test", "lengths": (4, 5, 6, 8), "limit": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("bse=plain", "unknown key 'bse'; did you mean 'base'?"),
        ("base=plian", "unknown variant 'plian'; did you mean 'plain'?"),
        ("seeds=[]", "seeds = []"),
        ("seeds=[1,1]", "seeds: a seed stands twice in [1, 1]"),
        ("seeds=[-1]", "input should be greater than or equal to 0"),
        ("train.seed=1", "train: key 'seed' is set by the ablation's seeds; leave it out"),
        ("variants.plain.train.seed=1", "key 'seed' is set by the ablation's seeds"),
        ("variants.plain.modle.hidden_dim=8", "'variants.plain.modle'; did you mean 'model'?"),
        ("variants.new.train.steps=3", "key 'variants.new.description' is missing"),
        ("variants.A/B.description=x", "string should match pattern"),
        ("evaluate.lengths=8-4", "runs backwards"),
        ("evaluate.limit=0", "evaluate.limit = 0: input should be greater than or equal to 1"),
        ("variants.plain.model.hiden_dim=8", "variant plain: "),
        (
            "variants.plain.config=smok",
            "variant plain: unknown config 'smok'; did you mean 'smoke'",
        ),
        ("variants.plain.config=none.toml", "variant plain: cannot read config"),
        ("variants.reader.model.kind=rnn", "variant reader: config transnar-smoke: model.kind"),
        ("model.hiden_dim=8", "unknown key 'model.hiden_dim'; did you mean 'model.hidden_dim'?"),
        ("train.stesp=8", "variant plain: "),
    ],
)
def test_a_wrong_key_or_value_is_a_sentence(folder, override, sentence):
    with pytest.raises(BadInput) as error:
        plan.runs(load(folder, override))
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_ablation_is_named_with_the_nearest(tmp_path):
    with pytest.raises(
        BadInput, match="unknown ablation 'transnar-smok'; did you mean 'transnar-s"
    ):
        files.load("transnar-smok")
    with pytest.raises(BadInput, match=r"cannot read ablation .*none.toml: No such file"):
        files.load(tmp_path / "none.toml")


def runs_of(count):
    return [Run("v", seed, "smoke", (), TrainingConfig()) for seed in range(count)]


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))))
def test_shards_are_disjoint_complete_and_of_like_size(sizes):
    total, count = sizes
    runs = runs_of(total)
    shards = [Shard(place, count).of(runs) for place in range(1, count + 1)]
    assert sorted(run.seed for shard in shards for run in shard) == list(range(total))
    lengths = [len(shard) for shard in shards]
    assert max(lengths) - min(lengths) <= 1


def test_one_shard_is_all():
    assert Shard.parse("1/1") == Shard()
    assert Shard().of(runs_of(3)) == runs_of(3)


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b", "1.5/2"])
def test_a_shard_that_is_none_is_refused(text):
    with pytest.raises(BadInput, match="--shard"):
        Shard.parse(text)


def test_more_shards_than_runs_are_refused():
    with pytest.raises(BadInput, match="--shard 3/4: there are 3 runs in all"):
        Shard(3, 4).of(runs_of(3))


def test_every_shipped_ablation_opens_with_its_command_and_time_and_can_be_planned():
    assert {"transnar-smoke", "transnar-controls"} <= set(files.shipped())
    for name, text in files.shipped().items():
        first, second = text.splitlines()[:2]
        assert re.match(rf"# clrs-text-bench ablate {name} .*--data .*--out ", first)
        assert any(unit in second for unit in ("econds", "inutes", "hours"))
        file = files.load(name)
        assert file.name == name
        runs = plan.runs(file)
        assert len(runs) == len(file.seeds) * len(file.variants)
        configs_of = {run.config.model_copy(update={"name": None}) for run in runs}
        assert len(configs_of) == len(runs), "two variants are the same"


def test_the_wide_transformer_has_as_many_trained_parameters_as_the_transnar(monkeypatch):
    monkeypatch.chdir(ROOT)
    runs = {run.variant: run for run in plan.runs(files.load("transnar-controls", ["seeds=[0]"]))}
    reader, wide = (sizes.of(runs[name].config) for name in ("transnar", "transformer-wide"))
    assert wide.parameters == wide.trained
    assert reader.parameters > reader.trained
    assert wide.trained == pytest.approx(reader.trained, rel=0.02)


def test_plan_shows_runs_and_parameters_and_writes_nothing(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    before = tiny_run.contents(folder)
    chosen = ["variants.reader.config=smoke", "--plan", "--shard", "2/2"]
    cli.main(["ablate", "ablation.toml", *chosen], standalone_mode=False)
    shown = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [line[0] for line in shown] == ["randomised-0", "plain-3", "reader-3"]
    count = f"{sizes.of(tiny_run.config()).parameters:,}"
    assert shown[1][1:] == [count, count, "9", "tiny.toml", "train.steps=9"]
    assert shown[0][3] == "7"
    assert tiny_run.contents(folder) == before


def test_a_reasoner_that_is_not_there_is_named_with_the_variant(folder, monkeypatch):
    monkeypatch.chdir(folder)
    sentence = r"^variant transnar: model\.nar\.run: run runs/nar-smoke does not exist"
    with pytest.raises(BadInput, match=sentence):
        work.planned(files.load("transnar-smoke"), None, None, Shard())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("ablation.toml", "ablate needs --data and --out, or --plan to show what it would do"),
        ("ablation.toml --data d", "ablate needs --data and --out"),
        ("ablation.toml --plan --shard 3", "--shard 3 is not like 1/3"),
        ("ablation.toml --data none --out out", "none does not exist; make a data set with"),
    ],
)
def test_bad_input_ends_in_a_sentence_and_writes_nothing(folder, monkeypatch, given, sentence):
    monkeypatch.chdir(folder)
    before = tiny_run.contents(folder)
    assert sentence in command.sentence_here("ablate", *given.split())
    assert tiny_run.contents(folder) == before
