"""The leaderboard on disk: a results folder that any number of processes append to.

leaderboard/<run>.parquet   one row per (algorithm, length) of the run; written last
scores/<run>.parquet        one row per answer, for paired comparison
predictions/<run>/          answers, while the run is unfinished or if they are to be kept

Each run is a file of its own, put in place by a rename, so appending needs no lock; the same
evaluation done again replaces its file.
"""

import hashlib
import json
import os
import posixpath
import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from clrs_text_bench import parquet
from clrs_text_bench.errors import BadInput, unknown
from clrs_text_bench.storage import Folder

if TYPE_CHECKING:
    import pandas as pd

FORMAT_VERSION = 1

# `shape` becomes `shape`, `shape_low` and `shape_high`: mean and 95% interval.
SUFFIXES = ("", "_low", "_high")

RUN_FIELDS = [
    ("run", pa.string()),
    ("model", pa.string()),
    ("spec", pa.string()),
    ("n_parameters", pa.int64()),
    ("train_lengths", pa.list_(pa.int32())),
    ("train_algorithms", pa.list_(pa.string())),
    ("train_seed", pa.int64()),
    ("checkpoint", pa.string()),
    ("settings", pa.string()),
    ("dataset", pa.string()),
    ("dataset_hash", pa.string()),
    ("split", pa.string()),
    ("use_hints", pa.bool_()),
    ("evaluator", pa.string()),
    ("extraction", pa.string()),
    ("limit", pa.int64()),
]
CELL_FIELDS = [
    ("algorithm", pa.string()),
    ("family", pa.string()),
    ("length", pa.int32()),
    ("regime", pa.string()),
    ("n", pa.int64()),
    ("errors", pa.int64()),
    ("missing", pa.int64()),
    ("incomplete", pa.bool_()),
]
COST_FIELDS = [
    ("trace_share", pa.float64()),
    ("seconds", pa.float64()),
    ("n_tokens", pa.int64()),
    ("versions", pa.string()),
    ("command", pa.string()),
    ("git_commit", pa.string()),
    ("created", pa.timestamp("us", tz="UTC")),
]
# Of runs whose model was sent prompts; null where a count, or the price of a token, is unknown.
PROMPT_FIELDS = [("prompt_tokens", pa.int64()), ("dollars", pa.float64())]

_ROWS, _SCORES = "leaderboard", "scores"
_METADATA_KEY = b"clrs_text_bench.leaderboard"


def row_schema(scores: Sequence[str], *, prompts: bool = False) -> pa.Schema:
    """Returns the columns of a run's rows.

    Args:
      scores: of the run's evaluator.
      prompts: whether `PROMPT_FIELDS` stand behind the others.
    """
    score_fields = [(f"{s}{suffix}", pa.float64()) for s in scores for suffix in SUFFIXES]
    metadata = {"format_version": FORMAT_VERSION, "scores": list(scores)}
    return pa.schema(
        [
            *(*RUN_FIELDS, *CELL_FIELDS, *score_fields, *COST_FIELDS),
            *(PROMPT_FIELDS if prompts else []),
        ],
        metadata={_METADATA_KEY: json.dumps(metadata)},
    )


