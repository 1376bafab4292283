"""Batches cut into parts, whose work is done one after another in the memory of one."""

from collections.abc import Callable
from typing import Any

import jax

Tree = Any


def cut(batch: Tree, parts: int) -> Tree:
    """Returns arrays `[B, ...]` as `[parts, B / parts, ...]`."""
    # Every part takes rows of every device, so that none has to move.
    return jax.tree.map(lambda x: x.reshape(-1, parts, *x.shape[1:]).swapaxes(0, 1), batch)


def joined(tree: Tree) -> Tree:
    """Returns what was cut as it was before."""
    return jax.tree.map(lambda x: x.swapaxes(0, 1).reshape(-1, *x.shape[2:]), tree)


def each(function: Callable[[Tree], Tree], batch: Tree, parts: int) -> Tree:
    """Returns what a function of rows makes of a batch, part after part."""
    if parts == 1:
        return function(batch)
    return joined(jax.lax.map(function, cut(batch, parts)))
