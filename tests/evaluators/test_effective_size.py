import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import effective_size as effective
from clrs_text_bench.evaluators import leaderboard
from clrs_text_bench.evaluators.effective_size import EffectiveSize, effective_size
from clrs_text_bench.evaluators.plots import curves, style

from . import fake_results


@pytest.mark.parametrize(
    ("scores", "trained", "share", "expected"),
    [
        # The in-distribution score is 0.8: lengths count down to 0.4, and it falls below at 20.
        ({4: 0.9, 8: 0.7, 12: 0.6, 16: 0.4, 20: 0.39}, (4, 8), 0.5, (16, False)),
        ({4: 0.9, 8: 0.7, 12: 0.6, 16: 0.4, 20: 0.39}, (4, 8), 0.9, (4, False)),
        # What comes after a length that fails does not count.
        ({4: 1.0, 8: 1.0, 12: 0.1, 16: 1.0}, (4, 8), 0.5, (8, False)),
        # Nor does a trained length behind an untrained one that fails.
        ({4: 1.0, 8: 1.0, 10: 0.1, 12: 1.0}, (4, 8, 12), 0.5, (8, False)),
        ({4: 1.0, 8: 1.0, 10: 0.5, 12: 1.0, 14: 0.0}, (4, 8, 12), 0.5, (12, False)),
        # Of trained lengths only 12 was tested, and 10 lies within their range.
        ({10: 0.1, 12: 1.0, 14: 1.0}, (4, 8, 12), 0.5, (0, False)),
        # All that was tested is kept: it may reach further.
        ({4: 1.0, 8: 0.8, 16: 0.45}, (4, 8), 0.5, (16, True)),
        ({4: 0.7, 8: 0.7, 12: 0.7}, (4, 8, 12), 1.0, (12, True)),
        # Lengths below those trained on are left out.
        ({3: 0.0, 4: 1.0, 8: 0.6, 16: 0.0}, (4,), 0.5, (8, False)),
        # There is nothing to keep, and 0 is not kept.
        ({4: 0.0, 8: 0.0, 16: 0.0}, (4, 8), 0.5, (0, False)),
    ],
)
def test_sizes_by_hand(scores, trained, share, expected):
    assert effective_size(scores, trained, share) == expected
    assert effective_size(dict(reversed(scores.items())), trained, share) == expected


@pytest.mark.parametrize("trained", [(), (5, 6)])
def test_without_a_tested_trained_length_there_is_none(trained):
    assert effective_size({4: 1.0, 8: 1.0}, trained) is None


SCORES = st.dictionaries(st.integers(1, 30), st.floats(0, 1), min_size=1)


@given(scores=SCORES, trained=st.sets(st.integers(1, 20), min_size=1), data=st.data())
def test_a_size_is_the_largest_that_counts(scores, trained, data):
    share = data.draw(st.sampled_from([0.25, 0.5, 1.0]))
    found = effective_size(scores, trained, share)
    inside = [scores[n] for n in scores if n in trained]
    if not inside:
        assert found is None
        return
    level = sum(inside) / len(inside)
    tested = [n for n in scores if n >= min(trained)]
    counts = [
        n
        for n in tested
        if level > 0 and all(scores[m] >= share * level - 1e-9 for m in tested if m <= n)
    ]
    assert found.size == max(counts, default=0)
    assert found.at_least == (len(counts) == len(tested))


@given(scores=SCORES, shares=st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)))
def test_a_larger_share_never_reaches_further(scores, shares):
    trained = sorted(scores)[:2]
    low, high = (effective_size(scores, trained, share) for share in sorted(shares))
    assert high <= low


def test_medians_are_tested_lengths():
    sizes = [EffectiveSize(*s) for s in [(8, False), (0, False), (16, True), (16, False)]]
    assert effective.median(sizes) == (8, False)
    assert effective.median(sizes[2:]) == (16, False)
    assert str(effective.median(sizes[2:3])) == "≥ 16"
    assert str(effective.median(sizes[1:2])) == "none"


LENGTHS = (4, 8, 12, 16)
TABLE = {
    "bfs": (1.0, 0.8, 0.5, 0.3),
    "dfs": (0.5, 0.5, 0.2, 0.5),
    "minimum": (0.4, 0.4, 0.4, 0.4),
    "insertion_sort": (0.0, 0.0, 0.0, 0.0),
}


def net(model="net", **columns):
    return fake_results.run(
        model,
        cells=[(a, n) for a in TABLE for n in LENGTHS],
        score=lambda a, n: TABLE[a][LENGTHS.index(n)],
        **{"train_lengths": (4, 8), "train_seed": 0} | columns,
    )


def frame(*runs):
    return leaderboard.frame_of(runs)


def by_algorithm(found, entry):
    rows = found[found["entry"] == entry].set_index("algorithm")
    return {a: (row["effective_size"], row["at_least"]) for a, row in rows.iterrows()}


def test_sizes_of_a_leaderboard():
    untrained = fake_results.run("llm", cells=[("bfs", n) for n in LENGTHS])
    found = effective.sizes(frame(net(), untrained), "clrs")
    assert by_algorithm(found, "net") == {
        "bfs": (12, False),
        "dfs": (8, False),
        "minimum": (16, True),
        "insertion_sort": (0, False),
    }
    assert by_algorithm(found, "llm") == {}
    levels = found.set_index("algorithm")["in_distribution"]
    assert levels.to_dict() == pytest.approx(
        {"bfs": 0.9, "dfs": 0.5, "minimum": 0.4, "insertion_sort": 0.0}
    )


