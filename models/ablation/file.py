"""Ablation files: TOML, shipped or the user's own, with overrides from the command line.

name = "latents"
description = "What do the reasoner's latents give?"
config = "transnar-cpu"            # a shipped config, or a .toml file beside this one
base = "transnar"                  # the variant that the others are compared with
seeds = [0, 1, 2]

[train]                            # of all variants, as in a training config
steps = 4000

[evaluate]
lengths = "10,12,14"
limit = 100

[variants.transnar]
description = "reads a trained reasoner"

[variants.zeros]
description = "reads zeros"
model.nar.latents = "zeros"

[variants.transformer]
description = "no reasoner"
config = "cpu"
"""

import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from clrs_text_bench import validation
from clrs_text_bench.errors import BadInput, unknown
from clrs_text_bench.recipes import Lengths, Name

from ..training import config as configs

Count = Annotated[int, Field(ge=1, strict=True)]
Seed = Annotated[int, Field(ge=0, lt=2**32, strict=True)]
Text = Annotated[str, Field(min_length=1, strict=True)]
Table = dict[str, Any]

_TABLES = ("model", "train", "optimizer", "validation", "mesh")


class _Settings(BaseModel):
    """Tables of a training config, as far as they are set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Table = {}
    train: Table = {}
    optimizer: Table = {}
    validation: Table = {}
    mesh: Table = {}

    @field_validator("train")
    @classmethod
    def _leaves_seeds(cls, train: Table) -> Table:
        if "seed" in train:
            raise ValueError("key 'seed' is set by the ablation's seeds; leave it out")
        return train

    def settings(self) -> dict[str, Any]:
        """Returns what is set, by dotted key."""
        return _flat({name: getattr(self, name) for name in _TABLES})


class Evaluate(BaseModel):
    """What every model answers; see `clrs_text_bench.ablation.Asked`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    split: Text = "test"
    lengths: Lengths = ()
    limit: Count | None = None


class Variant(_Settings):
    """What is tried.

    Attributes:
      description: what it is, in a few words.
      config: that it is a variant of, if not the ablation's.
    """

    description: Text
    config: Text | None = None


class AblationFile(_Settings):
    """A table of variants. What is set here holds for those whose model has the key.

    Attributes:
      name: of the ablation.
      description: the question that it answers.
      config: name or file of the training config that the variants are of.
      base: the variant that the others are compared with.
      seeds: that each variant is trained with.
      evaluate: what each answers then.
      variants: by name.
    """

    name: Name
    description: Text
    config: Text
    base: Name
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]
    evaluate: Evaluate = Evaluate()
    variants: Annotated[dict[Name, Variant], Field(min_length=1)]

    @field_validator("seeds")
    @classmethod
    def _are_distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"a seed stands twice in {list(seeds)}")
        return seeds

    @model_validator(mode="after")
    def _has_base(self) -> "AblationFile":
        if self.base not in self.variants:
            raise ValueError(str(unknown("variant", self.base, self.variants)))
        return self


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def shipped() -> dict[str, str]:
    """Returns the TOML of the shipped ablations, by name."""
    folder = resources.files("clrs_text_bench.models.configs.ablations")
    files = sorted(folder.iterdir(), key=lambda f: f.name)
    return {f.name.removesuffix(".toml"): f.read_text() for f in files if f.name.endswith(".toml")}


def load(name: str | os.PathLike, overrides: Sequence[str] = ()) -> AblationFile:
    """Loads a shipped ablation by name, or a user's own by the path of its `.toml` file.

    Args:
      name: a shipped name, or a path that ends in `.toml`; configs that such a file names by a
        relative path are beside it.
      overrides: `key=value` each, of the file, such as `train.steps=100`, `seeds=[0]` or
        `variants.zeros.train.steps=50`.

    Raises:
      BadInput: if there is none of that name, or a key or value is wrong.
    """
    name = os.fspath(name)
    if not name.endswith(".toml"):
        if name not in shipped():
            raise unknown("ablation", name, shipped())
        return _parse(shipped()[name], f"ablation {name}", overrides)
    try:
        with open(name, "rb") as file:
            text = file.read()
    except OSError as error:
        raise BadInput(f"cannot read ablation {name}: {error.strerror}") from error
    return _beside(_parse(text, name, overrides), Path(name).parent)


def _parse(text: str | bytes, where: str, overrides: Sequence[str]) -> AblationFile:
    values = validation.parse_toml(text, where)
    configs.override(values, overrides, where)
    return validation.build(AblationFile, values, where)


def _beside(file: AblationFile, folder: Path) -> AblationFile:
    """Finds the configs that are files beside the ablation's."""

    def found(config: str | None) -> str | None:
        is_file = config is not None and config.endswith(".toml")
        return str(folder / config) if is_file else config

    variants = {
        name: variant.model_copy(update={"config": found(variant.config)})
        for name, variant in file.variants.items()
    }
    return file.model_copy(update={"config": found(file.config), "variants": variants})
