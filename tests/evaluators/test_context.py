"""The largest inputs that fit a context, against brute force; and what answers cost."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clrs_text_bench import registry, tasks, tokenizers
from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import leaderboard
from clrs_text_bench.evaluators.context import cost, renderings, report, search, writing
from clrs_text_bench.evaluators.context.renderings import Renderings, Tokens
from clrs_text_bench.evaluators.context.search import BEHIND, Largest, largest
from clrs_text_bench.evaluators.plots import style
from clrs_text_bench.generators import generate_batch

from . import fake_results


@given(
    scale=st.floats(0.1, 50),
    power=st.floats(0.3, 3),
    constant=st.integers(0, 40),
    context=st.integers(1, 3000),
    smallest=st.integers(1, 5),
)
def test_of_growing_numbers_it_is_the_very_largest(scale, power, constant, context, smallest):
    def tokens(size):
        return constant + scale * size**power if size < 4000 else 10**9

    fitting = [n for n in range(smallest, 4001) if tokens(n) <= context]
    assert largest(tokens, context, smallest) == Largest(max(fitting, default=0), False)


@given(seed=st.integers(0, 10**6), noise=st.integers(0, 60), context=st.integers(10, 400))
def test_of_any_numbers_it_fits_and_those_behind_do_not(seed, noise, context):
    jitter = np.random.default_rng(seed).integers(0, noise + 1, 2000)

    def tokens(size):
        return 3 * size + int(jitter[size])

    found = largest(tokens, context, 2)
    assert not found.at_least
    if found.size == 0:
        assert tokens(2) > context
    else:
        assert tokens(found.size) <= context
        assert all(tokens(found.size + k) > context for k in range(1, BEHIND + 1))


@given(most=st.integers(2, 500), context=st.integers(10, 2000))
def test_what_is_not_tried_is_said(most, context):
    asked = []

    def tokens(size):
        asked.append(size)
        return 4 * size if size <= most else None

    found = largest(tokens, context, 2)
    if 4 * (most + 1) > context and not found.at_least:
        assert found.size == context // 4
    else:
        assert found.at_least
        assert found.size <= min(most, context // 4)
        assert found.size >= min(most, context // 4) * 0.8 - 1
    # Far fewer than all sizes are tried.
    assert len(set(asked)) < 60


def test_the_smallest_may_not_fit_or_not_be_tried():
    assert largest(lambda size: 100.0, context=99, smallest=4) == Largest(0, False)
    assert largest(lambda size: None, context=99, smallest=4) == Largest(0, True)


class FakeEngine:
    """Samples whose text is `3 * size + index` characters long, and their blank line."""

    version = "fake 1"
    batch = 10
    made = ()

    def generate(self, algorithm, length, *, indices, use_hints, **_):
        if length > 300:
            raise BadInput("hardly any larger draw keeps its conditions")
        FakeEngine.made = (*FakeEngine.made, (algorithm, use_hints, length))
        questions = ["x" * (3 * length * (2 if use_hints else 1) + int(i)) for i in indices]
        steps = pa.array([length] * len(indices), pa.int32())
        answers = ["\n\n"] * len(indices)
        return pa.table({"question": questions, "answer": answers, "n_steps": steps})


@pytest.fixture
def fake(monkeypatch):
    load = registry.load

    def of_fakes(group, name):
        return FakeEngine if group == "generators" else load(group, name)

    monkeypatch.setattr(report.registry, "load", of_fakes)
    monkeypatch.setattr(FakeEngine, "made", ())


def of_engine(engine, **options):
    options = {"use_hints": False, "samples": 3, "seed": 0} | options
    chosen = {name: tokenizers.get(name) for name in ("char", "compact")}
    return Renderings(engine, "minimum", tokenizers=chosen, **options)


def test_tokens_are_the_samples_median_and_maximum():
    found = of_engine(FakeEngine())
    # 30, 31 and 32 characters, and the blank line's one token.
    assert found.tokens(10)["char"] == Tokens(median=32.0, maximum=33)
    assert found.smallest == tasks.get("minimum").min_length


def test_larger_sizes_are_not_tried_for_a_reason(monkeypatch):
    found = of_engine(FakeEngine())
    assert found.tokens(301) == "draws"
    assert found.tokens((1 << 17) + 1) == "size"
    assert found.limit(5) == "draws"
    assert found.limit(301) == "size"
    monkeypatch.setattr(renderings, "_BYTES", 3 * 4 * 3 * 300)
    assert of_engine(FakeEngine()).tokens(299) == "memory"
    assert isinstance(of_engine(FakeEngine()).tokens(99), dict)
    # A trace has as many steps as the size, of several arrays each.
    assert of_engine(FakeEngine(), use_hints=True).tokens(99) == "memory"


def test_times_are_foreseen_from_smaller_sizes(monkeypatch):
    clock = iter([0.0, 1.0, 1.0, 5.0])
    monkeypatch.setattr(renderings.time, "process_time", lambda: next(clock))
    found = of_engine(FakeEngine())
    found.tokens(10)  # took 1 second; until told otherwise, eight for twice as much
    assert found.tokens(22) == "time"
    found.tokens(20)  # took 4: it grows as the square
    assert found._foreseen(30) == pytest.approx(9)
    assert found.tokens(32) == "time"


@pytest.mark.parametrize(
    ("algorithm", "mode"), [("bfs", "plain"), ("minimum", "traced"), ("insertion_sort", "plain")]
)
def test_sizes_of_real_samples_are_those_of_brute_force(algorithm, mode, tmp_path):
    asked = report.Asked((algorithm,), ("char", "compact"), (70, 160), samples=3)
    rows = report.largest_sizes(asked, leaderboard.results_folder(tmp_path), show=False)
    rows = rows[rows["mode"] == mode].to_dict("records")
    assert [(r["tokenizer"], r["context"]) for r in rows] == [
        *(("char", 70), ("char", 160), ("compact", 70), ("compact", 160)),
    ]
    counts = {}
    for size in range(2, 100):
        table = generate_batch(
            algorithm, size, count=3, split="context", use_hints=mode == "traced"
        )
        texts = [*zip(table["question"].to_pylist(), table["answer"].to_pylist(), strict=True)]
        for name in asked.tokenizers:
            encode = tokenizers.get(name).encode
            counts[name, size] = [len(encode(q)) + len(encode(a)) for q, a in texts]
    for row in rows:
        for statistic, of in (("median", np.median), ("maximum", np.max)):
            size, context = row[f"size_{statistic}"], row["context"]
            assert not row[f"at_least_{statistic}"]
            if size:
                assert of(counts[row["tokenizer"], size]) <= context
                assert of(counts[row["tokenizer"], size]) == row[f"tokens_{statistic}"]
            for behind in range(max(size, 1) + 1, size + 1 + BEHIND):
                assert of(counts[row["tokenizer"], behind]) > context
            fitting = [n for n in range(2, 100) if of(counts[row["tokenizer"], n]) <= context]
            assert size in fitting[-2:] or (size < 2 and not fitting)


def test_a_run_goes_on_where_it_was(fake, monkeypatch, tmp_path):
    asked = report.Asked(("minimum", "bfs"), ("char",), (100, 500), samples=3)
    out = leaderboard.results_folder(tmp_path)
    original = Renderings.__init__

    def interrupted(self, engine, algorithm, **options):
        if algorithm == "bfs":
            raise KeyboardInterrupt
        original(self, engine, algorithm, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Renderings, "__init__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            report.largest_sizes(asked, out, show=False)
    first = FakeEngine.made
    assert {algorithm for algorithm, *_ in first} == {"minimum"}
    found = report.largest_sizes(asked, out, show=False)
    assert {algorithm for algorithm, *_ in FakeEngine.made[len(first) :]} == {"bfs"}
    whole = report.largest_sizes(asked, leaderboard.results_folder(tmp_path / "b"), show=False)
    pd.testing.assert_frame_equal(found, whole)
    # Another question is not answered by these parts.
    other = report.Asked(("minimum",), ("char",), (100,), samples=4)
    before = len(FakeEngine.made)
    report.largest_sizes(other, out, show=False)
    assert len(FakeEngine.made) > before


@pytest.fixture
def asked(tmp_path):
    """The command over two algorithms, of the fake engine."""
    algorithms = ("-a", "minimum", "-a", "segments_intersect")
    return ("context", *algorithms, "--contexts", "2000,100", "-n", "3", "--out", tmp_path / "out")


def test_the_command_writes_tables_and_figures(run, fake, asked, tmp_path):
    code, output, log = run(*asked, "-l", "2,8", "--tokenizer", "char")
    assert code == 0
    title, header, *rows, _ = output.splitlines()
    assert title == "the largest input that fits a context"
    assert header.split()[:3] == ["algorithm", "mode", "tokenizer"]
    # Of three samples the middle one has 3 n + 2 tokens, twice as many with a trace.
    # Sizes beyond 300 are not drawn, and the search beside them is coarse.
    assert [row.split() for row in rows] == [
        ["minimum", "plain", "char", "32", "≥", "288"],
        ["minimum", "traced", "char", "16", "≥", "288"],
        ["segments_intersect", "plain", "char", "32", "≥", "288"],
    ]
    made = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*")}
    assert made == {
        *("context.parquet", "cost.parquet", "figures/context.png", "figures/context.svg"),
    }
    table = pq.read_table(tmp_path / "out" / "context.parquet")
    assert table["limit_median"].to_pylist() == ["", "draws"] * 3
    (made,) = table.schema.metadata.values()
    assert {"command", "versions", "git_commit", "created"} == set(json.loads(made))
    costs = pq.read_table(tmp_path / "out" / "cost.parquet").to_pandas()
    assert costs[["algorithm", "length", "solver_steps"]].to_numpy().tolist() == [
        ["minimum", 2, 2.0],
        ["minimum", 8, 8.0],
        ["segments_intersect", 2, 2.0],
        ["segments_intersect", 8, 8.0],
    ]
    assert (costs["solver_seconds"] > 0).all()
    assert str(tmp_path / "out" / "context.parquet") in log


def test_every_format_says_the_same(run, fake, asked, monkeypatch):
    monkeypatch.setattr(writing, "write", lambda *_: [])
    records = json.loads(run(*asked, "--format", "json")[1])
    rows = list(csv.DictReader(io.StringIO(run(*asked, "--format", "csv")[1])))
    assert [row["size_median"] for row in rows] == [str(r["size_median"]) for r in records]
    markdown = run(*asked, "--format", "md")[1].splitlines()
    assert markdown[0] == "| algorithm | mode | tokenizer | 100 tokens | 2,000 tokens |"
    assert len(markdown) == 2 + 6


def test_the_figure_has_a_point_for_every_context(fake, tmp_path):
    from clrs_text_bench.evaluators.context.figure import figure

    asked = report.Asked(("minimum", "bfs"), ("char", "compact"), (100, 2000), samples=3)
    rows = report.largest_sizes(asked, leaderboard.results_folder(tmp_path), show=False)
    with style.applied():
        drawn = figure(rows)
    for axes, mode in zip(drawn.axes, ("plain", "traced"), strict=True):
        part = rows[rows["mode"] == mode]
        points = sorted(c.get_offsets()[0, 0] for c in axes.collections)
        assert points == sorted(part["size_median"])
    assert [t.get_text() for t in drawn.axes[0].get_yticklabels()] == ["minimum", "bfs"]
    labels = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert labels == ["100 tokens", "2,000 tokens", "char", "compact", "hollow: at least"]


def test_costs_stand_beside_those_of_models(tmp_path):
    settings = json.dumps({"tokenizer": "char"})
    cells = [("minimum", 4), ("minimum", 8)]
    shared = {"cells": cells, "n": 10, "seconds": 5.0, "n_tokens": 40, "n_parameters": 1000}
    board = leaderboard.frame_of(
        [
            fake_results.run("net", settings=settings, train_seed=0, checkpoint="a", **shared),
            fake_results.run("net", settings=settings, train_seed=1, checkpoint="b", **shared),
            fake_results.run("llm", cells=cells[:1], n=10, seconds=20.0, n_tokens=None),
            fake_results.run("solver", spec="solver", cells=cells, seconds=1.0),
        ]
    )
    found = cost.costs(["minimum"], [4, 16], board, show=False)
    assert list(found.columns) == list(cost.COLUMNS)
    assert found[["length", "model"]].fillna("").to_numpy().tolist() == [
        [4, "net"],
        [4, "llm"],
        [8, "net"],
        [16, ""],
    ]
    net, llm, *_ = found.to_dict("records")
    questions = generate_batch("minimum", 4, count=32, split="cost")["question"].to_pylist()
    mean = np.mean([len(q) for q in questions])
    assert net["question_tokens"] == pytest.approx(mean)
    assert net["model_seconds"] == 0.5
    assert net["answer_tokens"] == 4
    assert net["model_operations"] == pytest.approx(2 * 1000 * (mean + 4))
    assert llm["model_seconds"] == 2.0
    assert np.isnan(llm["model_operations"])
    assert found["solver_steps"].tolist() == [4, 4, 8, 16]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-a", "bsf"], "did you mean 'bfs'"),
        (["--tokenizer", "chr"], "did you mean 'char'"),
        (["--contexts", "2k"], "--contexts '2k' is not like 2048,8192"),
        (["--contexts", "0"], "is not like 2048,8192"),
        (["--samples", "0"], "0 is not in the range"),
        (["-l", "8-4"], "runs backwards; write 4-8"),
        (["--results", "{tmp}"], "holds no leaderboard"),
    ],
)
def test_bad_input_is_one_sentence(run, fake, tmp_path, arguments, message):
    given_ = [a.format(tmp=tmp_path) for a in arguments]
    code, output, log = run("context", *given_, "--out", tmp_path / "out")
    assert (code, output) == (2, "")
    assert message in log.splitlines()[-1]
    assert FakeEngine.made == ()


def test_the_search_is_documented_by_a_true_example():
    import doctest

    assert doctest.testmod(search).failed == 0
