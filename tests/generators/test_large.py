"""Large sizes: what fits is made, what does not is refused before it is tried."""

import os
import re
import time

import numpy as np
import pytest

from clrs_text_bench import graph, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.generators import generate_batch, room, stream
from clrs_text_bench.recipes import Cell

from .. import command
from . import orders
from .orders import recipe, split

GIGABYTE = 10**9
CLRS30 = tasks.by_plugin()["clrs30"]


@pytest.fixture
def little(monkeypatch):
    """A machine with a hundred megabytes to spare."""
    monkeypatch.setattr(room, "available", lambda: GIGABYTE // 10)


def refusal(function, *arguments, **options):
    """Returns the sentence that something is refused with, and checks that it came soon."""
    began = time.monotonic()
    with pytest.raises(BadInput) as error:
        function(*arguments, **options)
    assert time.monotonic() - began < 20  # a compilation, at most
    assert "\n" not in str(error.value)
    return str(error.value)


def cell(algorithm, length):
    return Cell("train", algorithm, length, 1, (0,))


def test_graphs_that_do_not_fit_are_refused(little):
    assert generate_batch("bfs", 64, count=100).num_rows == 100
    sentence = refusal(generate_batch, "bfs", 64, count=2000)
    assert sentence == (
        "2,000 samples of bfs at length 64 would need about 0.3 GB of memory, and 0.1 GB are free; "
        "ask for fewer samples or a smaller length"
    )


def test_a_trace_that_does_not_fit_is_refused(little):
    """Its steps are counted, as their bound alone would refuse floyd_warshall, too."""
    sentence = refusal(generate_batch, "bubble_sort", 256, count=1, use_hints=True)
    assert re.fullmatch(
        r"one sample of bubble_sort at length 256 with hints would need about 0\.\d GB of memory, "
        r"and 0\.1 GB are free; ask for no hints or a smaller length",
        sentence,
    )
    name, length = "floyd_warshall", 64
    bound = room.most_steps(name, length) * graph.size(name, length, "hint") * 4
    assert bound > room.available()
    (row,) = generate_batch(name, length, count=1, use_hints=True).to_pylist()
    assert row["n_steps"] == 64


def test_without_hints_the_same_length_is_made(little):
    assert generate_batch("bubble_sort", 256, count=1)["n_steps"][0].as_py() > 30_000


def test_columns_that_arrow_cannot_hold_are_refused():
    sentence = refusal(generate_batch, "bfs", 512, count=10_000)
    assert sentence == (
        "the graphs of 10,000 samples of bfs at length 512 do not fit into one table, whose "
        "columns hold 2,147,483,647 values; ask for fewer samples or a smaller length"
    )
    assert "smaller length" in refusal(generate_batch, "bfs", 100_000, count=1)


def test_one_enormous_trace_is_refused():
    sentence = refusal(generate_batch, "bridges", 2000, count=1, use_hints=True)
    assert sentence.startswith("the hints of one sample of bridges at length 2000 with hints do ")
    assert sentence.endswith("ask for no hints or a smaller length")
    sentence = refusal(
        generate_batch, "bubble_sort", 2000, count=1, use_hints=True, graph_hints=False
    )
    assert sentence.startswith("the answers of one sample of bubble_sort at length 2000 with hints")


def test_several_processes_need_room_at_once(monkeypatch):
    monkeypatch.setattr(room, "available", lambda: GIGABYTE // 250)
    one = {"use_hints": False, "graph_hints": False, "engine": "native"}
    room.check(cell("bfs", 64), 12, **one)
    sentence = refusal(room.check, cell("bfs", 64), 12, **one, at_once=8)
    assert "12 samples of bfs at length 64 in each of 8 processes would need" in sentence
    assert sentence.endswith("ask for fewer samples or fewer workers or a smaller length")


def test_a_data_set_is_refused_before_anything_is_written(little, tmp_path):
    order = orders.order(split("train", [512], 1, algorithms=["bridges"]), engine="native")
    hinted = orders.order(
        split("train", [512], 1, algorithms=["bridges"]), engine="native", hints=True
    )
    sentence = refusal(orders.make, hinted, tmp_path / "data")
    assert "one sample of bridges at length 512 with hints" in sentence
    assert not (tmp_path / "data").exists()
    assert orders.make(order, tmp_path / "data").cells()[0].count == 1
    before = orders.digests(orders.make(order, tmp_path / "data", resume=True))
    refusal(orders.make, hinted, tmp_path / "data", overwrite=True)
    assert orders.digests(orders.make(order, tmp_path / "data", resume=True)) == before


def test_the_command_line_says_so(tmp_path):
    sentence = command.sentence(
        "generate", "-a", "bridges", "-l", "2000", "-n", "1", "--hints", "--out", tmp_path / "data"
    )
    assert "one sample of bridges at length 2000 with hints" in sentence
    assert not (tmp_path / "data").exists()


def test_a_stream_whose_batches_do_not_fit_is_refused(little):
    large = recipe(split("train", [64], 10, algorithms=["bfs", "minimum"]))
    batches = stream(large, 64)
    assert next(batches).num_rows == 64
    batches.close()
    assert "samples of bfs at length 64 would need" in refusal(stream, large, 4096)


def test_other_engines_are_asked_in_the_same_way(toy, little):
    (row,) = generate_batch("minimum", 400, count=1, use_hints=True, engine=toy).to_pylist()
    assert row["length"] == 400


def test_available_memory_is_what_the_machine_has():
    assert 2**20 < room.available() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_a_containers_limit_counts(monkeypatch, tmp_path):
    (tmp_path / "limit").write_text("123456\n")
    (tmp_path / "none").write_text("max\n")
    monkeypatch.setattr(room, "_GROUP_LIMITS", [str(tmp_path / n) for n in ("none", "limit", "x")])
    assert room.available() == 123456
    monkeypatch.setattr(room, "_GROUP_LIMITS", [str(tmp_path / "none")])
    assert room.available() > 123456


def test_estimates_are_near_what_is_made():
    """Within a factor of four, of what the tables take."""
    for name in ("bfs", "bridges", "floyd_warshall", "insertion_sort"):
        table = generate_batch(name, 32, count=20, use_hints=True)
        steps = int(np.mean(table["n_steps"].to_numpy()))
        about = 20 * room.row_bytes(name, 32, True, True, steps)
        assert 0.25 < about / table.nbytes < 4, (name, about, table.nbytes)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLRS30)
def test_every_algorithm_runs_at_length_64(name):
    table = generate_batch(name, 64, count=20)
    assert table.num_rows == 20
    n = tasks.get(name).n_nodes(64)
    for row in table.slice(0, 3).to_pylist():
        assert row["n_steps"] >= 1
        outputs = graph.unpack(name, 64, np.array(row["graph_outputs"], np.float32), "output")
        for probe in tasks.get(name).stage("output"):
            assert outputs[probe.name].shape == probe.shape(n)
        assert row["answer"].endswith("\n\n")


@pytest.mark.slow
@pytest.mark.parametrize("name", CLRS30)
def test_every_algorithm_runs_at_length_64_with_hints(name):
    table = generate_batch(name, 64, count=2, use_hints=True)
    plain = generate_batch(name, 64, count=2)
    assert table["n_steps"].to_pylist() == plain["n_steps"].to_pylist()
    assert table["graph_outputs"].equals(plain["graph_outputs"])
    size = graph.size(name, 64, "hint")
    lengths = [len(h) for h in table["graph_hints"].to_pylist()]
    assert lengths == [size * steps for steps in plain["n_steps"].to_pylist()]
