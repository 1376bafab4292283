"""Parameters under the names that dm-clrs gives them, both ways.

Haiku names a module by its place in the tree, and numbers those of the same name. A layer's
parameters are `w` and `b`, those of a layer norm `scale` and `offset`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from clrs_text_bench.errors import BadInput

from .layout import Layout

Tree = dict[str, dict[str, np.ndarray]]
"""`{module: {parameter: array}}`, as Haiku keeps them."""

PROCESSOR = "triplet-gmpnn"
"""The one that both sides have."""

PROBES = "net/~_construct_encoders_decoders"
_PROCESSOR = "net/mpnn_aggr_clrs_processor"

# In the order in which upstream makes them, which is what Haiku numbers them by.
_TRIPLETS = ("t_1", "t_2", "t_3", "t_e_1", "t_e_2", "t_e_3", "t_g", "out")
_LINEARS = (
    *("m_1", "m_2", "m_e", "m_g", "o_1", "o_2"),
    *(f"triplets.{name}" for name in _TRIPLETS),
    *("gate_1", "gate_2", "gate_3"),
)
_MLP = ("mlp_0", "mlp_1")


class Place(NamedTuple):
    """Where a parameter is on either side.

    Attributes:
      module: theirs.
      parameter: theirs, of the module.
      path: of our array.
      row: of the table that our array is; None if it is no table.
      shape: theirs.
    """

    module: str
    parameter: str
    path: tuple[str | int, ...]
    row: int | None
    shape: tuple[int, ...]


def module_of(layer: str) -> str:
    """Returns dm-clrs's name of a linear layer of the processor, such as "triplets.t_1"."""
    if layer in _MLP:
        return f"{_PROCESSOR}/mlp/~/linear_{_MLP.index(layer)}"
    place = _LINEARS.index(layer)
    return f"{_PROCESSOR}/linear" + (f"_{place}" if place else "")


def places(layout: Layout, shapes: Mapping[str, Any]) -> Iterator[Place]:
    """Yields where every parameter is.

    Args:
      layout: of the network; its algorithms in the order of upstream's list of specs.
      shapes: of our parameters.
    """
    for side, word in (("encoders", "enc"), ("decoders", "dec")):
        for stage, of_stage in shapes[side].items():
            for name, layers in of_stage["layers"].items():
                kind = layout.kinds[stage][name]
                for row, (algorithm, probe) in enumerate(kind.probes):
                    a = layout.algorithms.index(algorithm)
                    module = f"{PROBES}/algo_{a}_{probe}_{word}_linear"
                    for i in range(len(layers)):
                        yield from _of_table(
                            module + (f"_{i}" if i else ""),
                            (side, stage, "layers", name, i),
                            row,
                            _at(layers, (i, "kernel", "rows")).shape[1:],
                            kind.classes[row] if kind.width > 1 else None,
                            word,
                        )
    for name in (*_LINEARS, *_MLP):
        for theirs, ours in (("w", "kernel"), ("b", "bias")):
            path = ("processor", *name.split("."), ours)
            yield Place(module_of(name), theirs, path, None, _at(shapes, path).shape)
    for theirs, ours in (("scale", "scale"), ("offset", "bias")):
        path = ("processor", "norm", ours)
        yield Place(f"{_PROCESSOR}/layer_norm", theirs, path, None, _at(shapes, path).shape)


def _of_table(
    module: str,
    path: tuple[str | int, ...],
    row: int,
    shape: tuple[int, int],
    classes: int | None,
    word: str,
) -> Iterator[Place]:
    """Yields a layer's two parameters; a probe may have fewer classes than the table."""
    n_in, n_out = shape
    if classes is not None:
        n_in, n_out = (int(classes), n_out) if word == "enc" else (n_in, int(classes))
    yield Place(module, "w", (*path, "kernel", "rows"), row, (n_in, n_out))
    yield Place(module, "b", (*path, "bias", "rows"), row, (n_out,))


def _at(tree: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def to_upstream(layout: Layout, params: Mapping[str, Any]) -> Tree:
    """Returns parameters under dm-clrs's names."""
    tree: Tree = {}
    for place in places(layout, params):
        array = np.asarray(_at(params, place.path))
        if place.row is not None:
            array = array[(place.row, *map(slice, place.shape))]
        tree.setdefault(place.module, {})[place.parameter] = array
    return tree


def from_upstream(layout: Layout, tree: Mapping[str, Mapping[str, Any]], shapes: Any) -> dict:
    """Returns dm-clrs's parameters as ours.

    Args:
      layout: of the network.
      tree: their parameters.
      shapes: of ours.

    Raises:
      BadInput: if a parameter is missing, left over, or of another shape or type, or if the network
        has heads that theirs lacks.
    """
    if "halting" in shapes:
        raise BadInput("dm-clrs's network does not learn when to stop; set model.halting = false")
    known = list(places(layout, shapes))
    _check_names(tree, known)
    arrays: dict[tuple, np.ndarray] = {}
    for place in known:
        array = np.asarray(tree[place.module][place.parameter])
        if array.shape != place.shape or array.dtype != np.float32:
            raise BadInput(
                f"parameter {place.module}/{place.parameter} is {array.dtype} of shape "
                f"{array.shape}, expected float32 of shape {place.shape}"
            )
        ours = arrays.setdefault(place.path, np.zeros(_at(shapes, place.path).shape, np.float32))
        ours[() if place.row is None else (place.row, *map(slice, place.shape))] = array
    return _filled(shapes, arrays, ())


def _check_names(tree: Mapping[str, Mapping[str, Any]], known: list[Place]) -> None:
    """Raises `BadInput` naming what either side lacks."""
    theirs = {f"{module}/{name}" for module, found in tree.items() for name in found}
    ours = {f"{place.module}/{place.parameter}" for place in known}
    said = []
    if missing := sorted(ours - theirs):
        said.append(f"parameter {_some(missing)} is missing")
    if left := sorted(theirs - ours):
        said.append(f"parameter {_some(left)} is none of this network's")
    if said:
        raise BadInput("; ".join(said))


def _some(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} (and {len(names) - 1} more like it)"


def _filled(shapes: Any, arrays: Mapping[tuple, np.ndarray], path: tuple) -> Any:
    if isinstance(shapes, Mapping):
        return {key: _filled(value, arrays, (*path, key)) for key, value in shapes.items()}
    return arrays[path]
