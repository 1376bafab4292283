"""The sample browser's content: questions, true answers, and what every model wrote.

Where there are more than fit, each (algorithm, length) keeps as many as the others, chosen by a
hash of their identity: the same ones each time, and the same for all models.
"""

import json
from collections.abc import Sequence
from typing import Any

from clrs_text_bench import progress
from clrs_text_bench.datasets import Dataset
from clrs_text_bench.errors import BadInput

from . import pictures, texts
from .kept import Run, Sample
from .marks import marked
from .strata import Stratum, strata

_DATA_COLUMNS = ["question", "answer", "seed", "index", "graph_inputs", "graph_outputs"]


def payload(
    runs: Sequence[Run],
    datasets: Sequence[Dataset],
    entries: dict[str, int],
    scores: Sequence[str],
    *,
    most: int,
    room: int,
    show: bool = False,
) -> dict[str, Any]:
    """Returns samples with their answers, JSON-like.

    Args:
      runs: whose answers.
      datasets: where questions and true answers are; a run whose data set is none of them is shown
        without.
      entries: places of the leaderboard's entries.
      scores: names of the leaderboard's scores.
      most: samples of each (algorithm, length) at most.
      room: so many bytes of JSON at most.
      show: whether to show a progress bar.

    Raises:
      BadInput: if a data set is none that the runs answered, or does not hold what they answered,
        or a file of answers is damaged.
    """
    known = {dataset.hash: dataset for dataset in datasets}
    _check(known, runs)
    places = {run.run: place for place, run in enumerate(runs)}
    rounds: list[list[tuple[int, dict[str, Any]]]] = [[] for _ in range(most)]
    groups, totals = strata(runs), []
    with progress.bar("cells", show=show) as bar:
        for place, group in enumerate(bar.track(groups, description="samples")):
            answers = group.answers()
            ranked = group.ranked(answers)
            totals.append(len(ranked))
            rows = _rows(group, ranked[:most], known.get(group.dataset_hash))
            for turn, sample in enumerate(ranked[:most]):
                record = _record(group, sample, rows.get(sample), answers, places, scores)
                rounds[turn].append((place, {"cell": place, **record}))
    kept = _fitting(rounds, room)
    return {
        "runs": [{"entry": entries[run.entry], "seed": run.train_seed} for run in runs],
        "cells": [
            {
                "algorithm": texts.name(group.algorithm),
                "length": group.length,
                "split": texts.name(group.split),
                "data": group.dataset_hash[:8],
                "total": total,
                "asked": group.dataset_hash in known,
            }
            for group, total in zip(groups, totals, strict=True)
        ],
        "samples": kept,
    }


def _check(known: dict[str, Dataset], runs: Sequence[Run]) -> None:
    answered = {run.dataset_hash for run in runs}
    for hash_, dataset in known.items():
        if hash_ not in answered:
            theirs = ", ".join(sorted(h[:12] for h in answered)) or "none"
            raise BadInput(
                f"no kept answer is to data set {dataset.url} ({hash_[:12]}); they are to {theirs}"
            )


def _fitting(rounds: list[list[tuple[int, dict[str, Any]]]], room: int) -> list[dict[str, Any]]:
    """Takes one sample of each cell in turn for as long as there is room; returns them by cell."""
    kept: list[tuple[int, dict[str, Any]]] = []
    for turn in rounds:
        for place, record in turn:
            room -= len(json.dumps(record, separators=(",", ":"))) + 1
            if room < 0:
                return [record for _, record in sorted(kept, key=lambda pair: pair[0])]
            kept.append((place, record))
    return [record for _, record in sorted(kept, key=lambda pair: pair[0])]


def _record(
    group: Stratum,
    sample: Sample,
    row: dict[str, Any] | None,
    answers: dict[str, dict[Sample, dict[str, Any]]],
    places: dict[str, int],
    scores: Sequence[str],
) -> dict[str, Any]:
    """Returns what is shown of a sample; `row` is the data set's, where there is one."""
    record: dict[str, Any] = {"seed": sample[0], "index": sample[1]}
    if row is not None:
        record["question"] = _shown(row["question"])
        record["truth"] = _shown(row["answer"])
        record["picture"] = pictures.picture(
            group.algorithm, group.length, row["graph_inputs"], row["graph_outputs"]
        )
    truth = None if row is None else row["answer"]
    record["answers"] = [
        [places[run], *answer(found[sample], truth, scores)]
        for run, found in answers.items()
        if sample in found
    ]
    return record


def _shown(text: str) -> list[Any]:
    """Returns a text of the data set, and how many characters of it were left out."""
    shown = texts.cut(text.rstrip("\n"))
    return [texts.visible(shown.text), shown.left_out]


def _rows(
    group: Stratum, chosen: list[Sample], dataset: Dataset | None
) -> dict[Sample, dict[str, Any]]:
    """Returns the data set's rows of samples; none if there is no data set."""
    if dataset is None:
        return {}
    cells = dataset.cells(group.split, [group.algorithm], [group.length])
    if not cells:
        raise BadInput(
            f"{dataset.url} has no {group.split}/{group.algorithm}/{group.length}, which answers "
            "were kept of"
        )
    table = dataset.read(cells[0], _DATA_COLUMNS)
    identities = zip(table["seed"].to_pylist(), table["index"].to_pylist(), strict=True)
    where = {sample: place for place, sample in enumerate(identities)}
    rows = {}
    for sample in chosen:
        if sample not in where:
            raise BadInput(
                f"{dataset.url} has no sample of seed {sample[0]} and index {sample[1]} of "
                f"{group.algorithm} at length {group.length}, which an answer was kept of"
            )
        rows[sample] = table.slice(where[sample], 1).to_pylist()[0]
    return rows


def answer(found: dict[str, Any], truth: str | None, scores: Sequence[str]) -> list[Any]:
    """Returns pieces (None if it is missing), characters left out, scores, and how it ended."""
    figures = [_figure(found["scores"].get(name)) for name in scores]
    reason = found["finish_reason"]
    ended = None if reason is None else texts.name(reason)
    if found["prediction"] is None:
        return [None, 0, figures, ended]
    shown = texts.cut(found["prediction"])
    if truth is None:
        pieces = [f" {shown.text}"] if shown.text else []
    else:
        right = texts.cut(truth)
        whole = not (shown.left_out or right.left_out)
        pieces = marked(shown.text, right.text, whole=whole)
    return [[p[0] + texts.visible(p[1:]) for p in pieces], shown.left_out, figures, ended]


def _figure(value: float | None) -> float | int | None:
    if value is None or value != value:
        return None
    rounded = round(float(value), 4)
    return int(rounded) if rounded.is_integer() else rounded
