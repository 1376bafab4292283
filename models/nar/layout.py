"""Where each probe of each algorithm lies, so that a batch may mix algorithms.

Probes of one stage and one kind (location and type, such as "node_scalar") share an array, whose
slots an algorithm's probes take in catalogue order. An algorithm with fewer probes of a kind than
another leaves slots empty. Weights of a kind are one table with a row for each probe there is, and
`index` tells which row a slot of an algorithm takes.

Before that, probes are changed as upstream changes them for training (Ibarz et al. 2022, sections
3.2 and B; `process_pred_as_input` and `process_permutations` in `clrs._src.samplers`): a list
pointer that stays the same over the whole trace is an input, and an order to be found is a cyclic
permutation with a mask on its first node.
"""

from typing import NamedTuple

import numpy as np

from clrs_text_bench import tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.tasks import Probe, Stage, Task

STAGES: tuple[Stage, ...] = ("input", "hint", "output")

# Arrays of a batch, by kind. Legend: B rows, N nodes, S slots, C classes; pointers are indices.
#   node_scalar, node_mask, node_mask_one [B, N, S]   node_categorical [B, N, S, C]
#   node_pointer, node_permutation [B, N, S]          graph_* as node_*, without N
#   edge_scalar, edge_mask [B, N, N, S]               edge_categorical [B, N, N, S, C]
#   edge_pointer [B, N, N, S]
KINDS = (
    *("node_scalar", "node_mask", "node_mask_one", "node_categorical"),
    *("node_pointer", "node_permutation"),
    *("edge_scalar", "edge_mask", "edge_categorical", "edge_pointer"),
    *("graph_scalar", "graph_mask", "graph_categorical"),
)

PERMUTATION = "node_permutation"

# A permutation is asked for, never given.
_ENCODED = tuple(kind for kind in KINDS if kind != PERMUTATION)

# `PRED_AS_INPUT_ALGOS` of upstream's `clrs/examples/run.py`: the list's order stays as it is.
_POINTER, _POINTER_AS_INPUT = "pred_h", "pred"
_LIST_STAYS = frozenset(
    {
        *("binary_search", "minimum", "find_maximum_subarray_kadane", "matrix_chain_order"),
        *("lcs_length", "optimal_bst", "activity_selector", "task_scheduling"),
        *("naive_string_matcher", "kmp_matcher", "jarvis_march"),
    }
)


class Source(NamedTuple):
    """A probe as the network sees it.

    Attributes:
      name: its name, as in upstream's changed spec.
      stage: where it stands for the network.
      kind: one of `KINDS`.
      n_classes: of a categorical probe, else 1.
      origin: name of the catalogue's probe that its values come from.
      whence: stage of that.
      role: what of the origin it holds: "values", or of an order its "cycle" or "first".
    """

    name: str
    stage: Stage
    kind: str
    n_classes: int
    origin: str
    whence: Stage
    role: str = "values"


def sources(task: Task) -> tuple[Source, ...]:
    """Returns a task's probes as the network sees them, inputs first, then hints and outputs.

    Raises:
      BadInput: if the network has no place for a kind of probe.
    """
    found = [s for stage in STAGES for probe in task.stage(stage) for s in _changed(task, probe)]
    for source in found:
        if source.kind not in (KINDS if source.stage == "output" else _ENCODED):
            raise BadInput(
                f"probe {source.origin!r} of {task.name} is a {source.stage} of kind "
                f"{source.kind}, which the network does not know; it knows {', '.join(KINDS)}"
            )
    # The list's pointer has become the last input.
    return tuple(sorted(found, key=lambda source: STAGES.index(source.stage)))


def _changed(task: Task, probe: Probe) -> list[Source]:
    kind, classes = f"{probe.location}_{probe.type}", probe.n_classes or 1
    if probe.name == _POINTER and probe.stage == "hint" and task.name in _LIST_STAYS:
        return [Source(_POINTER_AS_INPUT, "input", kind, classes, probe.name, "hint")]
    if kind == "node_should_be_permutation":
        stage = probe.stage
        return [
            Source(probe.name, stage, PERMUTATION, 1, probe.name, stage, "cycle"),
            Source(f"{probe.name}_mask", stage, "node_mask_one", 1, probe.name, stage, "first"),
        ]
    return [Source(probe.name, probe.stage, kind, classes, probe.name, probe.stage)]


