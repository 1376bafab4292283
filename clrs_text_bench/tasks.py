"""The task catalogue: one declarative record per algorithm.

A record holds everything about a task that is not its code: its probes, which of them the text
shows, the grammar of the answer, and how ties are broken. Tasks are found through the entry-point
group `clrs_text_bench.tasks`, whose entries are sequences of `Task`.

Legend: n is the number of nodes of a sample, which `Task.n_nodes` gives for a length.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from clrs_text_bench import registry
from clrs_text_bench.errors import BadInput, unknown
from clrs_text_bench.protocols import DEFAULT_ENGINE

Stage = Literal["input", "output", "hint"]
Location = Literal["node", "edge", "graph"]
ProbeType = Literal["scalar", "categorical", "mask", "mask_one", "pointer", "should_be_permutation"]

_OWN = "clrs30"


@dataclass(frozen=True, slots=True)
class Probe:
    """One array of a sample, as in dm-clrs's `SPECS` (Velickovic et al. 2022, section 3).

    Attributes:
      name: the probe's name, unique within its task.
      stage: whether it is given, asked for, or part of the trace.
      location: what it has one value for: each node, each ordered pair of nodes, or the graph.
      type: how its values are to be read.
      n_classes: length of the one-hot axis of a categorical probe, else None.
      whole: whether a scalar is drawn as an integer, and so printed without a decimal point.
    """

    name: str
    stage: Stage
    location: Location
    type: ProbeType
    n_classes: int | None = None
    whole: bool = False

    def shape(self, n: int) -> tuple[int, ...]:
        """Returns the shape of one value of the probe (one step's value, for a hint)."""
        shape = {"node": (n,), "edge": (n, n), "graph": ()}[self.location]
        return shape if self.n_classes is None else (*shape, self.n_classes)


@dataclass(frozen=True, slots=True)
class AnswerPart:
    """One comma-separated part of an answer.

    Attributes:
      name: the name that the question asks for it by.
      rank: 0 for a bare token, 1 for `[n tokens]`, 2 for n bracketed rows of n tokens.
      decimals: whether its numbers may have a decimal point.
    """

    name: str
    rank: int
    decimals: bool


def _same(length: int) -> int:
    return length


def _generous(n: int) -> int:
    return n * n + 4 * n


@dataclass(frozen=True)
class Task:
    """Everything declarative about one algorithm.

    Attributes:
      name: the algorithm's name.
      family: its family in CLRS-Text (Markeeva et al. 2024, table 1).
      probes: in catalogue order, which is dm-clrs's.
      ties: how equal candidates are told apart; an answer is right only under this rule.
      min_length: the smallest length that the algorithm and its text are defined for.
      n_nodes: number of nodes of a sample of a given length.
      trace: the hint probes that the traced text shows at each step; empty if it has no trace.
      traced_names: what a traced question asks for, where that is not the outputs' names.
      final_from_trace: whether a traced answer ends in the trace's last step, not the outputs.
      parenthesised: whether a traced answer wraps each step and the final in parentheses.
      longest_trace: most steps that a trace on n nodes has; left out, a number that no algorithm of
        CLRS-30 comes up to.
      written: how the question puts the inputs, of such a sample's arrays by probe; None for
        `name: value` of each. The inputs must follow from it.
      engine: name of the engine that makes its samples where no other is named.
    """

    name: str
    family: str
    probes: tuple[Probe, ...]
    ties: str
    min_length: int = 2
    n_nodes: Callable[[int], int] = _same
    trace: tuple[str, ...] = ()
    traced_names: tuple[str, ...] | None = None
    final_from_trace: bool = False
    parenthesised: bool = False
    longest_trace: Callable[[int], int] = _generous
    written: Callable[[Mapping[str, np.ndarray]], str] | None = None
    engine: str = DEFAULT_ENGINE

    def stage(self, stage: Stage) -> tuple[Probe, ...]:
        """Returns the probes of one stage, in catalogue order."""
        return self._stages[stage]

    @functools.cached_property
    def _stages(self) -> dict[Stage, tuple[Probe, ...]]:
        """The probes of each stage: they are asked for several times for every sample."""
        return {s: tuple(p for p in self.probes if p.stage == s) for s in get_args(Stage)}

    def probe(self, name: str) -> Probe:
        """Returns a probe by name; raises `BadInput` if the task has none of that name."""
        for probe in self.probes:
            if probe.name == name:
                return probe
        raise unknown(f"probe of {self.name}", name, [p.name for p in self.probes])

    def text_inputs(self) -> tuple[Probe, ...]:
        """Returns the inputs that the question shows.

        `pos` never is, nor `adj` beside `A`, which determines it.
        """
        names = {p.name for p in self.stage("input")}
        hidden = {"pos", "adj"} if "A" in names else {"pos"}
        return tuple(p for p in self.stage("input") if p.name not in hidden)

    def has_trace(self, use_hints: bool) -> bool:
        """Returns whether the text of this mode holds a trace (segments_intersect never does)."""
        return use_hints and bool(self.trace)

    def in_parentheses(self, use_hints: bool) -> bool:
        """Returns whether steps and final stand in parentheses in this mode."""
        return self.has_trace(use_hints) and self.parenthesised

    def answer_parts(self, use_hints: bool) -> tuple[AnswerPart, ...]:
        """Returns the parts of the final answer, in order; the two modes may differ."""
        if self.final_from_trace and self.has_trace(use_hints):
            return tuple(_part(self.probe(name), name) for name in self.trace)
        names = [p.name for p in self.stage("output")]
        if self.traced_names and self.has_trace(use_hints):
            names = list(self.traced_names)
        return tuple(_part(p, n) for p, n in zip(self.stage("output"), names, strict=True))

    def step_parts(self) -> tuple[AnswerPart, ...]:
        """Returns the parts of one step of the trace."""
        outputs = [p.name for p in self.stage("output")]
        names = self.traced_names or (self.trace if self.final_from_trace else outputs)
        parts = []
        for hint, name in zip(self.trace, names, strict=True):
            source = self.probe(hint)
            # A sorting trace shows the keys in the order of its pointers, as its output does.
            if name in outputs and self.probe(name).type == "should_be_permutation":
                source = self.probe(name)
            parts.append(_part(source, name))
        return tuple(parts)

    def check_length(self, length: int) -> None:
        """Raises `BadInput` if a length is too small for the task."""
        if length < self.min_length:
            raise BadInput(
                f"length {length} is too small for {self.name}: its smallest is {self.min_length}"
            )


def _part(probe: Probe, name: str) -> AnswerPart:
    if probe.location == "node":
        rank = 0 if probe.type == "mask_one" else 1
    else:
        rank = 2 if probe.location == "edge" else 0
    decimals = probe.type == "should_be_permutation" or (probe.type == "scalar" and not probe.whole)
    return AnswerPart(name, rank, decimals)


@dataclass(frozen=True)
class _Loaded:
    """The tasks by name, the names by plug-in, and a sentence for what could not be loaded."""

    tasks: dict[str, Task]
    by_plugin: dict[str, tuple[str, ...]]
    problems: tuple[str, ...]


@functools.cache
def _load() -> _Loaded:
    found: dict[str, Task] = {}
    by_plugin: dict[str, tuple[str, ...]] = {}
    problems: list[str] = []
    # CLRS-30 first: no plug-in's name may move or replace its tasks.
    for entry in sorted(registry.names("tasks"), key=lambda name: (name != _OWN, name)):
        try:
            offered = _records(entry)
        except BadInput as error:
            problems.append(str(error))
            continue
        taken = [task.name for task in offered if task.name in found]
        problems += [f"task {t!r} of plug-in {entry!r} is already registered" for t in taken]
        fresh = {task.name: task for task in offered if task.name not in taken}
        by_plugin[entry] = tuple(fresh)
        found.update(fresh)
    return _Loaded(found, by_plugin, tuple(problems))


def _records(entry: str) -> tuple[Task, ...]:
    offered = registry.load("tasks", entry)
    if not isinstance(offered, list | tuple) or not all(isinstance(t, Task) for t in offered):
        raise BadInput(f"task plug-in {entry!r} is not a list or tuple of Task records")
    return tuple(offered)


def catalogue() -> dict[str, Task]:
    """Returns all tasks that could be loaded, by name, in catalogue order."""
    return _load().tasks


def problems() -> tuple[str, ...]:
    """Returns a sentence for every task plug-in that could not be loaded."""
    return _load().problems


def by_plugin() -> dict[str, tuple[str, ...]]:
    """Returns the names of the tasks of every plug-in that could be loaded, "clrs30" first."""
    return _load().by_plugin


def get(name: str) -> Task:
    """Returns the task of that name; raises `BadInput` naming the nearest one if there is none.

    >>> get("bfs").family
    'graphs'
    """
    try:
        return catalogue()[name]
    except KeyError:
        error = unknown("algorithm", name, catalogue())
        raise BadInput("; ".join([str(error), *problems()])) from None


def names() -> list[str]:
    """Returns the names of all registered tasks, in catalogue order."""
    return list(catalogue())


def families() -> dict[str, list[str]]:
    """Returns the names of the tasks of every family, in catalogue order."""
    grouped: dict[str, list[str]] = {}
    for task in catalogue().values():
        grouped.setdefault(task.family, []).append(task.name)
    return grouped
