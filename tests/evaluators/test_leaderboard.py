import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import leaderboard

from . import fake_results


@pytest.fixture
def folder(tmp_path):
    return leaderboard.results_folder(tmp_path / "results")


def add(folder, *args, **kwargs):
    rows = fake_results.run(*args, **kwargs)
    leaderboard.append(folder, rows, fake_results.answers(rows))
    return rows["run"][0].as_py()


def test_rows_come_back_as_they_were(folder):
    run = add(
        folder,
        train_lengths=(4, 5),
        train_algorithms=("bfs",),
        train_seed=3,
        n_parameters=10**10,
        checkpoint="c" * 64,
        n_tokens=123,
        seconds=4.5,
    )
    frame = leaderboard.read(folder)
    assert frame["run"].tolist() == [run, run]
    assert frame["length"].tolist() == [4, 8]
    assert frame["regime"].tolist() == ["in-distribution", "extrapolation"]
    assert frame["train_lengths"].tolist() == [(4, 5)] * 2
    assert frame["train_algorithms"].tolist() == [("bfs",)] * 2
    assert frame["n_parameters"].tolist() == [10**10] * 2
    assert frame["n_tokens"].tolist() == [123] * 2
    assert frame["created"].tolist() == [pd.Timestamp(2026, 1, 1, tz="UTC")] * 2
    assert leaderboard.score_names(frame) == ["shape", "parse", "clrs", "exact"]
    assert leaderboard.read_scores(folder, run).num_rows == 200


def test_the_files_open_without_this_package(folder):
    add(folder)
    (path,) = Path(folder.root).glob("leaderboard/*.parquet")
    frame = pd.read_parquet(path)
    assert {"run", "model", "algorithm", "length", "clrs", "clrs_low", "clrs_high"} <= {*frame}


def test_the_same_run_replaces_its_file(folder):
    add(folder, run="a-1", score=lambda a, n: 0.25)
    add(folder, run="a-1", score=lambda a, n: 0.75)
    assert leaderboard.read(folder)["clrs"].tolist() == [0.75, 0.75]


def test_run_ids_depend_on_all_of_the_request():
    base = {"model": {"name": "a"}, "cells": [["test", "bfs", 4, 10]]}
    first = leaderboard.run_id("My Model/v2", base)
    assert first == leaderboard.run_id("My Model/v2", dict(reversed(base.items())))
    assert first.startswith("my-model-v2-")
    assert len(first.rpartition("-")[2]) == 12
    assert first != leaderboard.run_id("My Model/v2", base | {"limit": 3})
    assert leaderboard.run_id("../..//", base).startswith("model-")
    assert leaderboard.run_id("模型", base).startswith("model-")


_WRITER = """
import sys
sys.path.insert(0, sys.argv[1])
import fake_results
from clrs_text_bench.evaluators import leaderboard

folder = leaderboard.results_folder(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for turn in range(5):
    for name in (f"own-{sys.argv[3]}-{turn}", f"shared-{turn}"):
        rows = fake_results.run(name, run=name, cells=[("bfs", n) for n in range(4, 34)])
        leaderboard.append(folder, rows, fake_results.answers(rows.slice(0, 2)))
"""


