"""What a small language model forgets while it learns algorithms, alone and beside a reasoner.

    python benchmarks/forgetting.py --out runs/forgetting

A Transformer of single characters is trained on sentences that a grammar draws, whose entropy is
known. Then the same run is the start (`model.init`) of two others on the text of three algorithms:
of a Transformer, and of a TransNAR on the reasoner results/checkpoints/nar-small-0. Bits per byte
of sentences that no training saw are measured before and after each.
"""

import json
import math
import subprocess
import sys
from pathlib import Path

import click
import jax
import numpy as np
import optax
from rich.table import Table

from clrs_text_bench import progress, terminal
from clrs_text_bench.evaluators.evaluate import evaluate
from clrs_text_bench.evaluators.leaderboard import frame_of
from clrs_text_bench.models import language
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import imported
from clrs_text_bench.models.transformer.trainable import TrainableTransformer

_PARTS = (
    "The {} ",
    ("old", "young", "tired", "clever", "quiet", "hungry", "lonely", "famous"),
    " ",
    ("sailor", "teacher", "farmer", "doctor", "painter", "baker", "singer", "writer"),
    " ",
    ("saw", "met", "heard", "followed", "forgot", "remembered", "thanked", "watched"),
    " the ",
    ("red", "green", "small", "broken", "golden", "silent", "distant", "frozen"),
    " ",
    ("river", "house", "garden", "bridge", "mountain", "window", "harbour", "forest"),
    " ",
    (
        "at dawn",
        "in the rain",
        "after dinner",
        "on Sunday",
        "by night",
        "in winter",
        "again",
        "once",
    ),
    ". ",
)
# Rows as long as the context, in whose windows a text is measured: positions are plain.
_LENGTH, _ROWS, _STEPS = 384, 12, 1500
_RATE = 2e-3
_TEXT = ("tokenizer=char", "positions.kind=plain", f"context={_LENGTH}")
_TRAINING = ("train.steps=1000", "train.batch_size=32", "train.accumulate=1")
_TRAINING += ("optimizer.learning_rate=0.001", "validation.every=1000")
_ALGORITHMS = ("minimum", "binary_search", "find_maximum_subarray_kadane")
_REASONER = "results/checkpoints/nar-small-0"


def sentences(count: int, seed: int) -> str:
    """Returns sentences, every choice of a word as likely as the others."""
    rng = np.random.default_rng(seed)
    return "".join(
        part if isinstance(part, str) else part[rng.integers(len(part))]
        for _ in range(count)
        for part in _PARTS
    )


def entropy(text: str, count: int) -> float:
    """Returns the bits per byte of so many sentences, which no model can stay below for long."""
    choices = sum(math.log2(len(part)) for part in _PARTS if not isinstance(part, str))
    return choices * count / len(text.encode())


def base(out: Path, text: str) -> None:
    """Trains a Transformer on a text, and writes it as a run."""
    config = configs.load("small", tuple(f"model.{setting}" for setting in _TEXT))
    trainable = TrainableTransformer(config.model, seed=0, loss="sequence")
    tokens = trainable.tokenizer.encode(text)
    rng, row = np.random.default_rng(0), np.arange(_LENGTH, dtype=np.int32)
    optimiser = optax.adamw(optax.cosine_decay_schedule(_RATE, _STEPS))

    @jax.jit
    def step(params: dict, state: tuple, batch: dict) -> tuple:
        def loss(params: dict) -> jax.Array:
            total, weight = trainable.loss(params, batch)
            return total / weight

        value, gradients = jax.value_and_grad(loss)(params)
        updates, state = optimiser.update(gradients, state, params)
        return optax.apply_updates(params, updates), state, value

    params = trainable.init()
    state = optimiser.init(params)
    with progress.bar("steps") as bar:
        for _ in bar.track(range(_STEPS), description="the base"):
            places = rng.integers(len(tokens) - _LENGTH - 1, size=_ROWS)[:, None] + row
            batch = {
                "tokens": tokens[places],
                "targets": tokens[places + 1],
                "positions": np.tile(row, (_ROWS, 1)),
                "places": np.tile(row, (_ROWS, 1)),
                "weights": np.ones(places.shape, np.float32),
            }
            params, state, _ = step(params, state, batch)
    imported.write(out, config, trainable, Path("sentences"), params)


def trained(out: Path, config: str, part: str, data: Path, *further: str) -> Path:
    """Trains a config from the base; returns the run."""
    run = out / config
    settings = [f"{part}.{setting}" for setting in (*_TEXT, f"init={out / 'base'}")]
    _command("train", config, *settings, *_TRAINING, *further, "--data", data, "--out", run)
    return run


def _command(*arguments: object) -> None:
    program = Path(sys.executable).parent / "clrs-text-bench"
    subprocess.run([program, *map(str, arguments)], check=True)


def bits(spec: str, text: Path) -> float:
    """Returns a model's bits per byte of a text."""
    return language.measure(language.Asked(spec, str(text), None, 8), show=False)[0].bits_per_byte


def score(spec: str, data: Path) -> float:
    """Returns a model's mean score at the lengths that it was trained on."""
    return float(frame_of([evaluate(spec, str(data), split="test").rows])["clrs"].mean())


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the runs.")
def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    data, held_out = out / "data", out / "held-out.txt"
    held_out.write_text(sentences(300, seed=1))
    base(out / "base", sentences(20_000, seed=0))
    recipe = {"train": 2000, "validation": 20, "test": 100}
    splits = "\n".join(
        f"[[splits]]\nname = {name!r}\nalgorithms = {list(_ALGORITHMS)}\nlengths = '4-8'\n"
        f"samples = {count}"
        for name, count in recipe.items()
    )
    (out / "recipe.toml").write_text(f"name = 'three'\ndescription = 'Three tasks.'\n{splits}\n")
    _command("generate", out / "recipe.toml", "--dedupe", "--out", data)
    alone = trained(out, "small", "model", data)
    beside = trained(out, "transnar-small", "model.transformer", data, f"model.nar.run={_REASONER}")
    report = Table("", "bits per byte", "clrs, lengths 4-8")
    rows = [("base", f"transformer:{out / 'base'}", False)]
    rows += [("on algorithms", f"transformer:{alone}", True)]
    rows += [("on algorithms, beside a reasoner", f"transnar:{beside}", True)]
    measured = {}
    for name, spec, answers in rows:
        measured[name] = {"bits_per_byte": bits(spec, held_out)}
        if answers:
            measured[name]["clrs"] = score(spec, data)
        report.add_row(name, *(f"{x:.3f}" for x in measured[name].values()))
    least = entropy(held_out.read_text(), 300)
    (out / "forgetting.json").write_text(json.dumps({"entropy": least, **measured}, indent=1))
    terminal.output().print(report)
    print(f"the sentences' entropy: {least:.3f} bits per byte")


if __name__ == "__main__":
    main()
