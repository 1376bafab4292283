"""Recipes: named suites of samples, as TOML.

    name = "mine"
    description = "Two sorts, small."

    [[splits]]
    name = "train"
    algorithms = ["insertion_sort", "quicksort"]   # or "clrs30": the thirty; "all": plug-ins' too
    lengths = "4-8,12"                             # or a table of lengths by algorithm
    samples = 1000                                 # of each length and seed
    seeds = [0]

A split may stand in several entries, as long as they share no (algorithm, length).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from clrs_text_bench import lengths as lengths_
from clrs_text_bench import tasks, validation
from clrs_text_bench.errors import BadInput, unknown

_INT64 = 2**63
_UPSTREAM_SEEDS = 2**32


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """All samples of one (split, algorithm, length) of a data set.

    Attributes:
      split: name of the split.
      algorithm: name of the task.
      length: length of its samples.
      samples: number of samples of each seed.
      seeds: their seeds; rows are ordered by seed as listed here, then by index.
    """

    split: str
    algorithm: str
    length: int
    samples: int
    seeds: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of samples in all."""
        return self.samples * len(self.seeds)


def _read_lengths(value: object) -> tuple[int, ...]:
    if isinstance(value, bool) or not isinstance(value, str | int | list | tuple):
        raise ValueError(f"lengths must be like '4-8,12' or [4, 5, 12], not {value!r}")
    if isinstance(value, int):
        value = [value]
    if isinstance(value, str):
        return tuple(lengths_.parse(value))
    if not value:
        raise ValueError("lengths is empty")
    return tuple(lengths_.parse(",".join(str(v) for v in value)))


def _read_algorithms(value: object) -> tuple[str, ...]:
    if value == "all":
        return tuple(tasks.names())
    if isinstance(value, str) and value in tasks.by_plugin():
        return tasks.by_plugin()[value]
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise ValueError(f'algorithms must be "clrs30", "all" or a list of names, not {value!r}')
    return tuple(value)


Lengths = Annotated[tuple[int, ...], BeforeValidator(_read_lengths)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Seed = Annotated[int, Field(ge=-_INT64, lt=_INT64, strict=True)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Split(_Strict):
    """One entry of a recipe: algorithms x lengths x seeds, so many samples of each."""

    name: Name
    algorithms: tuple[str, ...] = ()
    lengths: dict[str, Lengths]
    samples: Annotated[int, Field(ge=1, le=10**9, strict=True)]
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0,)

    @model_validator(mode="before")
    @classmethod
    def _spread(cls, values: object) -> object:
        """Writes the short forms out: named algorithms, one list of lengths for all of them."""
        if not isinstance(values, dict):
            return values
        values = dict(values)
        chosen, found = _read_algorithms(values.get("algorithms", ())), values.get("lengths")
        if found is not None and not isinstance(found, dict):
            if not chosen:
                raise ValueError("key 'algorithms' is missing")
            found = dict.fromkeys(chosen, found)
        if found is not None:
            if chosen and set(chosen) != set(found):
                raise ValueError("algorithms and the table of lengths name different algorithms")
            values["lengths"] = found
            values["algorithms"] = tuple(found)
        return values

    @model_validator(mode="after")
    def _known(self) -> "Split":
        for algorithm, chosen in self.lengths.items():
            task = tasks.get(algorithm)
            for length in chosen:
                task.check_length(length)
        return self

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("a seed stands twice")
        return seeds

    def cells(self) -> list[Cell]:
        """Returns the entry's cells, in its order of algorithms, then by length."""
        return [
            Cell(self.name, algorithm, length, self.samples, self.seeds)
            for algorithm, chosen in self.lengths.items()
            for length in chosen
        ]


class Recipe(_Strict):
    """A named suite: what a data set holds, whatever machine makes it.

    Attributes:
      name: its name.
      description: one sentence for `list recipes`.
      hints: whether the text is traced.
      graph_hints: whether `graph_hints` is filled; None does as `hints`.
      stream: "identity" (DESIGN of sample identity) or "upstream" (dm-clrs's sequential streams).
      splits: what to draw.
    """

    name: Name
    description: str = ""
    hints: bool = False
    graph_hints: bool | None = None
    stream: Literal["identity", "upstream"] = "identity"
    splits: Annotated[tuple[Split, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _disjoint(self) -> "Recipe":
        seen = set()
        for cell in self.cells():
            key = (cell.split, cell.algorithm, cell.length)
            if key in seen:
                raise ValueError(
                    f"{cell.algorithm} at length {cell.length} stands twice in split {cell.split}"
                )
            seen.add(key)
        return self

    @model_validator(mode="after")
    def _seeds_of_upstream(self) -> "Recipe":
        if self.stream == "upstream":
            for seed in (s for split in self.splits for s in split.seeds):
                if not 0 <= seed < _UPSTREAM_SEEDS:
                    raise ValueError(
                        f"upstream's seeds go from 0 to {_UPSTREAM_SEEDS - 1}, not {seed}"
                    )
        return self

    def cells(self, split: str | None = None) -> list[Cell]:
        """Returns the cells of all splits, or of one."""
        return [c for s in self.splits if split in (None, s.name) for c in s.cells()]

    def with_graph_hints(self) -> bool:
        """Returns whether `graph_hints` is to be filled."""
        return self.hints if self.graph_hints is None else self.graph_hints


def shipped() -> dict[str, str]:
    """Returns the TOML of the shipped recipes, by name."""
    folder = resources.files("clrs_text_bench.recipes_toml")
    files = sorted(folder.iterdir(), key=lambda f: f.name)
    return {f.name.removesuffix(".toml"): f.read_text() for f in files if f.name.endswith(".toml")}


def load(name: str | os.PathLike) -> Recipe:
    """Loads a shipped recipe by name, or a user's own by the path of its `.toml` file.

    Raises:
      BadInput: if there is none of that name, or a file is missing or wrong, naming the key.
    """
    name = os.fspath(name)
    if not name.endswith(".toml"):
        known = shipped()
        if name not in known:
            raise unknown("recipe", name, known)
        return parse(known[name], f"recipe {name}")
    try:
        with open(name, "rb") as file:
            return parse(file.read(), name)
    except OSError as error:
        raise BadInput(f"cannot read recipe {name}: {error.strerror}") from error


def parse(text: str | bytes, where: str) -> Recipe:
    """Reads a recipe from TOML; `where` names it in an error."""
    return validation.build(Recipe, validation.parse_toml(text, where), where)


def ad_hoc(
    algorithms: Sequence[str],
    lengths: Sequence[int],
    samples: int,
    *,
    split: str = "train",
    seed: int = 0,
    hints: bool = False,
) -> Recipe:
    """Builds a recipe of one split from a command line's choices."""
    if samples < 1:
        raise BadInput(f"count {samples} is below 1")
    entry = {
        "name": split,
        "algorithms": list(algorithms),
        "lengths": list(lengths),
        "samples": samples,
        "seeds": [seed],
    }
    return validation.build(
        Recipe, {"name": "custom", "hints": hints, "splits": [entry]}, "command line"
    )
