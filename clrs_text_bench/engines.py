"""Engines by name, and which one makes a task's samples where nobody says.

Each task names an engine of its own (`Task.engine`). Samples of tasks of several engines are made
by all of these together, under their names joined by `+`, such as `more-tasks+native`.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from clrs_text_bench import registry, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import Engine
from clrs_text_bench.trace import Trace

if TYPE_CHECKING:
    import pyarrow as pa

_AND = "+"


def name_of(algorithms: Iterable[str]) -> str:
    """Returns the name of the engine of tasks, a joint one if they have several.

    Raises:
      BadInput: if there is no task of such a name.
    """
    return _AND.join(sorted({tasks.get(name).engine for name in algorithms}))


def load(name: str) -> Engine:
    """Returns an engine, or several under their joint name.

    Raises:
      BadInput: if there is none of that name, or it cannot be imported.
    """
    names = name.split(_AND)
    found = {one: registry.load("generators", one)() for one in names}
    return found[name] if len(names) == 1 else _Joint(found)


class _Joint:
    """Several engines as one: a task's samples are its own engine's. See `protocols.Engine`."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        self._engines = engines
        self.version = _AND.join(one.version for one in engines.values())
        self.batch = min(one.batch for one in engines.values())

    def generate(self, algorithm: str, length: int, **how) -> "pa.Table":
        """Makes samples; see `protocols.Engine`."""
        return self._of(algorithm).generate(algorithm, length, **how)

    def run(self, algorithm: str, inputs: Mapping) -> Trace:
        """Runs an algorithm on given inputs; see `protocols.Engine`."""
        return self._of(algorithm).run(algorithm, inputs)

    def _of(self, algorithm: str) -> Engine:
        own = tasks.get(algorithm).engine
        if own not in self._engines:
            raise BadInput(
                f"the engine of {algorithm} is {own}, which is none of {', '.join(self._engines)}"
            )
        return self._engines[own]
