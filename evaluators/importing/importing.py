"""Logs in, a predictions file and an account of it out."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

import pyarrow as pa

from clrs_text_bench import datasets, parquet, predictions, progress, provenance, schema, storage
from clrs_text_bench.choosing import choose_split
from clrs_text_bench.datasets import Dataset
from clrs_text_bench.errors import BadInput

from .. import rescoring
from .entries import Entry, Identity, Log
from .joining import Joined, join
from .reading import read

_SUFFIX = ".parquet"


def import_results(
    files: Sequence[str | os.PathLike],
    dataset: str | os.PathLike,
    out: str | os.PathLike,
    *,
    split: str | None = None,
    name: str | None = None,
    show_progress: bool = False,
) -> Joined:
    """Reads other harnesses' logs of one model and writes its predictions.

    Args:
      files: lm-evaluation-harness's sample logs, Inspect's logs or plain JSON lines, of one kind.
      dataset: what was asked.
      out: the predictions file, replaced if it is there.
      split: searched for questions, where a log does not name samples; None for "test" if there is
        one, else for the only one.
      name: what to call the model, instead of what the logs call it.
      show_progress: whether to show a progress bar on standard error.

    Returns:
      What was found, and what was not.

    Raises:
      BadInput: if a log or the data set cannot be used, the logs are not of one kind and model, no
        answer is to a sample of the data set, or the file cannot be written.
    """
    out = Path(out)
    if out.suffix != _SUFFIX:
        raise BadInput(f"--out {out} must end in {_SUFFIX}")
    opened = datasets.open(dataset)
    paths = [Path(file) for file in files]
    with progress.bar("logs", show=show_progress and len(paths) > 1) as bar:
        logs = [read(path) for path in bar.track(paths, description="reading")]
    harness = _one(paths, [log.harness for log in logs], "are logs of")
    model = name or _one(paths, [log.model for log in logs], "are of the models") or paths[0].stem
    entries = [entry for log in logs for entry in log.entries]
    joined = join(entries, opened, choose_split(opened, split))
    if not joined.answers:
        raise BadInput(
            f"none of the {len(entries)} answers is to a sample of {opened.url}; the first, "
            f"{joined.unknown[0]}"
        )
    record = _record(paths, harness, model, logs, opened, joined.answers)
    _write(predictions.with_record(_table(joined.answers), record), out)
    return joined


def _one(paths: list[Path], values: list[str | None], what: str) -> str | None:
    """Returns what all logs have in common; raises `BadInput` if they differ."""
    for path, value in zip(paths, values, strict=True):
        if value != values[0]:
            raise BadInput(
                f"{paths[0]} and {path} {what} {values[0]} and {value}; import them apart"
            )
    return values[0]


def _table(answers: dict[Identity, Entry]) -> pa.Table:
    found = sorted(answers.items())
    columns = [
        *zip(*(identity for identity, _ in found), strict=True),
        *zip(*(entry[3:] for _, entry in found), strict=True),
    ]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, schema.PREDICTIONS, strict=True)]
    return pa.table(arrays, schema=schema.PREDICTIONS)


def _record(
    paths: list[Path],
    harness: str,
    model: str,
    logs: list[Log],
    dataset: Dataset,
    answers: Collection[Identity],
) -> dict:
    """Returns what the predictions file says of itself; see `predictions.info_from`."""
    settings = {"imported_from": harness}
    for log in logs:
        settings |= log.settings
    return {
        "format_version": schema.FORMAT_VERSION,
        "spec": f"import-results {harness}",
        "model": {"name": model, "settings": settings},
        "logs": {path.name: storage.sha256(path.read_bytes()) for path in paths},
        "dataset": provenance.without_credentials(dataset.url),
        "dataset_hash": dataset.hash,
        **_asked(answers, dataset),
        "versions": provenance.versions(),
        "command": provenance.command_line(),
        "created": provenance.now().isoformat(timespec="seconds"),
    }


def _asked(answers: Collection[Identity], dataset: Dataset) -> dict:
    """Returns what was asked: the cells that have an answer, if they are of one split."""
    places = {identity[:3] for identity in answers}
    cells = [c for c in dataset.cells() if (c.split, c.algorithm, c.length) in places]
    return rescoring.recorded(cells, None) if len({c.split for c in cells}) == 1 else {}


def _write(table: pa.Table, out: Path) -> None:
    data = parquet.to_bytes(table)
    with storage.writing(str(out)):
        out.parent.mkdir(parents=True, exist_ok=True)
        storage.write_local(str(out), data)