def _by_slot(found: tuple[Source, ...]) -> dict[tuple[Stage, str], list[Source]]:
    """Returns probes by stage and kind."""
    grouped: dict[tuple[Stage, str], list[Source]] = {}
    for source in found:
        grouped.setdefault((source.stage, source.kind), []).append(source)
    return grouped


def axes(kind: str, n: int) -> tuple[int, ...]:
    """Returns the axes of nodes that the arrays of a kind have, of n nodes."""
    return {"node": (n,), "edge": (n, n), "graph": ()}[kind.partition("_")[0]]


class Kind(NamedTuple):
    """The probes of one stage and kind, of A algorithms.

    Attributes:
      probes: (algorithm, name) of every row of the kind's weights.
      index: which row a slot takes, int32 `[A, S]`; 0 where the slot is empty.
      present: whether a slot is taken, bool `[A, S]`.
      classes: number of classes of each row, int32 `[len(probes)]`; 1 if not categorical.
    """

    probes: tuple[tuple[str, str], ...]
    index: np.ndarray
    present: np.ndarray
    classes: np.ndarray

    @property
    def slots(self) -> int:
        """Number of slots, S."""
        return self.index.shape[1]

    @property
    def width(self) -> int:
        """Most classes, C."""
        return int(self.classes.max(initial=1))


class Layout:
    """Where the probes of some algorithms lie."""

    def __init__(self, algorithms: tuple[str, ...]) -> None:
        """Lays out the probes of algorithms; raises `BadInput` on an unknown one."""
        self.algorithms = algorithms
        self.tasks = tuple(tasks.get(name) for name in algorithms)
        # Looked up for every row and kind: once, not by searching.
        self._sources = tuple(sources(task) for task in self.tasks)
        self._slots = tuple(_by_slot(found) for found in self._sources)
        self.kinds: dict[Stage, dict[str, Kind]] = {
            stage: {kind: self._kind(stage, kind) for kind in KINDS} for stage in STAGES
        }

    def __reduce__(self) -> tuple:
        """Lets it be sent to another process, which its tasks' functions cannot be."""
        return Layout, (self.algorithms,)

    def _kind(self, stage: Stage, kind: str) -> Kind:
        of_each = [self.of(a, stage, kind) for a in range(len(self.tasks))]
        slots = max(map(len, of_each), default=0)
        index = np.zeros((len(of_each), slots), np.int32)
        present = np.zeros((len(of_each), slots), bool)
        probes, classes = [], []
        for a, (task, found) in enumerate(zip(self.tasks, of_each, strict=True)):
            for slot, source in enumerate(found):
                index[a, slot], present[a, slot] = len(probes), True
                probes.append((task.name, source.name))
                classes.append(source.n_classes)
        return Kind(tuple(probes), index, present, np.asarray(classes, np.int32))

    def place(self, name: str) -> int:
        """Returns an algorithm's place; raises `BadInput` if it has none."""
        if name not in self.algorithms:
            raise BadInput(
                f"a row is of {name}, which the network was not made for; its algorithms are "
                f"{', '.join(self.algorithms)}"
            )
        return self.algorithms.index(name)

    def sources(self, algorithm: int) -> tuple[Source, ...]:
        """Returns the probes of the algorithm of that place."""
        return self._sources[algorithm]

    def of(self, algorithm: int, stage: Stage, kind: str) -> list[Source]:
        """Returns an algorithm's probes of one stage and kind, in the order of their slots."""
        return self._slots[algorithm].get((stage, kind), [])

    def present(self, stage: Stage) -> dict[str, Kind]:
        """Returns the kinds of a stage of which there is a probe."""
        return {name: kind for name, kind in self.kinds[stage].items() if kind.probes}
