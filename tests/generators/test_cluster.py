"""Data sets made on a Dask cluster: the same bytes, whoever is lost on the way."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clrs_text_bench import datasets
from clrs_text_bench.cli.main import main
from clrs_text_bench.errors import BadInput, RunFailed
from clrs_text_bench.generators import cluster

from .. import command, plugins
from .orders import REAL, SMALL, digests, make, order

distributed = pytest.importorskip(
    "distributed", reason="a Dask cluster needs the extra [cluster], which is in [test], too"
)

PROGRAM = Path(__file__).parent / "dask_cluster.py"
# Big enough to be caught in the middle: 32 rows of each cell, eight at a time.
SLOW = ("-a", "minimum", "-a", "insertion_sort", "-l", "3-8", "-n", "32", "--engine", "toy")


@contextlib.contextmanager
def running(path, **environment):
    """Starts a cluster in a process group of its own; gives its address and its process."""
    process = subprocess.Popen(
        [sys.executable, PROGRAM],
        env=command.surroundings(path, **environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert select.select([process.stdout], [], [], 60)[0], "the cluster did not start"
        yield process.stdout.readline().strip().replace("tcp://", cluster.SCHEME), process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture(scope="module")
def dask(toy_folder):
    """The address of a cluster whose workers know the toy engine."""
    with running(toy_folder) as (address, _):
        yield address


@contextlib.contextmanager
def client(address):
    with distributed.Client(
        address.replace(cluster.SCHEME, "tcp://"), set_as_default=False
    ) as found:
        yield found


def refusal(call, kind=BadInput):
    with pytest.raises(kind) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# The same bytes.


def test_bytes_are_those_of_a_local_run(toy, dask, tmp_path):
    here = make(order(*SMALL, dedupe=True), tmp_path / "here")
    there = make(order(*SMALL, dedupe=True), tmp_path / "there", executor=dask)
    assert digests(there) == digests(here)
    assert there.hash == here.hash


def test_real_samples_are_those_of_a_local_run(real, dask, tmp_path):
    made = make(REAL, tmp_path / "data", executor=dask)
    assert digests(made) == digests(real)


def test_a_path_means_the_same_to_workers_elsewhere(toy, dask, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = make(order(*SMALL), "data", executor=dask)
    assert digests(made) == digests(make(order(*SMALL), tmp_path / "here"))


def test_progress_comes_with_each_shard_and_rows_do_not(toy, dask, tmp_path, monkeypatch):
    events = []
    run = cluster.Cluster.run

    def overheard(self, calls, labels):
        for event in run(self, calls, labels):
            events.append(event)
            yield event

    monkeypatch.setattr(cluster.Cluster, "run", overheard)
    make(order(*SMALL), tmp_path / "data", executor=dask)
    made, measured = events[:12], events[12:]
    assert [type(e).__name__ for e in made] == ["Progress", "Done"] * 6
    assert [e.rows for e in made[::2]] == [20] * 6
    records = [r for e in made[1::2] for r in e.result]
    assert {type(r) for r in records} == {datasets.FileRecord}
    overlaps = [r for e in measured[1::2] for r in e.result]
    assert {type(r) for r in overlaps} == {datasets.OverlapRecord}


def test_no_more_calls_than_allowed_are_sent_ahead(toy, dask, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_SENT_AHEAD", 2)
    made = make(order(*SMALL), tmp_path / "data", executor=dask)
    assert digests(made) == digests(make(order(*SMALL), tmp_path / "here"))


# Somebody is lost.


def start(folder, toy_folder, address, name):
    return subprocess.Popen(
        [command.PROGRAM, "generate", *SLOW, "--executor", address, "--out", name],
        cwd=folder,
        env=command.surroundings(toy_folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_files(folder, run, count=3, seconds=60):
    end = time.monotonic() + seconds
    while len(list(folder.rglob("*.parquet"))) < count:
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def generate_here(*arguments):
    """Runs `generate` within this process, which starts sooner than another."""
    with pytest.raises(SystemExit) as end:
        main(["generate", *SLOW, "--workers", "1", *map(str, arguments)])
    assert end.value.code == 0


def test_lost_workers_are_survived_and_a_lost_scheduler_is_resumed(tmp_path, toy, toy_folder):
    generate_here("--out", tmp_path / "whole")
    whole = digests(datasets.open(os.fspath(tmp_path / "whole")))
    with running(toy_folder, TOY_SLEEP="0.05") as (address, cluster_process):
        with client(address) as watching:
            victim = min(watching.run(os.getpid).values())
        run = start(tmp_path, toy_folder, address, "one")
        wait_for_files(tmp_path / "one", run)
        os.kill(victim, signal.SIGKILL)
        _, error = run.communicate(timeout=60)
        assert run.returncode == 0, error
        assert digests(datasets.open(os.fspath(tmp_path / "one"))) == whole

        run = start(tmp_path, toy_folder, address, "two")
        wait_for_files(tmp_path / "two", run)
        os.killpg(cluster_process.pid, signal.SIGKILL)
        _, error = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "Traceback" not in error, error
    last = error.splitlines()[-1]
    tcp = address.replace(cluster.SCHEME, "tcp://")
    assert last.startswith(f"clrs-text-bench: the scheduler at {tcp} was lost; ")
    assert last.endswith(" of 12 jobs are whole, go on with --resume")
    assert not (tmp_path / "two" / "dataset.json").exists()
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "two").rglob("*.parquet")}
    generate_here("--resume", "--out", tmp_path / "two")
    assert digests(datasets.open(os.fspath(tmp_path / "two"))) == whole
    n_whole = int(last.split(" was lost; ")[1].split()[0])
    assert sum(p.stat().st_mtime_ns == at for p, at in kept.items()) >= n_whole >= 1


def test_a_cut_off_local_run_is_resumed_on_a_cluster(toy, dask, tmp_path, monkeypatch):
    with monkeypatch.context() as faulty:
        faulty.setenv("TOY_FAULT", "kill test/minimum/4")
        refusal(lambda: make(order(*SMALL), tmp_path / "data", n_workers=1), RunFailed)
    resumed = make(order(*SMALL), tmp_path / "data", executor=dask, resume=True)
    assert digests(resumed) == digests(make(order(*SMALL), tmp_path / "here"))


def test_a_call_that_fails_is_named(toy, dask, tmp_path):
    too_deep = order(*[{**SMALL[0], "algorithms": ["minimum", "bfs"]}])
    sentence = refusal(lambda: make(too_deep, tmp_path / "data", executor=dask))
    assert sentence == "engine toy has no bfs"


# Refused before anything is sent.


def test_an_address_that_does_not_answer(toy, tmp_path):
    begun = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        sentence = refusal(
            lambda: make(order(*SMALL), tmp_path / "data", executor=f"dask://{address}")
        )
    assert time.monotonic() - begun < 12
    assert sentence == (
        f"no Dask scheduler answers at tcp://{address} within 5 seconds; start one with "
        "`dask scheduler`, and see that its port can be reached from here"
    )
    assert not (tmp_path / "data").exists()


def test_the_command_ends_with_one_sentence(tmp_path):
    words = ("generate", "smoke", "--out", tmp_path / "data", "--executor")
    sentence = command.sentence(*words, "dask://127.0.0.1:1")
    assert sentence.startswith("no Dask scheduler answers at tcp://127.0.0.1:1 within 5 seconds; ")
    sentence = command.sentence_here(*words, "local", "--workers", "0")
    assert sentence == "--workers 0 is below 1"
    sentence = command.sentence_here(*words, "dask://a:1", "--workers", "2")
    assert sentence == "--workers is for --executor local; a cluster has those that were started"


@pytest.mark.parametrize(
    "executor",
    ["dask", "dask://", "dask://host", "dask://host:x", "dask://:1", "dask://h:1/p", "tcp://h:1"],
)
def test_an_executor_that_is_none(tmp_path, executor):
    sentence = refusal(lambda: make(order(*SMALL), tmp_path / "data", executor=executor))
    assert sentence == (
        f"--executor {executor!r} is neither local nor dask://HOST:PORT, such as "
        "dask://10.0.0.1:8786"
    )


def test_memory_of_one_process_is_refused():
    sentence = refusal(lambda: make(order(*SMALL), "memory://x", executor="dask://h:1"))
    assert sentence == (
        "memory://x is seen by this process alone; --executor dask:// needs an --out that every "
        "worker reaches"
    )


def test_without_the_extra_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    sentence = refusal(lambda: make(order(*SMALL), tmp_path / "data", executor="dask://h:1"))
    assert sentence == (
        "--executor dask:// needs the package distributed: run "
        "`python -m pip install 'clrs-text-bench[cluster]'`"
    )


@contextlib.contextmanager
def another_worker(address, path):
    """Starts one more worker; gives its address."""
    with client(address) as watching:
        before = set(watching.run(os.getpid))
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "dask", "worker"),
                *("--no-nanny", "--no-dashboard", "--nthreads", "1"),
                address.replace(cluster.SCHEME, "tcp://"),
            ],
            env=command.surroundings(path),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            watching.wait_for_workers(len(before) + 1, timeout=30)
            (added,) = set(watching.run(os.getpid)) - before
            yield added
        finally:
            process.terminate()
            process.wait()
            end = time.monotonic() + 20
            while set(watching.run(os.getpid, on_error="ignore")) != before:
                assert time.monotonic() < end
                time.sleep(0.1)


def test_a_worker_of_another_version_is_refused_by_name(toy, dask, tmp_path):
    old = plugins.install(tmp_path / "old", "numba", {}, {})
    with another_worker(dask, old) as worker:
        sentence = refusal(lambda: make(order(*SMALL), tmp_path / "data", executor=dask))
    ours = cluster.metadata.version("numba")
    assert sentence == (
        f"worker {worker} has numba 1.0, this process has {ours}: samples would not be the same "
        "bytes; install one version everywhere"
    )
    assert not (tmp_path / "data").exists()


def test_a_worker_without_the_engine_is_refused_by_name(toy, dask, tmp_path):
    with another_worker(dask, tmp_path) as worker:
        sentence = refusal(lambda: make(order(*SMALL), tmp_path / "data", executor=dask))
    assert sentence.startswith(f"worker {worker} cannot make samples: unknown engine 'toy'")
    assert not (tmp_path / "data").exists()


def test_a_worker_that_joins_late_is_held_to_the_same(toy, dask, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster.Cluster, "_ask_all_whether_ready", lambda self: None)
    monkeypatch.setattr(cluster.Ground, "__init__", _with_another(cluster.Ground.__init__))
    sentence = refusal(lambda: make(order(*SMALL), tmp_path / "data", executor=dask), RunFailed)
    assert sentence.startswith("worker tcp://127.0.0.1:")
    assert " finds another data set at " in sentence
    assert sentence.endswith("; 0 of 6 jobs are whole, go on with --resume")


def _with_another(init):
    return lambda self, **values: init(self, **{**values, "digest": "of another run"})


def test_a_folder_that_workers_do_not_see_is_refused(toy, dask, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setattr(cluster.Folder, "absolute", lambda self: os.fspath(elsewhere))
    sentence = refusal(lambda: make(order(*SMALL), tmp_path / "data", executor=dask))
    assert sentence.startswith("worker tcp://127.0.0.1:")
    assert sentence.endswith(
        f" cannot reach --out: {elsewhere} has no file unfinished/recipe.json; name a folder or "
        "URL that every worker reaches"
    )
    assert not (tmp_path / "data").exists()
    assert not elsewhere.exists()


def test_a_cluster_without_workers_is_refused(toy, tmp_path):
    with distributed.LocalCluster(
        n_workers=0, host="127.0.0.1", dashboard_address=None, processes=False, protocol="tcp"
    ) as empty:
        address = empty.scheduler_address
        executor = address.replace("tcp://", cluster.SCHEME)
        sentence = refusal(lambda: make(order(*SMALL), tmp_path / "data", executor=executor))
    assert sentence == (
        f"the cluster at {address} has no workers; start one with `dask worker {address}`"
    )
