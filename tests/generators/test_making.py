"""The making of data sets: the same bytes however often it is cut off, by however many workers."""

import json
import os
import shutil
import signal
import subprocess
import time
import uuid

import numpy as np
import pytest

from clrs_text_bench import datasets, graph
from clrs_text_bench.errors import BadInput, RunFailed
from clrs_text_bench.generators import making

from .. import command, processes, small_disk
from .orders import REAL, SMALL, digests, make, order, split


def refusal(call, kind=BadInput):
    with pytest.raises(kind) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def tree(folder):
    """Returns every file and folder below a folder."""
    return sorted(os.path.relpath(p, folder) for p in folder.rglob("*"))


def in_memory():
    return f"memory://{uuid.uuid4().hex}/data"


# The same bytes.


def test_bytes_do_not_depend_on_workers_nor_on_the_place(toy, tmp_path):
    one = make(order(*SMALL), tmp_path / "one", n_workers=1)
    two = make(order(*SMALL), tmp_path / "two", n_workers=2)
    here = make(order(*SMALL), in_memory())
    assert digests(one) == digests(two) == digests(here)
    assert one.hash == two.hash == here.hash
    assert [c.count for c in one.cells()] == [20, 20, 20, 20, 20, 20]


def test_rows_are_ordered_by_seed_then_index(toy):
    made = make(order(split("test", [4], 5, seeds=[7, -2])), in_memory())
    table = made.read(made.cells("test")[0])
    assert table["seed"].to_pylist() == [7] * 5 + [-2] * 5
    assert table["index"].to_pylist() == [*range(5)] * 2


def test_a_cell_is_the_same_in_any_company(toy):
    whole = digests(make(order(*SMALL), in_memory()))
    part = digests(
        make(order(split("test", [4], 10, algorithms=["minimum"], seeds=[0, 5])), in_memory())
    )
    del part["dataset.json"]
    assert part.items() <= whole.items()
    assert len(part) == 1


def test_two_halves_hold_the_rows_of_the_whole(toy):
    def rows(lengths):
        made = make(order(split("train", lengths, 12)), in_memory())
        return {
            (row["algo_name"], row["length"], row["index"]): row
            for cell in made.cells()
            for row in made.read(cell).to_pylist()
        }

    assert rows([3]) | rows([4]) == rows([3, 4])


def test_more_samples_begin_with_the_fewer(toy):
    few, many = (make(order(split("train", [4], n)), in_memory()) for n in (10, 25))
    for cell, more in zip(few.cells(), many.cells(), strict=True):
        assert many.read(more, limit=10).equals(few.read(cell))


def test_the_manifest_says_what_was_made(toy):
    made = make(order(*SMALL), in_memory())
    manifest = made.manifest
    assert manifest.recipe == order(*SMALL).recipe
    assert (manifest.engine, manifest.engine_version) == ("toy", "toy 1")
    assert manifest.command == "the tests' command"
    assert set(manifest.versions) >= {"clrs-text-bench", "numpy", "pyarrow"}
    assert set(made.folder.names()) == {"dataset.json", *(f.path for f in manifest.files)}
    for file in manifest.files:
        data = made.folder.read(file.path)
        assert (file.bytes, file.sha256) == (len(data), digests(made)[file.path])
    text = made.folder.read("dataset.json").decode()
    assert text.endswith("\n")
    assert json.loads(text)["format_version"] == 1


# Cut off and resumed.