def test_seeds_are_averaged_before():
    # Alone, these reach 4 and 12; their mean is 1.0, 0.6, 0.6.
    scores = {0: (1.0, 0.2, 0.4), 1: (1.0, 1.0, 0.8)}
    runs = [
        fake_results.run(
            "net",
            cells=[("bfs", n) for n in (4, 8, 12)],
            score=lambda a, n, of=of: of[(4, 8, 12).index(n)],
            train_lengths=(4,),
            train_seed=seed,
            checkpoint=str(seed) * 64,
        )
        for seed, of in scores.items()
    ]
    assert by_algorithm(effective.sizes(frame(*runs), "clrs"), "net") == {"bfs": (12, True)}


def test_nothing_to_measure_against_is_told():
    with pytest.raises(BadInput, match="no model of the leaderboard was tested at a length that"):
        effective.sizes(frame(fake_results.run("llm")), "clrs")
    with pytest.raises(BadInput, match="unknown score 'clr'; did you mean 'clrs'"):
        effective.sizes(frame(net()), "clr")


@pytest.fixture
def results(tmp_path):
    folder = leaderboard.results_folder(tmp_path / "results")
    for rows in (net(), fake_results.run("llm", cells=[("bfs", 4), ("bfs", 8)])):
        leaderboard.append(folder, rows, fake_results.answers(rows))
    return folder.root


def test_the_table(run, results):
    code, output, _ = run("leaderboard", "--results", results, "--effective-size")
    assert code == 0
    title, header, *rows, note = output.splitlines()
    assert title == "effective size by algorithm, clrs"
    assert header.split() == ["algorithm", "llm", "net"]
    assert [" ".join(row.split()) for row in rows] == [
        "insertion_sort - none (0.000)",
        "minimum - ≥ 16 (0.400)",
        "dfs - 8 (0.500)",
        "bfs - 12 (0.900)",
        "all - 8 (0.450)",
    ]
    assert "keeps 50% of the mean score at trained lengths" in note


def test_every_format_says_the_same(run, results):
    asked = ("leaderboard", "--results", results, "--effective-size", "0.9", "--score", "exact")
    _, text, _ = run(*asked, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    records = json.loads(run(*asked, "--format", "json")[1])
    assert [record["algorithm"] for record in records] == [
        *("insertion_sort", "minimum", "dfs", "bfs", "all"),
    ]
    assert [record["effective_size"] for record in records] == [0, 16, 8, 4, 4]
    assert [record["at_least"] for record in records] == [False, True, False, False, False]
    assert {(r["model"], r["score"], r["share"]) for r in records} == {("net", "exact", 0.9)}
    for row, record in zip(rows, records, strict=True):
        assert row == {name: str(value) for name, value in record.items()}
    _, text, _ = run(*asked, "--format", "md")
    assert text.splitlines()[0] == "| algorithm | llm | net |"
    assert text.splitlines()[-1].startswith("| all | - | 4 (0.450) |")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["leaderboard", "--effective-size", "--by", "family"], "their median; leave --by out"),
        (["leaderboard", "--compare", "a", "b", "--effective-size"], "leave --compare out"),
        (["leaderboard", "--effective-size", "0"], "0.0 is not in the range"),
        (["leaderboard", "--effective-size", "1.5"], "1.5 is not in the range"),
        (["leaderboard", "--effective-size", "half"], "'half' is not a valid float"),
        (["leaderboard", "--effective-size", "--model", "llm"], "no model of the leaderboard"),
        (["plot", "bars", "--effective-size", "--out", "x.png"], "is for curves; bars has no"),
    ],
)
def test_bad_input_is_one_sentence(run, results, arguments, message):
    code, output, log = run(*arguments, "--results", results)
    assert (code, output) == (2, "")
    assert message in log.splitlines()[-1]


def rings(axes):
    return {
        c.get_gid(): (c.get_offsets().tolist(), to_hex(c.get_edgecolor()[0]))
        for c in axes.collections
        if (c.get_gid() or "").startswith("effective size")
    }


def test_curves_ring_the_size_of_every_line(run, results, tmp_path):
    board = leaderboard.read(leaderboard.results_folder(results))
    with style.applied():
        figure = curves.figure(board, "clrs", "algorithm", share=0.5)
        plain = curves.figure(board, "clrs", "algorithm")
    panels = {axes.get_title(): rings(axes) for axes in figure.axes}
    color = style.COLORS[1].lower()  # contestants in alphabetical order: llm, net
    assert panels["bfs"] == {"effective size of net": ([[12.0, 0.5]], color)}
    assert panels["dfs"] == {"effective size of net": ([[8.0, 0.5]], color)}
    assert panels["insertion_sort"] == {}
    assert not any(rings(axes) for axes in plain.axes)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[-1] == "ring: 50% of the trained score is kept up to here"
    out = tmp_path / "a.svg"
    code, output, _ = run("plot", "curves", "--results", results, "--effective-size", "--out", out)
    assert (code, output) == (0, f"{out}\n")
    assert "effective size of net" in out.read_text()
