"""Entries: which runs of a leaderboard are one line of a table or a figure.

Runs of one model under one setting make an entry: evaluated in parts (some lengths now, some
later), trained with several seeds, or both.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING, Any

from clrs_text_bench import lengths as lengths_

if TYPE_CHECKING:
    import pandas as pd

# What makes two runs differ in more than the seed, but for settings.
_CONFIG = ("model", "n_parameters", "train_lengths", "train_algorithms")
_CONTEXT = ("dataset_hash", "split", "use_hints", "evaluator", "extraction")

# One training of a model.
_TRAINING = ("train_seed", "checkpoint")

# Settings that tell of one training: the step that was best, and the reasoner that it read.
_TRAINED = ("step", "nar")

_HASH_CHARACTERS = 8


def enter(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Adds to each row of a leaderboard its entry, and which training of it was evaluated.

    Where the same training has several rows for an algorithm and length, the one over most answers
    is kept, and of these the newest. Runs of one setting that share a train seed, but not the
    checkpoint, are no repetitions of each other and become entries of their own.

    Returns:
      The rows with columns `entry` (a name unique to it) and `training` (an integer), in order of
      entry as first met, algorithm and length as they were.
    """
    runs = frame.drop_duplicates("run").to_dict("records")
    keys = _entry_keys(runs)
    labels = _labels(runs, keys)
    trainings = {run["run"]: (keys[run["run"]], _values(run, _TRAINING)) for run in runs}
    numbers = {key: number for number, key in enumerate(dict.fromkeys(trainings.values()))}
    frame = frame.assign(
        entry=[labels[keys[run]] for run in frame["run"]],
        training=[numbers[trainings[run]] for run in frame["run"]],
    )
    newest = frame.sort_values(["n", "created"], ascending=False, kind="stable")
    kept = newest.drop_duplicates(["training", "algorithm", "length"]).index
    return frame.loc[frame.index.isin(kept)].reset_index(drop=True)


def _values(run: dict[str, Any], columns: tuple[str, ...]) -> tuple[Hashable, ...]:
    return tuple(None if _is_null(run[c]) else run[c] for c in columns)


def _settings(run: dict[str, Any]) -> str:
    """Returns a run's settings, but for those that its training alone decided."""
    settings = json.loads(run["settings"])
    return json.dumps({k: v for k, v in settings.items() if k not in _TRAINED}, sort_keys=True)


def _is_null(value: Any) -> bool:
    import pandas as pd

    return not isinstance(value, tuple) and bool(pd.isna(value))


def _entry_keys(runs: list[dict[str, Any]]) -> dict[str, tuple]:
    """Returns what tells the entry of each run, by run id."""
    groups = defaultdict(list)
    for run in runs:
        groups[(*_values(run, _CONFIG + _CONTEXT), _settings(run))].append(run)
    keys = {}
    for group, members in groups.items():
        trainings = {_values(run, _TRAINING) for run in members}
        repeated = len({seed for seed, _ in trainings}) < len(trainings)
        for run in members:
            keys[run["run"]] = (*group, run["checkpoint"]) if repeated else group
    return keys


def _labels(runs: list[dict[str, Any]], keys: dict[str, tuple]) -> dict[tuple, str]:
    """Names every entry by its model, and by whatever tells it from others of that name."""
    firsts: dict[tuple, dict[str, Any]] = {}
    for run in runs:
        firsts.setdefault(keys[run["run"]], run)
    by_model = defaultdict(list)
    for key, run in firsts.items():
        by_model[run["model"]].append(key)
    labels = {}
    for model, group in by_model.items():
        parts: dict[tuple, list[str]] = {key: [] for key in group}
        for describe in _descriptions([firsts[key] for key in group]):
            told = {key: describe(firsts[key]) for key in group}
            if len(set(map(tuple, parts.values()))) == len(group):
                break
            if len(set(told.values())) > 1:
                for key in group:
                    parts[key].append(told[key])
        for key in group:
            labels[key] = f"{model} ({', '.join(parts[key])})" if parts[key] else model
    return labels


def _short(column: str, what: str):
    return lambda run: f"{what} {str(run[column] or 'none')[:_HASH_CHARACTERS]}"


def _parameters(run: dict[str, Any]) -> str:
    count = run["n_parameters"]
    return "no parameters" if _is_null(count) else f"{int(count):,} parameters"


def _train_lengths(run: dict[str, Any]) -> str:
    known = run["train_lengths"]
    return f"trained on {lengths_.show(list(known))}" if known else "no train lengths"


def _setting(name: str):
    return lambda run: f"{name} {json.loads(run['settings']).get(name, 'none')}"


def _differing(runs: list[dict[str, Any]]) -> list[str]:
    """Returns the names of the settings that runs differ in."""
    settings = [json.loads(_settings(run)) for run in runs]
    names = sorted({name for found in settings for name in found})
    return [name for name in names if any(x.get(name) != settings[0].get(name) for x in settings)]


def _descriptions(runs: list[dict[str, Any]]) -> Iterator[Callable[[dict[str, Any]], str]]:
    """Yields what is tried, in this order, until all entries of a name are told apart."""
    yield from _KINDS
    yield from map(_setting, _differing(runs))
    yield from _ORIGINS


_KINDS = (
    lambda run: "traced" if run["use_hints"] else "plain",
    lambda run: run["extraction"],
    lambda run: run["evaluator"],
    lambda run: run["split"],
    _train_lengths,
    _parameters,
)
_ORIGINS = (
    _short("dataset_hash", "data"),
    _short("checkpoint", "checkpoint"),
    lambda run: f"run {run['run'].rpartition('-')[2]}",
)
