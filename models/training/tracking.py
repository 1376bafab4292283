"""A run's measures, shown by trackers beside `metrics.jsonl`, which stays what counts."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from clrs_text_bench import registry, storage, terminal
from clrs_text_bench.protocols import TrackedRun, Tracker

from . import config as configs
from .config import TrainingConfig
from .record import FILE as RECORD

FOLDER = "trackers"

Make = Callable[[TrackedRun], Tracker]


def find(names: Sequence[str]) -> dict[str, Make]:
    """Returns what makes the trackers of these names.

    Raises:
      BadInput: if there is none of a name.
    """
    return {name: registry.load("trackers", name) for name in names}


class Trackers:
    """Some trackers of one run. One that fails is named, and left out from then on."""

    def __init__(self, found: dict[str, Tracker]) -> None:
        self._found = dict(found)

    def log(self, kind: str, step: int, values: Mapping[str, object]) -> None:
        """Shows the numbers among a line of `metrics.jsonl`."""
        numbers = dict(_numbers(values, f"{kind}/"))
        if numbers:
            self._each(lambda tracker: tracker.log(step, numbers))

    def close(self) -> None:
        """Lets the trackers write what is left."""
        self._each(lambda tracker: tracker.close())

    def _each(self, call: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._found.items()):
            try:
                call(tracker)
            except Exception as error:  # whatever a tracker's server does must not end training
                del self._found[name]
                said = f"tracker {name} is left out from now on: {type(error).__name__}: {error}"
                terminal.log().print(said, markup=False, soft_wrap=True)


def opened(made: dict[str, Make], config: TrainingConfig, run: Path, step: int) -> Trackers:
    """Opens trackers for a run that goes on from a step; they are to be closed.

    Raises:
      BadInput: if one cannot be used.
    """
    if not made:
        return Trackers({})
    folder = run / FOLDER
    with storage.writing(str(folder)):
        folder.mkdir(exist_ok=True)
    name = hashlib.sha256((run / RECORD).read_bytes()).hexdigest()[:16]
    tracked = TrackedRun(folder, config.label, name, configs.dumps(config), step)
    return Trackers({kind: make(tracked) for kind, make in made.items()})


def _numbers(values: Mapping[str, object], before: str) -> Iterator[tuple[str, float]]:
    """Yields the numbers of nested dicts, by their keys' path."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{before}{key}/")
        elif isinstance(value, int | float):
            yield f"{before}{key}", float(value)
