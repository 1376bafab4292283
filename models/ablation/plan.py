"""The runs of an ablation: each variant with each seed, and who makes which."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from clrs_text_bench import validation
from clrs_text_bench.errors import BadInput, unknown

from ..nar.config import NarConfig
from ..training import config as configs
from ..training import toml
from ..training.config import TrainingConfig
from ..transformer.config import TransformerConfig
from ..transnar.config import TransNarConfig
from .file import AblationFile, Variant

_MODELS: Mapping[str, type[BaseModel]] = {
    "transformer": TransformerConfig,
    "nar": NarConfig,
    "transnar": TransNarConfig,
}


@dataclass(frozen=True)
class Run:
    """One training, and the evaluation of what it gives.

    Attributes:
      variant: name of its variant.
      seed: of the training.
      source: the config that `overrides` are of.
      overrides: `key=value` each, as on the command line.
      config: what they come to.
    """

    variant: str
    seed: int
    source: str
    overrides: tuple[str, ...]
    config: TrainingConfig

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.variant}-{self.seed}"


def runs(file: AblationFile) -> list[Run]:
    """Returns all runs, seed by seed, so that a part of them compares all variants.

    Raises:
      BadInput: if a variant's config is not there, or a key or value is wrong, naming the variant;
        or if what is set for all variants is a key of none's model.
    """
    keys = {name: _keys_of(file, name, variant) for name, variant in file.variants.items()}
    for key in file.settings():
        if not any(_has(known, key) for known in keys.values()):
            raise unknown("key", key, sorted(set().union(*keys.values())))
    return [
        _run(file, name, variant, seed, keys[name])
        for seed in file.seeds
        for name, variant in file.variants.items()
    ]


def _run(file: AblationFile, name: str, variant: Variant, seed: int, keys: set[str]) -> Run:
    common = {key: value for key, value in file.settings().items() if _has(keys, key)}
    values = {"name": name, "train.seed": seed, **common, **variant.settings()}
    overrides = tuple(f"{key}={toml.inline(value)}" for key, value in values.items())
    source = variant.config or file.config
    try:
        config = configs.load(source, overrides)
    except BadInput as error:
        raise BadInput(f"variant {name}: {error}") from error
    return Run(name, seed, source, overrides, config)


def _keys_of(file: AblationFile, name: str, variant: Variant) -> set[str]:
    """Returns the keys of a variant's model."""
    try:
        text, where = configs.read(variant.config or file.config)
        model = validation.parse_toml(text, where).get("model")
    except BadInput as error:
        raise BadInput(f"variant {name}: {error}") from error
    written = model if isinstance(model, dict) else {}
    kind = str(variant.model.get("kind", written.get("kind", "transformer")))
    return set(_keys(_MODELS[kind], "model.")) if kind in _MODELS else set()


def _keys(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        nested = field.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            yield from _keys(nested, f"{prefix}{name}.")
        else:
            yield prefix + name


def _has(keys: set[str], key: str) -> bool:
    """Returns whether a key is of a model; all configs have those that are not of the model."""
    return not key.startswith("model.") or key in keys


@dataclass(frozen=True, slots=True)
class Shard:
    """The i-th of n parts of the runs, counted from 1; every n-th run is of it."""

    place: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Reads `2/3`.

        Raises:
          BadInput: if it is not like that, or is none of 1/N to N/N.
        """
        match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        if not match:
            raise BadInput(f"--shard {text} is not like 1/3")
        place, count = int(match[1]), int(match[2])
        if not 1 <= place <= count:
            raise BadInput(f"--shard {text} is none of 1/N to N/N")
        return cls(place, count)

    def of(self, runs: Sequence[Run]) -> list[Run]:
        """Returns the runs of this part; raises `BadInput` if there are fewer than parts."""
        if self.count > len(runs):
            raise BadInput(f"--shard {self.place}/{self.count}: there are {len(runs)} runs in all")
        return list(runs[self.place - 1 :: self.count])
