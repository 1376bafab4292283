"""Which network dm-clrs's parameters are of, read off their names and shapes.

The names tell an algorithm's number and its probes, not what it is called, and some algorithms have
the same probes: bubble_sort and insertion_sort do. Those must be named.
"""

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from clrs_text_bench import tasks
from clrs_text_bench.errors import BadInput

from . import exchange
from .config import NarConfig
from .exchange import Tree
from .layout import Source, sources

Coders = frozenset[tuple[str, str]]
"""Probes that have an encoder ("enc") or a decoder ("dec"): (probe, which)."""

_CODER = re.compile(r"/algo_(\d+)_(.+)_(enc|dec)_linear(?:_\d+)?$")


def config_of(tree: Tree, names: Sequence[str]) -> NarConfig:
    """Returns the config of the network that parameters are of.

    Args:
      tree: dm-clrs's parameters.
      names: its algorithms, in its order; none to read them off the probes.

    Raises:
      BadInput: if they are of no such network, or the names do not fit, or are needed.
    """
    for name in names:
        tasks.get(name)
    return NarConfig(
        algorithms=_algorithms(_coders(tree), names),
        hidden_dim=_width(tree, "m_1"),
        triplet_dim=_width(tree, "triplets.t_1"),
        processor=exchange.PROCESSOR,
        halting=False,
    )


def _coders(tree: Tree) -> list[Coders]:
    """Returns what each algorithm has, in the order of their numbers."""
    found: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for module in tree:
        if match := _CODER.search(module):
            found[int(match[1])].add((match[2], match[3]))
    if not found:
        raise BadInput(
            "no parameters of a dm-clrs network, such as "
            f"{exchange.PROBES}/algo_0_pos_enc_linear/w, are in it"
        )
    missing = next((i for i in range(len(found)) if i not in found), None)
    if missing is not None:
        raise BadInput(f"algorithm {missing} of {max(found) + 1} has no parameters in it")
    return [frozenset(found[i]) for i in range(len(found))]


def _algorithms(coders: list[Coders], names: Sequence[str]) -> tuple[str, ...]:
    candidates = _candidates()
    if not names:
        return tuple(_only(i, found, candidates[found]) for i, found in enumerate(coders))
    if len(names) != len(coders):
        raise BadInput(f"it is of {len(coders)} algorithms, and {len(names)} are named")
    for i, (name, found) in enumerate(zip(names, coders, strict=True)):
        # What fits none lacks a parameter, or has one too many, which is told by name later.
        if candidates[found] and name not in candidates[found]:
            raise BadInput(
                f"algorithm {i} is not {name}: its probes are those of "
                f"{' or '.join(candidates[found])}"
            )
    return tuple(names)


def _candidates() -> dict[Coders, list[str]]:
    found: dict[Coders, list[str]] = defaultdict(list)
    for name, task in tasks.catalogue().items():
        try:
            probes = sources(task)
        except BadInput:  # of a kind that no network here knows
            continue
        found[frozenset(coder for probe in probes for coder in _coders_of(probe))].append(name)
    return found


def _coders_of(probe: Source) -> list[tuple[str, str]]:
    enc, dec = (probe.name, "enc"), (probe.name, "dec")
    return {"input": [enc], "hint": [enc, dec], "output": [dec]}[probe.stage]


def _only(place: int, found: Coders, candidates: list[str]) -> str:
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise BadInput(
            f"algorithm {place} may be {' or '.join(candidates)}, which have the same probes; name "
            "all algorithms in their order, with -a for each"
        )
    probes = ", ".join(sorted({probe for probe, _ in found}))
    raise BadInput(f"algorithm {place} has the probes {probes}, which no known algorithm has")


def _width(tree: Tree, layer: str) -> int:
    """Returns the width of a layer of the processor."""
    module = exchange.module_of(layer)
    kernel = tree.get(module, {}).get("w")
    if kernel is None:
        raise BadInput(
            f"parameter {module}/w is missing; of dm-clrs's processors, triplet_gmpnn is known"
        )
    if np.ndim(kernel) != 2 or not np.size(kernel):
        raise BadInput(f"parameter {module}/w has shape {np.shape(kernel)}, expected two axes")
    return kernel.shape[1]
