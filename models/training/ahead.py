"""Programs compiled ahead of their first call, several at a time.

A run meets dozens of shapes of batches, and each has a program. For a GPU one takes XLA five to ten
seconds: minutes, where each is compiled when it is met, and the device waits. On a CPU programs are
compiled when they are met, and must not be too many (see `mappings`): before they are, all are
dropped, to come back from the cache of compiled programs in a second or two each.
"""

from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import jax

from . import mappings


class Ahead:
    """A function under `jax.jit`, some of whose programs are compiled before they are needed."""

    def __init__(self, function: Callable, workers: int) -> None:
        """Compiles nothing yet.

        Args:
          function: what `jax.jit` returned.
          workers: how many programs are compiled at a time, at least 1.
        """
        self._function = function
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="compile")
        self._programs: dict[Hashable, Future] = {}
        self._met: set[Hashable] = set()

    def announce(self, *shapes: Any) -> None:
        """Begins to compile the program for arguments of these shapes, unless that has begun.

        Args:
          shapes: trees of `jax.ShapeDtypeStruct`, with how they lie on devices.
        """
        key = _key(shapes)
        if key not in self._programs:
            self._programs[key] = self._pool.submit(self._compile, shapes)

    def _compile(self, shapes: tuple) -> Callable:
        return self._function.lower(*shapes).compile()

    def __call__(self, *arguments: Any) -> Any:
        """Calls the function, after its program is ready if it was announced."""
        key = _key(arguments)
        if key not in self._met:
            self._make_room()
            self._met.add(key)
        made = self._programs.get(key)
        return self._function(*arguments) if made is None else made.result()(*arguments)

    def _make_room(self) -> None:
        if mappings.are_scarce():
            self._function.clear_cache()
            self._programs.clear()
            self._met.clear()

    def close(self) -> None:
        """Begins no more programs; those under way end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _key(arguments: tuple) -> Hashable:
    leaves, structure = jax.tree.flatten(arguments)
    return structure, tuple((x.shape, x.dtype) for x in leaves)
