import re
import tomllib

import pytest

from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import toml

from . import tiny_run


def test_every_shipped_config_opens_with_its_command_and_time_and_loads():
    assert {"quickstart", "smoke"} <= set(configs.shipped())
    for name, text in configs.shipped().items():
        first, second = text.splitlines()[:2]
        command = "distil [a-z]+[^ ]*" if configs.load(name).distil else "train"
        assert re.match(f"# clrs-text-bench {command} {name} --data ", first)
        assert any(unit in second for unit in ("econds", "inutes", "hour"))
        configs.load(name)


def test_a_written_config_reads_back_equal():
    config = tiny_run.config("name=tiny", "model.positions.kind=randomised")
    assert configs.parse(configs.dumps(config), "again") == config
    assert configs.parse(configs.dumps(configs.TrainingConfig()), "again").name is None


def test_toml_writes_what_toml_reads():
    values = {
        "a": 'quote " and \\ and é',
        "b": [1, 2.5, True],
        "c": {"d": -1e-9, "e": {"f": False}},
        "g": [{"h": 1, "i": {"j": [2]}}],
    }
    assert tomllib.loads(toml.dumps(values)) == values


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("train.steps=7", "train.steps", 7),
        ("optimizer.learning_rate=3e-4", "optimizer.learning_rate", 3e-4),
        ("optimizer.learning_rate=1", "optimizer.learning_rate", 1.0),
        ("model.dtype=bfloat16", "model.dtype", "bfloat16"),
        ('model.dtype="bfloat16"', "model.dtype", "bfloat16"),
        ("name=a=b", "name", "a=b"),
        ("model.positions={kind='none'}", "model.positions.kind", "none"),
    ],
)
def test_an_override_sets_a_key(override, key, value):
    found = tiny_run.config(override)
    for part in key.split("."):
        found = getattr(found, part)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (
            "model.hiden_dim=3",
            "tiny.toml: unknown key 'model.hiden_dim'; did you mean",
        ),
        ("modle.hidden_dim=3", "tiny.toml: unknown key 'modle'; did you mean 'model'?"),
        ("model.positions.kid=none", "unknown key 'model.positions.kid'; did you mean 'kind'?"),
        ("train.steps=many", "train.steps = 'many': input should be a valid integer"),
        ("train.steps=1.5", "train.steps = 1.5: input should be a valid integer"),
        ("train.steps=true", "train.steps = True: input should be a valid integer"),
        ("train.steps=0", "train.steps = 0: input should be greater than or equal to 1"),
        ("train.seed=-1", "train.seed = -1: input should be greater than or equal to 0"),
        ("optimizer.learning_rate=nan", "optimizer.learning_rate = nan"),
        ("optimizer.learning_rate=0", "input should be greater than 0"),
        ("train.accumulate=3", "train.batch_size 4 cannot be cut evenly into train.accumulate 3"),
        ("train.ema_decay=1.0", "train.ema_decay = 1.0: input should be less than 1"),
        ("mesh.fsdp=0", "mesh.fsdp = 0: input should be greater than or equal to 1"),
        ("train.loss=all", "train.loss = 'all': input should be 'answer' or 'sequence'"),
        ("model.kind=rnn", "model.kind = 'rnn': input should be 'transformer'"),
        (
            "model.tokenizer=bpe",
            "model.tokenizer: unknown tokenizer 'bpe'; known: char, compact, path",
        ),
        (
            "model.split_digits=true",
            "split_digits is for a tokenizer.json, and tokenizer is compact",
        ),
        (
            "model.positions.share=0.2",
            "share 0.2 of a head's width 8 is 1; it must be an even number",
        ),
        ("model.norm=batch", "model.norm = 'batch': input should be 'rms' or 'layer'"),
        ("model.num_heads=3", "hidden_dim 16 must be a multiple of twice num_heads 3"),
        ("model.hidden_dim=18", "hidden_dim 18 must be a multiple of twice num_heads 2"),
        ("model.positions={kind='randomised',range=10}", "range 10 is below context 64"),
        ("optimizer.warmup_steps=12", "warmup_steps 12 must be below train.steps 12"),
        ("train.steps", "override 'train.steps' is not like train.steps=100"),
        ("=3", "override '=3' is not like train.steps=100"),
        ("train.steps.x=3", "'train.steps' is a value, not a table"),
        ("train=3", "train = 3"),
    ],
)
def test_a_bad_override_is_a_sentence(override, sentence):
    with pytest.raises(BadInput) as error:
        tiny_run.config(override)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_config_is_named_with_the_nearest(tmp_path):
    with pytest.raises(BadInput, match=r"unknown config 'quikstart'; did you mean 'quickstart'\?"):
        configs.load("quikstart")
    with pytest.raises(BadInput, match=r"cannot read config .*none.toml: No such file"):
        configs.load(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[train\n")
    with pytest.raises(BadInput, match=r"bad.toml is not valid TOML"):
        configs.load(tmp_path / "bad.toml")


def test_the_difference_of_two_configs_is_the_first_key_that_differs():
    one = tiny_run.config()
    assert configs.difference(one, one) is None
    assert configs.difference(one, tiny_run.config("model.positions.base=7.0")) == (
        "model.positions.base"
    )
    assert configs.difference(one, tiny_run.config("name=x")) == "name"