def test_a_worker_that_dies_is_named_and_resume_completes(toy, tmp_path, monkeypatch):
    where = tmp_path / "data"
    with monkeypatch.context() as faulty:
        faulty.setenv("TOY_FAULT", "kill test/minimum/4")
        sentence = refusal(lambda: make(order(*SMALL), where, n_workers=2), RunFailed)
    assert sentence.startswith("worker ")
    assert "was killed by SIGKILL while making test/minimum/4; " in sentence
    whole = [
        where / record["path"]
        for file in (where / "unfinished").glob("t*.json")
        for record in json.loads(file.read_text())
    ]
    assert sentence.endswith(f"; {len(whole)} of 6 jobs are whole, go on with --resume")
    assert len(whole) >= 2
    stamps = {p: (p.stat().st_ino, p.stat().st_mtime_ns) for p in whole}
    resumed = make(order(*SMALL), where, resume=True)
    assert digests(resumed) == digests(make(order(*SMALL), in_memory()))
    assert stamps == {p: (p.stat().st_ino, p.stat().st_mtime_ns) for p in whole}


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("exit", "ended with exit code 7 while making train/minimum/4"),
        ("raise", "failed while making train/minimum/4: RuntimeError: out of toys"),
    ],
)
def test_other_ends_of_a_worker_are_named(toy, tmp_path, monkeypatch, fault, sentence):
    monkeypatch.setenv("TOY_FAULT", f"{fault} train/minimum/4")
    found = refusal(lambda: make(order(*SMALL), tmp_path / "data", n_workers=1), RunFailed)
    assert found == f"worker 1 {sentence}; 1 of 6 jobs are whole, go on with --resume" or (
        fault == "exit" and found.startswith("worker 1 (process ") and sentence in found
    )
    assert not (tmp_path / "data" / "dataset.json").exists()


def test_no_process_outlives_a_run(toy, tmp_path, monkeypatch):
    before = processes.workers()
    make(order(*SMALL), tmp_path / "data", n_workers=2)
    monkeypatch.setenv("TOY_FAULT", "kill train/minimum/3")
    refusal(lambda: make(order(*SMALL), tmp_path / "bad", n_workers=2), RunFailed)
    assert processes.workers() == before


def test_resume_with_nothing_there_begins_and_with_all_there_ends(toy, tmp_path):
    made = make(order(*SMALL), tmp_path / "data", resume=True)
    stamps = {p: p.stat().st_mtime_ns for p in (tmp_path / "data").rglob("*")}
    again = make(order(*SMALL), tmp_path / "data", resume=True)
    assert again.hash == made.hash
    assert stamps == {p: p.stat().st_mtime_ns for p in (tmp_path / "data").rglob("*")}


def cut_off(where, monkeypatch, what=SMALL):
    with monkeypatch.context() as faulty:
        faulty.setenv("TOY_FAULT", "refuse test/minimum/4")
        refusal(lambda: make(order(*what), where))


def test_resume_makes_again_what_was_lost_or_half_recorded(toy, tmp_path, monkeypatch):
    where = tmp_path / "data"
    cut_off(where, monkeypatch)
    (where / "data" / "train" / "minimum" / "3-00000.parquet").unlink()
    records = sorted((where / "unfinished").glob("*.json"))
    assert len(records) > 3
    next(r for r in records if "insertion_sort-3" in r.name).write_text('[{"half')
    (where / "data" / "train" / ".part-abc").write_bytes(b"half a file")
    assert digests(make(order(*SMALL), where, resume=True)) == digests(
        make(order(*SMALL), in_memory())
    )
    assert [name for name in tree(where) if ".part-" in name or "unfinished" in name] == []


@pytest.mark.parametrize("finished", [True, False])
def test_resume_refuses_another_order(toy, tmp_path, monkeypatch, finished):
    where = tmp_path / "data"
    if finished:
        make(order(*SMALL), where)
    else:
        cut_off(where, monkeypatch)
    before = {p: p.read_bytes() for p in where.rglob("*") if p.is_file()}
    others = {
        "recipe": order(*SMALL[:1]),
        "engine": order(*SMALL, engine="native"),
        "dedupe": order(*SMALL, dedupe=True),
    }
    for what, other in others.items():
        assert refusal(lambda other=other: make(other, where, resume=True)) == (
            f"{where} was begun with another {what}; choose another --out or replace it with "
            "--overwrite"
        )
    assert before == {p: p.read_bytes() for p in where.rglob("*") if p.is_file()}


def test_resume_refuses_another_version_of_the_engine(toy, tmp_path, monkeypatch):
    make(order(*SMALL), tmp_path / "data")
    monkeypatch.setattr(making.jobs, "check_engine", lambda *_, **__: "toy 2")
    assert "was begun with another engine version" in refusal(
        lambda: make(order(*SMALL), tmp_path / "data", resume=True)
    )