@pytest.mark.slow
def test_eight_processes_append_at_once(folder):
    here = str(Path(__file__).parent)
    writers = [
        subprocess.Popen(
            [sys.executable, "-P", "-c", _WRITER, here, folder.root, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    frame = leaderboard.read(folder)
    names = {f"own-{p}-{t}" for p in range(8) for t in range(5)} | {f"shared-{t}" for t in range(5)}
    assert frame.groupby("run").size().to_dict() == dict.fromkeys(names, 30)
    assert not frame.duplicated(["run", "length"]).any()
    left = {Path(name).suffix for name in folder.names()}
    assert left == {".parquet"}


def test_an_empty_or_missing_folder_says_how_to_begin(folder):
    with pytest.raises(BadInput, match="holds no leaderboard; add to it with evaluate or score"):
        leaderboard.read(folder)


def test_a_file_is_no_results_folder(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(BadInput, match="is a file; name a folder"):
        leaderboard.results_folder(tmp_path / "results")


def test_other_files_are_passed_over(folder):
    add(folder)
    for name in ("README.md", "leaderboard/notes.txt", "leaderboard/.part-1", "figures/a.png"):
        folder.write(name, b"x")
    folder.write("leaderboard/._a.parquet", b"resource fork")
    folder.write("other.parquet", b"not in leaderboard/")
    assert len(leaderboard.read(folder)) == 2


def parquet(table):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def with_version(table, version):
    (key,) = table.schema.metadata
    text = table.schema.metadata[key].replace(
        b'"format_version": 1', b'"format_version": %d' % version
    )
    return table.replace_schema_metadata({key: text})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"no parquet", r"leaderboard/x.parquet of .* is not a whole Parquet file"),
        (b"", "is not a whole Parquet file"),
        (parquet(fake_results.run())[:-100], "is not a whole Parquet file"),
        (parquet(pa.table({"a": [1]})), "is no leaderboard file; move it out of the folder"),
        (
            parquet(fake_results.run().drop_columns(["n"])),
            "has other columns than a leaderboard file: n$",
        ),
        (
            parquet(with_version(fake_results.run(), 2)),
            "has format version 2, newer than the 1 that this package reads; upgrade",
        ),
    ],
)
def test_foreign_parquet_files_are_named(folder, data, message):
    add(folder)
    folder.write("leaderboard/x.parquet", data)
    with pytest.raises(BadInput, match=message):
        leaderboard.read(folder)


def test_runs_of_evaluators_with_other_scores_stand_side_by_side(folder):
    add(folder)
    schema = leaderboard.row_schema(["flair"])
    row = fake_results.run("artist", cells=[("bfs", 4)], evaluator="art").to_pylist()[0]
    row = {k: v for k, v in row.items() if k in schema.names}
    row |= {"flair": 0.5, "flair_low": 0.4, "flair_high": 0.6}
    rows = pa.Table.from_pylist([row], schema=schema)
    leaderboard.append(folder, rows, fake_results.answers(fake_results.run(cells=[("bfs", 4)])))
    frame = leaderboard.read(folder)
    assert set(leaderboard.score_names(frame)) == {"shape", "parse", "clrs", "exact", "flair"}
    assert frame.set_index("model").loc["artist", "flair"] == 0.5
    assert frame.set_index("model").loc["artist"][["clrs"]].isna().all()


@pytest.fixture
def frame(folder):
    add(folder, "a", cells=[("bfs", 4), ("bfs", 8), ("dfs", 4)])
    add(folder, "b", cells=[("minimum", 4)], split="validation")
    return leaderboard.read(folder)


@pytest.mark.parametrize(
    ("chosen", "rows"),
    [
        ({}, 4),
        ({"models": ["a"]}, 3),
        ({"algorithms": ["bfs", "minimum"]}, 3),
        ({"lengths": [8]}, 1),
        ({"splits": ["validation"]}, 1),
        ({"models": ["a"], "algorithms": ["bfs"], "lengths": [4]}, 1),
    ],
)
def test_select(frame, chosen, rows):
    assert len(leaderboard.select(frame, **chosen)) == rows


def test_select_by_run(frame):
    run = leaderboard.find_run(frame, "b")
    assert leaderboard.select(frame, models=[run])["model"].tolist() == ["b"]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"models": ["c"]}, "unknown model of the leaderboard 'c'"),
        ({"algorithms": ["bsf"]}, "unknown algorithm of the leaderboard 'bsf'; did you mean 'bfs'"),
        ({"lengths": [5]}, "unknown length of the leaderboard '5'; known: 4, 8"),
        ({"splits": ["train"]}, "unknown split of the leaderboard 'train'"),
        ({"models": ["b"], "lengths": [8]}, "no row of the leaderboard has all"),
    ],
)
def test_select_names_what_is_not_there(frame, chosen, message):
    with pytest.raises(BadInput, match=message):
        leaderboard.select(frame, **chosen)


def test_unknown_scores_are_named(frame):
    with pytest.raises(BadInput, match="unknown score 'clr'; did you mean 'clrs'"):
        leaderboard.check_score(frame, "clr")


def test_created_is_in_utc(folder):
    add(folder, created=datetime(2026, 5, 1, tzinfo=UTC))
    assert str(leaderboard.read(folder)["created"].dt.tz) == "UTC"
