"""Training configs: TOML, shipped or the user's own, with overrides from the command line.

    [model]
    kind = "transformer"
    hidden_dim = 128

    [train]
    steps = 1000

Whatever is left out has a default.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from clrs_text_bench import validation
from clrs_text_bench.errors import BadInput, unknown

from ..nar.config import NarConfig
from ..transformer.config import TransformerConfig
from ..transnar.config import TransNarConfig
from . import toml

Count = Annotated[int, Field(ge=1, strict=True)]
Share = Annotated[float, Field(ge=0, lt=1, strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Train(_Strict):
    """How long, on what, and how often to keep it.

    Attributes:
      seed: of the initial parameters, the order of the examples, and whatever else is drawn.
      steps: number of updates.
      batch_size: examples of one update, all of one shape.
      accumulate: parts that a batch is cut into, whose gradients are added up one after another:
        memory for the activations of one part is enough.
      ema_decay: if given, what answers, and is kept as the best, is a running mean of the
        parameters, of which so much is left after each step.
      loss: "answer" (on the answer's tokens only) or "sequence" (on the prompt's, too).
      log_every: steps between two lines of `metrics.jsonl`.
      save_every: steps between two checkpoints.
    """

    seed: Annotated[int, Field(ge=0, lt=2**32, strict=True)] = 0
    steps: Count = 1000
    batch_size: Count = 64
    accumulate: Count = 1
    ema_decay: Share | None = None
    loss: Literal["answer", "sequence"] = "answer"
    log_every: Count = 10
    save_every: Count = 500


class Optimizer(_Strict):
    """AdamW with clipped gradients, a linear warm-up and a cosine decay.

    Attributes:
      learning_rate: at its peak.
      warmup_steps: steps from 0 to the peak.
      final_share: share of the peak that is left at the last step.
      beta1: decay of the mean of gradients.
      beta2: decay of the mean of their squares.
      weight_decay: on matrices only.
      clip_norm: gradients of a larger global norm are scaled down to it.
    """

    learning_rate: Positive = 1e-3
    warmup_steps: Annotated[int, Field(ge=0, strict=True)] = 100
    final_share: Annotated[float, Field(ge=0, le=1, strict=True)] = 0.1
    beta1: Share = 0.9
    beta2: Share = 0.98
    weight_decay: Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)] = 0.01
    clip_norm: Positive = 1.0


class Mesh(_Strict):
    """How devices share the work; see `mesh`.

    Attributes:
      fsdp: devices that parameters and the optimiser's state are cut over. The others, times so
        many, are copies of them: a batch is cut over all devices in any case.
    """

    fsdp: Count = 1


class Validation(_Strict):
    """Answers to held-out samples.

    Attributes:
      every: steps between two validations; the last step is always validated.
      samples: held-out samples of each algorithm and length.
      fraction: share of the train rows that is held out where the data set has no split
        "validation".
    """

    every: Count = 500
    samples: Count = 16
    fraction: Annotated[float, Field(gt=0, lt=1, strict=True)] = 0.05


def _kind(model: object) -> object:
    """Returns which kind of model a table is of; a Transformer if it does not say."""
    if isinstance(model, Mapping):
        return model.get("kind", "transformer")
    return getattr(model, "kind", None)


Model = Annotated[
    Annotated[TransformerConfig, Tag("transformer")]
    | Annotated[NarConfig, Tag("nar")]
    | Annotated[TransNarConfig, Tag("transnar")],
    Discriminator(_kind),
]


class TrainingConfig(_Strict):
    """All that a training run is told, but for its data.

    Attributes:
      name: what tables and legends call the model; its kind if left out.
      model: what is trained.
      train: see `Train`.
      optimizer: see `Optimizer`.
      validation: see `Validation`.
      mesh: see `Mesh`. Changes no number but by rounding.
    """

    name: Annotated[str, Field(min_length=1, strict=True)] | None = None
    model: Model = TransformerConfig()
    train: Train = Train()
    optimizer: Optimizer = Optimizer()
    validation: Validation = Validation()
    mesh: Mesh = Mesh()

    @model_validator(mode="after")
    def _agrees(self) -> "TrainingConfig":
        if self.optimizer.warmup_steps >= self.train.steps:
            raise ValueError(
                f"optimizer.warmup_steps {self.optimizer.warmup_steps} must be below train.steps "
                f"{self.train.steps}"
            )
        if self.train.batch_size % self.train.accumulate:
            raise ValueError(
                f"train.batch_size {self.train.batch_size} cannot be cut evenly into "
                f"train.accumulate {self.train.accumulate} parts"
            )
        if self.train.accumulate > 1 and self.model.kind == "nar":
            raise ValueError(
                f"train.accumulate {self.train.accumulate} is for Transformers: a reasoner's loss "
                "is a mean over all rows of an algorithm in a batch"
            )
        return self

    @property
    def label(self) -> str:
        """What tables and legends call the model."""
        return self.name or self.model.kind


def shipped() -> dict[str, str]:
    """Returns the TOML of the shipped configs, by name."""
    folder = resources.files("clrs_text_bench.models.configs")
    files = sorted(folder.iterdir(), key=lambda f: f.name)
    return {f.name.removesuffix(".toml"): f.read_text() for f in files if f.name.endswith(".toml")}


def of_kind(kind: str) -> list[str]:
    """Returns the names of the shipped configs of a kind of model, such as "nar"."""
    return [name for name in shipped() if load(name).model.kind == kind]


def load(name: str | os.PathLike, overrides: Sequence[str] = ()) -> TrainingConfig:
    """Loads a shipped config by name, or a user's own by the path of its `.toml` file.

    Args:
      name: a shipped name, or a path that ends in `.toml`.
      overrides: `key=value` each, such as `train.steps=100` or `model.positions.kind=none`; the
        value is TOML, or a plain string if it is not.

    Raises:
      BadInput: if there is none of that name, or a key or value is wrong.
    """
    return parse(*read(name), overrides)


def read(name: str | os.PathLike) -> tuple[str | bytes, str]:
    """Returns the TOML of a config, and what to call it in an error.

    Raises:
      BadInput: if there is none of that name.
    """
    name = os.fspath(name)
    if name in shipped():
        return shipped()[name], f"config {name}"
    if not name.endswith(".toml"):
        raise unknown("config", name, shipped())
    try:
        with open(name, "rb") as file:
            return file.read(), name
    except OSError as error:
        raise BadInput(f"cannot read config {name}: {error.strerror}") from error


def parse(text: str | bytes, where: str, overrides: Sequence[str] = ()) -> TrainingConfig:
    """Reads a config from TOML; `where` names it in an error."""
    values = validation.parse_toml(text, where)
    override(values, overrides, where)
    return validation.build(TrainingConfig, values, where)


def override(values: dict, overrides: Sequence[str], where: str) -> None:
    """Sets keys of what was read from a file; see `load`."""
    for one in overrides:
        key, equals, value = one.partition("=")
        if not equals or not key:
            raise BadInput(f"override {one!r} is not like train.steps=100")
        _set(values, key.strip().split("."), _value(value), where)


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _set(values: dict, path: Sequence[str], value: object, where: str) -> None:
    for depth, part in enumerate(path[:-1]):
        values = values.setdefault(part, {})
        if not isinstance(values, dict):
            raise BadInput(f"{where}: {'.'.join(path[: depth + 1])!r} is a value, not a table")
    values[path[-1]] = value


def dumps(config: TrainingConfig) -> str:
    """Writes a config as TOML, with every default spelt out."""
    return toml.dumps(config.model_dump(mode="json"))


def difference(first: TrainingConfig, second: TrainingConfig) -> str | None:
    """Returns the first key, dotted, that two configs differ in; None if they are equal."""
    return _difference(first.model_dump(), second.model_dump())


def _difference(first: Mapping, second: Mapping) -> str | None:
    for key in dict.fromkeys((*first, *second)):
        left, right = first.get(key), second.get(key)
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            if below := _difference(left, right):
                return f"{key}.{below}"
        elif left != right:
            return key
    return None