def test_resume_of_a_finished_data_set_that_lacks_a_file_is_a_sentence(toy, tmp_path):
    make(order(*SMALL), tmp_path / "data")
    gone = "data/train/minimum/3-00000.parquet"
    (tmp_path / "data" / gone).unlink()
    assert refusal(lambda: make(order(*SMALL), tmp_path / "data", resume=True)) == (
        f"{tmp_path}/data lacks {gone}; make it again with --overwrite"
    )


# What is there already.


def test_a_data_set_is_never_overwritten_unasked(toy, tmp_path, monkeypatch):
    where = tmp_path / "data"
    make(order(*SMALL), where)
    assert refusal(lambda: make(order(*SMALL), where)) == (
        f"{where} already holds a data set; go on with --resume or replace it with --overwrite"
    )
    cut_off(tmp_path / "begun", monkeypatch)
    assert "already holds an unfinished data set" in refusal(
        lambda: make(order(*SMALL), tmp_path / "begun")
    )


@pytest.mark.parametrize("url", ["local", "memory"])
def test_overwrite_replaces_all_of_it(toy, tmp_path, url):
    where = str(tmp_path / "data") if url == "local" else in_memory()
    make(order(*SMALL), where)
    smaller = order(split("train", [4], 3, algorithms=["minimum"]))
    made = make(smaller, where, overwrite=True)
    assert made.folder.names() == ["data/train/minimum/4-00000.parquet", "dataset.json"]
    assert digests(made) == digests(make(smaller, in_memory()))


def test_overwrite_replaces_an_unfinished_one(toy, tmp_path, monkeypatch):
    cut_off(tmp_path / "data", monkeypatch)
    smaller = order(split("train", [4], 3, algorithms=["minimum"]))
    assert digests(make(smaller, tmp_path / "data", overwrite=True)) == digests(
        make(smaller, in_memory())
    )


def test_a_replacement_cut_off_anywhere_can_be_asked_for_again(toy, monkeypatch):
    """Between any two removals, what is left must not be taken for foreign files."""
    smaller = order(*SMALL[:1])
    for finished in (True, False):
        for place in range(7):
            where = in_memory()
            if finished:
                make(order(*SMALL), where)
            else:
                cut_off(where, monkeypatch)
            with monkeypatch.context() as patched:
                patched.setattr(making.Folder, "remove", interrupted(making.Folder.remove, place))
                with pytest.raises(KeyboardInterrupt):
                    make(smaller, where, overwrite=True)
            if place:
                refusal(lambda where=where: datasets.open(where))
            again = refusal(lambda where=where: make(smaller, where, resume=True))
            assert "replace it with --overwrite" in again
            assert make(smaller, where, overwrite=True).splits() == ["train"]


def interrupted(remove, after):
    """Returns a `Folder.remove` that is interrupted after so many removals."""
    left = iter(range(after))

    def cut(folder, name):
        if next(left, None) is None:
            raise KeyboardInterrupt
        remove(folder, name)

    return cut


def test_foreign_files_are_left_alone(toy, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    for how in ({}, {"resume": True}, {"overwrite": True}):
        assert refusal(lambda how=how: make(order(*SMALL), tmp_path, **how)) == (
            f"{tmp_path} holds other files, such as thesis.tex; choose another --out"
        )
    assert tree(tmp_path) == ["thesis.tex"]


def test_foreign_files_within_a_data_set_survive_its_replacement(toy, tmp_path):
    make(order(*SMALL), tmp_path / "data")
    (tmp_path / "data" / "README.md").write_text("mine")
    make(order(*SMALL), tmp_path / "data", overwrite=True)
    assert (tmp_path / "data" / "README.md").read_text() == "mine"


def test_an_out_that_is_no_folder_is_a_sentence(toy, tmp_path):
    (tmp_path / "file").write_text("mine")
    assert refusal(lambda: make(order(*SMALL), tmp_path / "file")) == (
        f"{tmp_path}/file is a file; a data set needs a folder"
    )
    assert "cannot write unfinished/recipe.json of " in refusal(
        lambda: make(order(*SMALL), tmp_path / "file" / "below")
    )
    assert (tmp_path / "file").read_text() == "mine"


def test_a_temporary_file_of_a_run_killed_at_its_start_is_no_foreign_file(toy, tmp_path):
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / ".part-abc").write_bytes(b"{")
    assert digests(make(order(*SMALL), tmp_path)) == digests(make(order(*SMALL), in_memory()))


