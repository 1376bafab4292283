"""One Transformer that learns 64 samples of each of the thirty algorithms by heart."""

import pytest

from clrs_text_bench import tasks
from clrs_text_bench.evaluators.evaluate import evaluate
from clrs_text_bench.evaluators.leaderboard import frame_of

from .. import command

RECIPE = """
name = "memorise"
description = "64 samples of every algorithm, one to validate with."

[[splits]]
name = "train"
algorithms = "all"
lengths = "4"
samples = 64

[[splits]]
name = "validation"
algorithms = "all"
lengths = "4"
samples = 1
"""

CONFIG = """
name = "memorising"

[model]
hidden_dim = 128
num_layers = 3
num_heads = 4
context = 256
max_answer = 128
activation = "gelu_tanh"

[train]
steps = 12_000
batch_size = 32
log_every = 100
save_every = 1000

[optimizer]
learning_rate = 0.002
warmup_steps = 200
weight_decay = 0.0

[validation]
every = 12_000
samples = 1
"""


@pytest.mark.long
def test_64_samples_of_every_algorithm_are_learnt_by_heart(tmp_path):
    (tmp_path / "recipe.toml").write_text(RECIPE)
    (tmp_path / "config.toml").write_text(CONFIG)
    data, run = tmp_path / "data", tmp_path / "run"
    command.run("generate", tmp_path / "recipe.toml", "--out", data)
    command.run("train", tmp_path / "config.toml", "--data", data, "--out", run, limit=None)
    frame = frame_of([evaluate(f"transformer:{run}", str(data), split="train").rows])
    assert set(frame["algorithm"]) == set(tasks.names())
    assert frame["n"].tolist() == [64] * 30
    wrong = frame[frame["exact"] < 1].set_index("algorithm")["exact"].to_dict()
    assert wrong == {}
