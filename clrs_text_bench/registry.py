"""What plug-ins offer: one look-up over the entry-point groups.

Finding a name reads package metadata only; a plug-in's code is imported when it is loaded. Ours
and a third party's plug-ins register in exactly the same way, in their `pyproject.toml`:

    [project.entry-points."clrs_text_bench.models"]
    mine = "my_package.my_model:load"
"""

import functools
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Literal

from clrs_text_bench.errors import BadInput, unknown

Group = Literal[
    "tasks",
    "generators",
    "evaluators",
    "checks",
    "models",
    "commands",
    "streams",
    "processors",
    "reports",
    "trackers",
]

_KINDS = {
    "tasks": "task plug-in",
    "generators": "engine",
    "evaluators": "evaluator",
    "checks": "check plug-in",
    "models": "model",
    "commands": "command",
    "streams": "stream",
    "processors": "processor",
    "reports": "report",
    "trackers": "tracker",
}


@dataclass(frozen=True, slots=True)
class Plugin:
    """Where a registered name comes from.

    Attributes:
      name: the name it is called by.
      target: `module:attribute`.
      distribution: the installed package that registers it, with its version.
    """

    name: str
    target: str
    distribution: str


@functools.cache
def _entries(group: Group) -> dict[str, list[metadata.EntryPoint]]:
    """Returns the distinct entry points of every name; more than one is a conflict."""
    found: dict[str, list[metadata.EntryPoint]] = {}
    for entry in metadata.entry_points(group=f"clrs_text_bench.{group}"):
        claims = found.setdefault(entry.name, [])
        if entry.value not in [c.value for c in claims]:
            claims.append(entry)
    return found


def _origin(entry: metadata.EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"


def names(group: Group) -> list[str]:
    """Returns the registered names of a group, without importing any plug-in."""
    return sorted(_entries(group))


def plugins(group: Group) -> list[Plugin]:
    """Returns where every name of a group comes from, without importing any plug-in."""
    return [
        Plugin(name, entry.value, _origin(entry))
        for name, claims in sorted(_entries(group).items())
        for entry in claims
    ]


def load(group: Group, name: str) -> Any:
    """Imports and returns what a name stands for.

    Raises:
      BadInput: if no plug-in has that name (the nearest is suggested), if two packages claim it,
        or if the plug-in cannot be imported (it is named with its error; the others are not
        affected).
    """
    claims = _entries(group).get(name)
    if claims is None:
        raise unknown(_KINDS[group], name, _entries(group))
    if len(claims) > 1:
        origins = " and ".join(f"{_origin(c)} ({c.value})" for c in claims)
        raise BadInput(f"{_KINDS[group]} {name!r} is registered twice, by {origins}; uninstall one")
    entry = claims[0]
    try:
        return entry.load()
    except (Exception, SystemExit) as error:  # a module that exits must not end this program
        raise BadInput(
            f"{_KINDS[group]} {name!r} of {_origin(entry)} cannot be imported from "
            f"{entry.value}: {type(error).__name__}: {error}"
        ) from error