# Bad input leaves nothing behind.


@pytest.mark.parametrize("existed", [True, False])
@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (lambda: order(*SMALL, engine="toi"), "unknown engine 'toi'; did you mean 'toy'?"),
        (
            lambda: order(*SMALL, stream="upstream"),
            "engine 'toy' has no upstream stream; use --engine dm-clrs",
        ),
        (
            lambda: order(*SMALL, engine="dm-clrs", dedupe=True, stream="upstream"),
            "--dedupe would leave gaps in upstream's stream; use one of the two",
        ),
        (
            lambda: order(split("train", [4], 3, algorithms=["bfs"])),
            "engine toy has no bfs",
        ),
    ],
)
def test_bad_orders_leave_nothing_behind(toy, tmp_path, bad, sentence, existed):
    where = tmp_path / "data"
    if existed:
        where.mkdir()
    assert refusal(lambda: make(bad(), where)) == sentence
    assert tree(tmp_path) == (["data"] if existed else [])


@pytest.mark.parametrize("n_workers", [0, 2])
def test_bad_input_that_comes_late_keeps_what_is_whole(toy, tmp_path, monkeypatch, n_workers):
    monkeypatch.setenv("TOY_FAULT", "refuse test/minimum/4")
    assert (
        refusal(lambda: make(order(*SMALL), tmp_path / "data", n_workers=n_workers))
        == "toys are not for this"
    )
    monkeypatch.delenv("TOY_FAULT")
    assert digests(make(order(*SMALL), tmp_path / "data", resume=True)) == digests(
        make(order(*SMALL), in_memory())
    )


# De-duplication.


def keys(dataset, split_name):
    found = []
    for cell in dataset.cells(split_name):
        for row in dataset.read(cell, ["graph_inputs"])["graph_inputs"].to_pylist():
            key = graph.unpack(cell.algorithm, cell.length, row, "input")["key"]
            found.append((cell.algorithm, cell.length, *key.tolist()))
    return found


def test_dedupe_leaves_no_test_input_in_train_nor_twice_in_test(toy, monkeypatch):
    monkeypatch.setenv("TOY_FEW", "5")
    splits = (split("train", [3], 60), split("test", [3], 30, seeds=[0, 1]))
    plain, unique = (make(order(*splits, dedupe=d), in_memory()) for d in (False, True))
    assert set(keys(plain, "test")) & set(keys(plain, "train"))
    test, train = keys(unique, "test"), keys(unique, "train")
    assert not set(test) & set(train)
    assert len(set(test)) == len(test) == 2 * 2 * 30
    assert train == keys(plain, "train")
    # Of each seed's stream, the first that are new, in order.
    for cell in unique.cells("test"):
        table = unique.read(cell, ["seed", "index"])
        assert table["seed"].to_pylist() == [0] * 30 + [1] * 30
        for start in (0, 30):
            index = table["index"].to_pylist()[start : start + 30]
            assert index == sorted(set(index))


def test_overlap_is_recorded_as_a_plain_count_finds_it(toy, monkeypatch):
    monkeypatch.setenv("TOY_FEW", "4")
    monkeypatch.setattr(making.jobs, "_FRUITLESS_DRAWS", 200)
    splits = (split("train", [3, 5], 60), split("test", [3, 4], 30))
    for dedupe in (False, True):
        made = make(order(*splits, dedupe=dedupe), in_memory())
        records = made.manifest.overlap
        assert [(o.split, o.algorithm, o.length) for o in records] == [
            (c.split, c.algorithm, c.length) for c in made.manifest.recipe.cells()
        ]
        train = set(keys(made, "train"))
        for record in records:
            own = [
                k for k in keys(made, record.split) if k[:2] == (record.algorithm, record.length)
            ]
            assert (record.rows, record.distinct) == (len(own), len(set(own)))
            if record.split == "train" or record.length == 4:
                assert record.in_train is None
            else:
                assert record.in_train == sum(k in train for k in own)
                assert not dedupe or record.in_train == 0


