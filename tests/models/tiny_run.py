"""Training runs of a second, for tests."""

from clrs_text_bench.models.training import config as configs

TOML = """
[model]
width = 16
layers = 1
heads = 2
expansion = 2
context = 64
max_answer = 16

[train]
steps = 12
batch_size = 4
log_every = 2
save_every = 3

[optimizer]
warmup_steps = 2

[validation]
every = 6
samples = 2
fraction = 0.2
"""


def config(*overrides):
    """Returns the config of a run of twelve steps."""
    return configs.parse(TOML, "tiny.toml", overrides)
