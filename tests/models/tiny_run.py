"""Training runs of a second within this process, and what their folders hold."""

import json
import signal

from clrs_text_bench.models.training import checkpoint as checkpoints
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import loop, optimizer, run, update
from clrs_text_bench.models.training.trainable import build

TOML = """
[model]
hidden_dim = 16
num_layers = 1
num_heads = 2
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


def train(config, dataset, out, **options):
    """Runs a config on a data set; returns whether it came to its end."""
    return run.train(config, dataset.url, out, show=False, **options)


def params(out, kind="latest"):
    """Returns the hash of a run's parameters and the number of steps behind them."""
    config = configs.load(out / "config.toml")
    trainable = build(config)
    expected = trainable.shapes()
    if kind == "latest":
        transform = optimizer.build(config.optimizer, config.train.steps, trainable.scales())
        expected = update.expected(expected, transform, config.train)
    kept = checkpoints.Checkpoints(out, kind)
    found = kept.restore(expected)
    kept.close()
    state = found.state.params if kind == "latest" else found.state
    return checkpoints.tree_hash(state), found.step


def metrics(out):
    """Returns the lines of a run's metrics."""
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def logged(out):
    """Returns the kind and the step of each line of a run's metrics."""
    return [(line["kind"], line["step"]) for line in metrics(out)]


def contents(folder):
    """Returns all that is below a folder: the bytes of every file, None for a folder."""
    paths = list(folder.rglob("*"))
    return {p.relative_to(folder): p.read_bytes() if p.is_file() else None for p in paths}


def stop_at(monkeypatch, step):
    """Lets a run be interrupted as soon as it has done so many steps."""
    original = loop.Loop._step

    def stepped(self):
        original(self)
        if self.step == step:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(loop.Loop, "_step", stepped)