def test_a_size_with_too_few_inputs_says_so(toy, tmp_path, monkeypatch):
    """Two keys of three values have nine inputs, eight or all of which stand in train."""
    monkeypatch.setenv("TOY_FEW", "3")
    monkeypatch.setattr(making.jobs, "_FRUITLESS_DRAWS", 200)
    splits = (split("train", [2], 3), split("test", [2], 30))
    made = make(order(*splits, dedupe=True), in_memory())
    for cell in made.cells("test"):
        (record,) = [
            o for o in made.manifest.overlap if (o.split, o.algorithm) == ("test", cell.algorithm)
        ]
        in_train = {k for k in keys(made, "train") if k[0] == cell.algorithm}
        assert record.rows == record.distinct == cell.count == 9 - len(in_train)
        assert record.wanted == 30
        assert record.in_train == 0


def test_a_cell_with_no_input_left_is_empty_and_can_be_read(toy, monkeypatch):
    monkeypatch.setenv("TOY_FEW", "1")
    monkeypatch.setattr(making.jobs, "_FRUITLESS_DRAWS", 20)
    made = make(order(split("train", [2], 3), split("test", [2], 3), dedupe=True), in_memory())
    for cell in made.cells("test"):
        assert cell.count == 0
        assert made.read(cell).num_rows == 0