def run_id(model: str, request: object) -> str:
    """Names a run: a slug of its model's name, and a hash of all that determines its rows.

    Args:
      model: name of the model.
      request: JSON-like; the same for the same evaluation, from one process to the next.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")[:40].strip("-") or "model"
    text = json.dumps(request, sort_keys=True, ensure_ascii=True, allow_nan=True)
    return f"{slug}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def results_folder(path: str | os.PathLike) -> Folder:
    """Finds a results folder; raises `BadInput` if there is a file of that name."""
    folder = Folder.at(path)
    if folder.is_file():
        raise BadInput(f"results folder {path} is a file; name a folder")
    return folder


def append(results: Folder, rows: pa.Table, scores: pa.Table) -> None:
    """Adds a run, in place of an earlier one of the same id.

    Args:
      results: the results folder, made if it is not there.
      rows: of one run, in `row_schema`.
      scores: of its answers, one row each.

    Raises:
      BadInput: if it cannot be written.
    """
    run = rows["run"][0].as_py()
    results.write(f"{_SCORES}/{run}.parquet", parquet.to_bytes(scores))
    results.write(f"{_ROWS}/{run}.parquet", parquet.to_bytes(rows))


def read(results: Folder) -> "pd.DataFrame":
    """Reads all runs of a results folder.

    Files that do not end in .parquet, and hidden ones, are none of ours and are passed over.

    Returns:
      One row per (run, algorithm, length), in `row_schema`; a score that a run's evaluator does
      not give is NaN. Lists are tuples.

    Raises:
      BadInput: if there is no run, or a .parquet file is damaged, of another schema, or newer than
        this package.
    """
    names = _names(results)
    if not names:
        raise BadInput(f"{results.url} holds no leaderboard; add to it with evaluate or score")
    return frame_of([_read_rows(results, name) for name in names])


def is_empty(results: Folder) -> bool:
    """Returns whether a results folder holds no run."""
    return not _names(results)


def _names(results: Folder) -> list[str]:
    return [
        name
        for name in results.names()
        if posixpath.dirname(name) == _ROWS
        and name.endswith(".parquet")
        and not posixpath.basename(name).startswith(".")
    ]


def frame_of(tables: Sequence[pa.Table]) -> "pd.DataFrame":
    """Returns the rows of runs, in `row_schema` each, as `read` does."""
    import pandas as pd

    table = pa.concat_tables(tables, promote_options="default")
    integers = {pa.int64(): pd.Int64Dtype()}
    frame = table.to_pandas(types_mapper=integers.get, ignore_metadata=True)
    for column in ("train_lengths", "train_algorithms"):
        frame[column] = [None if v is None else tuple(v.tolist()) for v in frame[column]]
    return frame


def _read_rows(results: Folder, name: str) -> pa.Table:
    where = f"{name} of {results.url}"
    try:
        file = pq.ParquetFile(pa.BufferReader(results.read(name)))
        metadata = (file.schema_arrow.metadata or {}).get(_METADATA_KEY)
        if metadata is None:
            raise BadInput(f"{where} is no leaderboard file; move it out of the folder")
        values = json.loads(metadata)
        if values["format_version"] > FORMAT_VERSION:
            raise BadInput(
                f"{where} has format version {values['format_version']}, newer than the "
                f"{FORMAT_VERSION} that this package reads; upgrade clrs-text-bench"
            )
        prompts = PROMPT_FIELDS[0][0] in file.schema_arrow.names
        expected = row_schema(values["scores"], prompts=prompts)
        if not file.schema_arrow.equals(expected):
            odd = ", ".join(_odd_columns(file.schema_arrow, expected)) or "in another order"
            raise BadInput(f"{where} has other columns than a leaderboard file: {odd}")
        return file.read()
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{where} is not a whole Parquet file: {error}") from error


def _odd_columns(found: pa.Schema, expected: pa.Schema) -> list[str]:
    """Returns the names of columns that only one schema has, or that differ in type."""

    def type_in(columns: pa.Schema, name: str) -> pa.DataType | None:
        place = columns.get_field_index(name)
        return columns.field(place).type if place >= 0 else None

    names = dict.fromkeys([*found.names, *expected.names])
    return [name for name in names if type_in(found, name) != type_in(expected, name)]


def read_scores(results: Folder, run: str) -> pa.Table:
    """Reads the scores of a run's answers; raises `BadInput` if they are not there or damaged."""
    name = f"{_SCORES}/{run}.parquet"
    if not results.exists(name):
        raise BadInput(f"{results.url} has no {name}: evaluate {run} again to compare it")
    try:
        return pq.read_table(pa.BufferReader(results.read(name)))
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{name} of {results.url} is not a whole Parquet file: {error}") from error


def score_names(frame: "pd.DataFrame") -> list[str]:
    """Returns the scores that a leaderboard holds, in its order."""
    columns = set(frame.columns)
    return [c for c in frame.columns if {f"{c}_low", f"{c}_high"} <= columns]


def main_score(frame: "pd.DataFrame") -> str:
    """Returns the score to show where none is asked for: clrs, or the evaluator's last."""
    names = score_names(frame)
    return "clrs" if "clrs" in names else names[-1]


def check_score(frame: "pd.DataFrame", score: str) -> None:
    """Raises `BadInput` if no run of a leaderboard has a score of that name."""
    if score not in score_names(frame):
        raise unknown("score", score, score_names(frame))


def find_run(frame: "pd.DataFrame", name: str) -> str:
    """Returns the run that a run id, the beginning of one, or a model's name stands for.

    Raises:
      BadInput: if it stands for none, or for several.
    """
    runs = frame.drop_duplicates("run")
    by_model = list(runs.loc[runs["model"] == name, "run"])
    by_id = [run for run in runs["run"] if run.startswith(name)]
    found = [name] if name in by_id else by_model or by_id
    if not found:
        raise unknown("model or run", name, {*runs["model"], *runs["run"]})
    if len(found) > 1:
        raise BadInput(f"{name!r} stands for {len(found)} runs; choose one of {', '.join(found)}")
    return found[0]


def select(
    frame: "pd.DataFrame",
    *,
    models: Collection[str] = (),
    algorithms: Collection[str] = (),
    lengths: Collection[int] = (),
    splits: Collection[str] = (),
) -> "pd.DataFrame":
    """Keeps the rows of these models (names or run ids), algorithms, lengths, splits; () for all.

    Raises:
      BadInput: naming a wanted value that no row has, or if none has all of them together.
    """
    by_model = [m for m in models if m not in set(frame["run"])]
    for kind, column, wanted in (
        ("model", "model", by_model),
        ("algorithm", "algorithm", algorithms),
        ("length", "length", lengths),
        ("split", "split", splits),
    ):
        known = set(frame[column])
        for value in wanted:
            if value not in known:
                names = sorted(known) if kind == "length" else known
                raise unknown(f"{kind} of the leaderboard", str(value), map(str, names))
    keep = frame["run"].notna()
    if models:
        keep &= frame["model"].isin(models) | frame["run"].isin(models)
    for column, wanted in (("algorithm", algorithms), ("length", lengths), ("split", splits)):
        if wanted:
            keep &= frame[column].isin(wanted)
    if not keep.any():
        raise BadInput("no row of the leaderboard has all that was asked for together")
    return frame[keep].reset_index(drop=True)
