"""Two processes that train one model, over this machine's loopback."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.training import distributed, rendezvous

from .. import command
from . import tiny_run

ARGUMENTS = (
    *("train", "tiny.toml", "model.hidden_dim=64", "mesh.fsdp=2", "train.ema_decay=0.5"),
    *("train.log_every=1", "--data"),
)
PATIENCE = 120  # seconds

PROGRAM = """
import sys
import jax
import numpy as np
from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.training import distributed

place = int(sys.argv[2])

def refused(work):
    try:
        work()
    except BadInput as error:
        return str(error)

def fail(*places):
    if place in places:
        raise BadInput(f"{place} cannot")
    return place

with distributed.joined(sys.argv[1], 2, place, 60):
    assert (jax.process_count(), jax.process_index()) == (2, place)
    assert distributed.is_first() == (place == 0)
    short_and_long = [b"a", b"b" * 3000]
    assert distributed.exchange(short_and_long[place]) == short_and_long
    done = []
    distributed.first(lambda: done.append(place))
    assert done == [0] * (place == 0)
    assert distributed.together(lambda: fail()) == place
    assert refused(lambda: distributed.first(lambda: fail(0, 1))) == "0 cannot"
    expected = "1 cannot" if place == 1 else "process 1: 1 cannot"
    assert refused(lambda: distributed.together(lambda: fail(1))) == expected
    distributed.same({"data": "x"})
    assert "process 1 has another data" in refused(lambda: distributed.same({"data": str(place)}))
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def start(program, port, *, cwd, processes=2, **environment):
    """Begins all processes of one run; `program` is a command up to the flags of its place."""
    address = f"127.0.0.1:{port}"
    return [
        subprocess.Popen(
            program(address, str(place)),
            cwd=cwd,
            env=command.surroundings(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for place in range(processes)
    ]


def ended(processes):
    """Waits for processes; returns their exit codes and outputs."""
    outputs = [process.communicate(timeout=PATIENCE)[0] for process in processes]
    return [process.returncode for process in processes], outputs


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("distributed")
    (folder / "tiny.toml").write_text(tiny_run.TOML)
    return folder


def cache(folder):
    return {
        "JAX_COMPILATION_CACHE_DIR": str(folder / "cache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }


def train(folder, dataset, out, *more):
    """Begins a run of two processes."""

    def program(address, place):
        flags = ("--coordinator", address, "--processes", "2", "--process", place)
        return [command.PROGRAM, *ARGUMENTS, dataset.url, "--out", out, *flags, *more]

    return start(program, free_port(), cwd=folder, **cache(folder))


def measures(out):
    """Returns each step's loss and gradient norm, and each validation's scores."""
    lines = tiny_run.metrics(out)
    trained = [(line["loss"], line["gradient_norm"]) for line in lines if "loss" in line]
    return np.array(trained), [line["cells"] for line in lines if "cells" in line]


def wait_for_lines(out, count):
    """Waits until a run under way has logged so many lines."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and lines(out) < count:
        time.sleep(0.05)


def lines(out):
    path = out / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.fixture(scope="module")
def alone(folder, dataset):
    """What a run of one process measures."""
    given = [*ARGUMENTS, dataset.url, "--out", "alone", "mesh.fsdp=1"]
    command.run(*given, cwd=folder, **cache(folder))
    return measures(folder / "alone")


def assert_same(out, alone):
    losses, cells = measures(out)
    np.testing.assert_allclose(losses, alone[0], rtol=1e-4)
    assert cells == alone[1]


@pytest.mark.slow
def test_two_processes_train_as_one_does_and_process_0_alone_speaks(folder, dataset, alone):
    codes, (said, silent) = ended(train(folder, dataset, "two"))
    assert codes == [0, 0], (said, silent)
    assert_same(folder / "two", alone)
    assert "trained; next: clrs-text-bench evaluate transformer:two" in said
    assert not re.search("steps|trained|clrs-text-bench", silent)
    record = json.loads((folder / "two" / "run.json").read_text())
    assert record["command"].endswith("--process 0")
    # One process reads what two have written.
    assert tiny_run.params(folder / "two")[1] == 12
    assert tiny_run.params(folder / "two", "best")[1] == 12


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1])
def test_when_a_process_is_killed_the_other_says_so_and_both_can_go_on(
    folder, dataset, alone, killed
):
    out = folder / f"killed-{killed}"
    running = train(folder, dataset, out.name)
    wait_for_lines(out, 5)
    running[killed].kill()
    codes, outputs = ended(running)
    assert codes[killed] == -signal.SIGKILL
    assert codes[1 - killed] == 1, outputs[1 - killed]
    assert f"process {1 - killed} cannot go on with the others (" in outputs[1 - killed]
    assert "Traceback" not in outputs[1 - killed]
    assert lines(out) < 14
    codes, outputs = ended(train(folder, dataset, out.name, "--resume"))
    assert codes == [0, 0], outputs
    assert_same(out, alone)


@pytest.mark.slow
def test_ctrl_c_in_one_process_stops_both_and_what_is_refused_is_refused_by_both(folder, dataset):
    out = folder / "stopped"
    running = train(folder, dataset, out.name, "train.steps=10000")
    wait_for_lines(out, 2)
    running[1].send_signal(signal.SIGINT)
    codes, outputs = ended(running)
    assert codes == [130, 130], outputs
    assert "stopped and saved; go on with clrs-text-bench train" in outputs[0]
    codes, outputs = ended(train(folder, dataset, out.name, "train.steps=10000"))
    assert codes == [2, 2]
    for output in outputs:
        assert "stopped already holds a run; go on with --resume or replace it" in output
        assert "Traceback" not in output


def test_processes_tell_each_other_what_they_need(tmp_path):
    processes = start(
        lambda address, place: [sys.executable, "-c", PROGRAM, address, place],
        free_port(),
        cwd=tmp_path,
    )
    codes, outputs = ended(processes)
    assert codes == [0, 0], outputs


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (
            "--coordinator 127.0.0.1:9 --processes 2 --process 2",
            "--process 2 must be from 0 to 1, as --processes is 2",
        ),
        (
            "--coordinator 127.0.0.1:9 --processes 2 --process -1",
            "--process -1 must be from 0 to 1, as --processes is 2",
        ),
        (
            "--coordinator 127.0.0.1:9 --processes 0 --process 0",
            "--processes 0 must be 1 or more",
        ),
        (
            "--coordinator 127.0.0.1:9 --processes 2",
            "--coordinator 127.0.0.1:9 needs --processes, how many there are, and --process, "
            "which this one is",
        ),
        (
            "--coordinator here --processes 2 --process 0",
            "--coordinator here is not like 10.0.0.1:9876, or auto",
        ),
        (
            "--coordinator here:66000 --processes 2 --process 0",
            "--coordinator here:66000 is not like 10.0.0.1:9876, or auto",
        ),
        ("--process 1", "--processes and --process need --coordinator HOST:PORT, or auto"),
    ],
)
def test_processes_that_cannot_be_are_refused(flags, sentence, tmp_path):
    given = ("train", "smoke", "--data", "smoke", "--out", tmp_path / "run", *flags.split())
    assert command.sentence_here(*given) == sentence
    assert not (tmp_path / "run").exists()


def test_without_a_cluster_nothing_is_found_by_itself(tmp_path):
    given = ("train", "smoke", "--data", "smoke", "--out", tmp_path / "run")
    assert command.sentence(*given, "--coordinator", "auto") == (
        "--coordinator auto finds no cluster here (SLURM, Open MPI, Kubernetes or Cloud TPU); "
        "name --coordinator HOST:PORT, --processes and --process"
    )
    assert not (tmp_path / "run").exists()


def test_no_process_0_and_no_other_process_are_sentences_in_time():
    port = free_port()
    address = f"127.0.0.1:{port}"
    began = time.monotonic()
    with pytest.raises(BadInput, match=f"no process 0 answers at --coordinator {address} within 1"):
        rendezvous.meet(address, 2, 1, 1)
    with pytest.raises(BadInput, match=f"of 3 processes, 1, 2 did not come to port {port} in time"):
        rendezvous.meet(address, 3, 0, 1)
    assert time.monotonic() - began < 10
    with (
        socket.create_server(("", port)),
        pytest.raises(BadInput, match=f"port {port} of --coordinator cannot be used: Address"),
    ):
        rendezvous.meet(address, 2, 0, 1)


def meeting(*places, processes):
    """Lets processes, as threads, meet; returns the sentences that they end in, None if well."""
    address, found = f"127.0.0.1:{free_port()}", {}

    def come(i, place, count):
        try:
            rendezvous.meet(address, count, place, 20)
            found[i] = None
        except BadInput as error:
            found[i] = str(error)

    threads = [
        threading.Thread(target=come, args=(i, *each))
        for i, each in enumerate(zip(places, processes, strict=True))
    ]
    for thread in threads:
        thread.start()
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    return [found[i] for i in range(len(places))]


def test_processes_meet_in_any_order_and_a_stranger_is_passed_over():
    assert meeting(2, 1, 0, processes=(3, 3, 3)) == [None] * 3
    port = free_port()
    other = threading.Thread(target=rendezvous.meet, args=(f"127.0.0.1:{port}", 2, 0, 20))
    other.start()
    for said in (b"", b"GET / HTTP/1.1\n"):
        time.sleep(0.2)
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.sendall(said)
    rendezvous.meet(f"127.0.0.1:{port}", 2, 1, 20)
    other.join()


def test_processes_that_do_not_fit_together_all_say_so():
    sentence = "process 0 has --processes 2, process 1 has 3; give all the same"
    assert meeting(0, 1, processes=(2, 3)) == [sentence] * 2
    sentence = "two processes have --process 1; give each its own"
    assert meeting(0, 1, 1, processes=(3, 3, 3)) == [sentence] * 3


def test_alone_nothing_is_asked_of_others():
    with distributed.joined(None, None, None, 1):
        assert distributed.exchange(b"x") == [b"x"]
        done = []
        distributed.first(lambda: done.append(3))
        assert done == [distributed.together(lambda: 3)] == [3]
        distributed.same({"data": "x"})