def test_dedupe_gives_the_same_bytes_by_two_workers(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_FEW", "6")
    wanted = order(*SMALL, dedupe=True)
    assert digests(make(wanted, tmp_path / "data", n_workers=2)) == digests(
        make(wanted, in_memory())
    )


# Through the command line.


TOYS = """
name = "toys"
[[splits]]
name = "train"
algorithms = ["minimum", "insertion_sort"]
lengths = "3-6"
samples = 40
[[splits]]
name = "test"
algorithms = ["minimum", "insertion_sort"]
lengths = "4,7"
samples = 20
"""


@pytest.fixture
def toys(tmp_path):
    (tmp_path / "toys.toml").write_text(TOYS)
    return tmp_path


def generate(*more, workers=2):
    return ("generate", "toys.toml", "--engine", "toy", "--workers", str(workers), *more)


def start(folder, toy_folder, *more, **environment):
    """Starts a run in a process group of its own."""
    return subprocess.Popen(
        [command.PROGRAM, *generate("--out", "data", *more)],
        cwd=folder,
        env=command.surroundings(toy_folder, **environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_files(folder, count=2, seconds=60):
    """Waits until a run has written so many files."""
    end = time.monotonic() + seconds
    while len(list(folder.rglob("*.parquet"))) < count:
        assert time.monotonic() < end
        time.sleep(0.01)


def finish(toys, toy_folder):
    """Resumes the run; returns digests of its files beside those of an unbroken one."""
    command.run(*generate("--out", "data", "--resume"), cwd=toys, path=toy_folder)
    command.run(*generate("--out", "whole", workers=1), cwd=toys, path=toy_folder)
    return [digests(datasets.open(toys / name)) for name in ("data", "whole")]


def test_interrupted_by_the_keyboard(toys, toy_folder):
    run = start(toys, toy_folder, TOY_SLEEP="0.05")
    wait_for_files(toys / "data")
    os.killpg(run.pid, signal.SIGINT)
    _, error = run.communicate(timeout=60)
    assert run.returncode == 130
    assert error.splitlines()[-1] == "clrs-text-bench: interrupted"
    assert "Traceback" not in error
    resumed, whole = finish(toys, toy_folder)
    assert resumed == whole


@pytest.mark.parametrize("seconds", [0.3, 0.6, 0.9])
def test_interrupted_by_the_keyboard_while_starting(toys, toy_folder, seconds):
    run = start(toys, toy_folder, TOY_SLEEP="0.2")
    time.sleep(seconds)
    os.killpg(run.pid, signal.SIGINT)
    _, error = run.communicate(timeout=60)
    # Within the first moments the interpreter itself may still be starting.
    if run.returncode == 130:
        assert error.splitlines()[-1] == "clrs-text-bench: interrupted"
        assert "Traceback" not in error


def test_the_workers_of_a_killed_run_end_by_themselves(toys, toy_folder):
    run = start(toys, toy_folder, TOY_SLEEP="0.05")
    wait_for_files(toys / "data", 1)
    workers = processes.workers(run.pid)
    assert len(workers) == 2
    run.kill()
    run.communicate()
    assert processes.gone(workers)


def test_a_worker_killed_by_hand(toys, toy_folder):
    run = start(toys, toy_folder, TOY_SLEEP="0.05")
    wait_for_files(toys / "data", 3)
    victim = min(processes.workers(run.pid))
    os.kill(victim, signal.SIGKILL)
    _, error = run.communicate(timeout=60)
    assert run.returncode == 1
    last = error.splitlines()[-1]
    assert last.startswith("clrs-text-bench: worker ")
    assert f"(process {victim}) was killed by SIGKILL while making " in last
    assert "Traceback" not in error
    whole_files = len(list((toys / "data").rglob("*.parquet")))
    assert whole_files >= 2
    assert not (toys / "data" / "dataset.json").exists()
    resumed, whole = finish(toys, toy_folder)
    assert resumed == whole


def test_a_full_disk_is_one_sentence(toys, toy_folder):
    with small_disk.mounted(toys / "disk", "400k") as disk:
        big = ("generate", "-a", "minimum", "-l", "4,60", "-n", "2500", "--engine", "toy")
        out = ("--workers", "1", "--out", disk / "data")
        sentence = command.sentence(*big, *out, path=toy_folder)
        assert "the disk is full; free some space, then run again with --resume" in sentence
        names = [p.name for p in disk.rglob("*")]
        assert "dataset.json" not in names
        assert not [n for n in names if n.startswith(".part-")]
        for file in disk.rglob("*.parquet"):
            datasets.from_parquet(file.read_bytes(), str(file))
        subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
        command.run(*big, *out, "--resume", path=toy_folder)
        command.run(*big, "--workers", "2", "--out", toys / "whole", path=toy_folder)
        assert digests(datasets.open(disk / "data")) == digests(datasets.open(toys / "whole"))


def test_a_disk_that_is_full_from_the_start(toys, toy_folder):
    with small_disk.mounted(toys / "disk") as disk:
        small_disk.fill(disk)
        sentence = command.sentence(*generate("--out", disk / "data"), cwd=toys, path=toy_folder)
        assert "the disk is full" in sentence
        assert tree(disk) == ["filler"]


def test_a_disk_that_cannot_be_written(toys, toy_folder):
    with small_disk.mounted(toys / "disk") as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        sentence = command.sentence(*generate("--out", disk / "data"), cwd=toys, path=toy_folder)
        assert sentence.endswith(": Read-only file system")
        assert tree(disk) == []


# The real engine, and the hardest kills.


def test_real_samples_are_the_same_by_one_worker_and_by_two(real, tmp_path):
    one = make(REAL, tmp_path / "one", n_workers=1)
    assert digests(one) == digests(real)


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "kills"), [("native", 20), ("dm-clrs", 5)])
def test_killed_at_random_moments_and_resumed(tmp_path, engine, kills):
    words = ("generate", "smoke", "--engine", engine, "--dedupe", "--workers", "2")

    def begin():
        return subprocess.Popen(
            [command.PROGRAM, *words, "--resume", "--out", tmp_path / "data"],
            env=command.surroundings(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    command.run(*words, "--out", tmp_path / "whole")
    expected = digests(datasets.open(tmp_path / "whole"))
    begun = time.monotonic()
    command.run(*words, "--out", tmp_path / "timed")
    duration = time.monotonic() - begun
    rng, stages = np.random.default_rng(0), []
    while len(stages) < kills:
        run = begin()
        try:
            run.wait(timeout=rng.uniform(0.1, duration))
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
            stages.append(len(list((tmp_path / "data").rglob("*.parquet"))))
        else:
            assert run.returncode == 0
            assert digests(datasets.open(tmp_path / "data")) == expected
            shutil.rmtree(tmp_path / "data")
    # A slow engine makes most of its files at the end: a few kills may well miss them.
    least = 3 if kills >= 20 else 1
    assert len(set(stages)) >= least, "the kills all fell at the same stage"
    assert begin().wait(timeout=300) == 0
    assert digests(datasets.open(tmp_path / "data")) == expected
