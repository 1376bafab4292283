import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import leaderboard, plots
from clrs_text_bench.evaluators.plots import bars, curves, families, heatmap, style

from . import fake_results

CELLS = [(a, n) for a in ("bfs", "dfs", "minimum") for n in (4, 8, 10, 12, 14)]
TRAINED = (4, 5, 6, 7, 8, 12)


def fall(algorithm, length):
    return {"bfs": 1.0, "dfs": 0.8, "minimum": 0.6}[algorithm] - length / 40


def frame(*runs):
    return leaderboard.frame_of(runs)


@pytest.fixture
def story():
    return frame(
        fake_results.run("net", cells=CELLS, score=fall, train_lengths=TRAINED, train_seed=0),
        fake_results.run("llm", cells=CELLS, score=lambda a, n: 0.3),
        fake_results.run("solver", spec="solver", cells=CELLS, score=lambda a, n: 1.0, width=0),
        fake_results.run("majority", spec="majority", cells=CELLS, score=lambda a, n: 0.1),
    )


@pytest.fixture
def realistic():
    return frame(*fake_results.realistic())


@pytest.fixture(autouse=True)
def _styled():
    with style.applied():
        yield


def lines(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def spans(axes):
    """The shaded spans of an axes, as (left, right)."""
    found = []
    for patch in axes.patches:
        if to_hex(patch.get_facecolor()) == style.SHADE.lower():
            found.append((patch.get_x(), patch.get_x() + patch.get_width()))
    return found


def test_curves_show_the_mean_over_algorithms_at_each_length(story):
    figure = curves.figure(story, "clrs")
    (axes,) = figure.axes
    net = lines(axes)["net"]
    assert net.get_xdata().tolist() == [4, 8, 10, 12, 14]
    assert net.get_ydata() == pytest.approx([0.8 - n / 40 for n in (4, 8, 10, 12, 14)])
    assert lines(axes)["llm"].get_ydata() == pytest.approx([0.3] * 5)
    assert axes.get_xlabel() == "length"
    assert axes.get_ylabel() == "clrs score"
    assert figure.get_suptitle() == "Size generalisation, mean over 3 algorithms"


def test_curves_shade_the_trained_lengths_and_say_so(story):
    figure = curves.figure(story, "clrs")
    assert spans(figure.axes[0]) == [(3.5, 8.5), (11.5, 12.5)]
    assert "trained lengths (in-distribution)" in legend(figure)


def test_curves_shade_only_what_all_trained_models_share():
    cells = [("bfs", n) for n in (4, 6, 8)]
    runs = [
        fake_results.run(name, cells=cells, train_lengths=lengths)
        for name, lengths in (("a", (4, 5, 6)), ("b", (6, 7, 8)))
    ]
    assert spans(curves.figure(frame(*runs), "clrs").axes[0]) == [(5.5, 6.5)]
    disjoint = [runs[0], fake_results.run("c", cells=cells, train_lengths=(8,))]
    figure = curves.figure(frame(*disjoint), "clrs")
    assert spans(figure.axes[0]) == []
    assert "trained lengths (in-distribution)" not in legend(figure)


def test_curves_hollow_the_points_that_were_not_trained_on(story):
    points = {
        to_hex(c.get_edgecolor()[0]): c
        for c in curves.figure(story, "clrs").axes[0].collections
        if len(c.get_offsets()) == 5
    }
    # Contestants in alphabetical order: llm, net.
    net = points[style.COLORS[1].lower()].get_facecolor()
    hollow = [to_rgb(face) == (1, 1, 1) for face in net]
    assert hollow == [False, False, True, False, True]
    llm = points[style.COLORS[0].lower()].get_facecolor()
    assert {to_hex(face) for face in llm} == {style.COLORS[0].lower()}


def test_curves_draw_intervals_as_bands(story):
    axes = curves.figure(story, "clrs").axes[0]
    bands = [c for c in axes.collections if c.get_alpha() == 0.15]
    assert len(bands) == 2
    (net,) = (b for b in bands if to_hex(b.get_facecolor()[0]) == style.COLORS[1].lower())
    heights = net.get_paths()[0].vertices[:, 1]
    half = 0.05 / np.sqrt(3)
    assert heights.max() == pytest.approx(0.7 + half)
    assert heights.min() == pytest.approx(0.45 - half)


def test_curves_of_several_seeds_draw_their_standard_deviation():
    runs = [
        fake_results.run(
            "net",
            cells=[("bfs", 4), ("bfs", 8)],
            score=lambda a, n, s=seed: 0.4 + 0.1 * s,
            train_seed=seed,
            checkpoint=str(seed),
        )
        for seed in range(3)
    ]
    figure = curves.figure(frame(*runs), "clrs")
    (band,) = (c for c in figure.axes[0].collections if c.get_alpha() == 0.15)
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((0.4, 0.6))
    assert "net (mean of 3 seeds)" in legend(figure)
    assert figure.legends[0].get_title().get_text().endswith("standard deviation over seeds")


def test_missing_answers_are_told_in_the_legend():
    runs = frame(fake_results.run("net", missing=1, incomplete=True), fake_results.run("other"))
    assert legend(curves.figure(runs, "clrs"))[:2] == ["net (answers missing)", "other"]


def test_ceiling_and_floor_are_thin_grey_lines(story):
    figure = curves.figure(story, "clrs")
    grey = [x for x in figure.axes[0].get_lines() if x.get_color() == style.GREY]
    assert [set(np.round(line.get_ydata(), 6)) for line in grey] == [{1.0}, {0.1}]
    assert all(line.get_linewidth() < 1 for line in grey)
    assert {"solver (ceiling)", "majority (floor)"} <= set(legend(figure))


def test_curves_by_algorithm_have_a_panel_for_each(story):
    figure = curves.figure(story, "clrs", by="algorithm")
    panels = {axes.get_title(): axes for axes in figure.axes}
    assert list(panels) == ["minimum", "dfs", "bfs"]  # catalogue order
    net = lines(panels["bfs"])["net"]
    assert net.get_ydata() == pytest.approx([1 - n / 40 for n in (4, 8, 10, 12, 14)])
    assert all(spans(axes) for axes in panels.values())


def test_curves_by_family_average_within_it(story):
    figure = curves.figure(story, "clrs", by="family")
    panels = {axes.get_title(): axes for axes in figure.axes if axes.axison}
    assert list(panels) == ["searching", "graphs"]
    net = lines(panels["graphs"])["net"]
    assert net.get_ydata() == pytest.approx([0.9 - n / 40 for n in (4, 8, 10, 12, 14)])


def heights(axes):
    return {c.get_label(): c[0].get_height() for c in axes.containers if hasattr(c, "patches")}


def test_bars_stand_in_and_out_of_distribution_side_by_side(story):
    figure = bars.figure(story, "clrs")
    (axes,) = figure.axes
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert labels == ["minimum", "dfs", "bfs"]
    drawn = [c for c in axes.containers if hasattr(c, "patches")]
    near_bfs = {c.get_label(): c[0] for c in drawn if 1.5 < c[0].get_x() < 2.5}
    inside, outside = (near_bfs[f"net, {r}"] for r in ("in-distribution", "out of distribution"))
    assert inside.get_height() == pytest.approx(1 - (4 + 8 + 12) / 3 / 40)
    assert outside.get_height() == pytest.approx(1 - (10 + 14) / 2 / 40)
    assert inside.get_x() < outside.get_x()
    assert not inside.get_hatch()
    assert outside.get_hatch()
    assert near_bfs["llm, no train lengths"].get_height() == pytest.approx(0.3)
    assert {"in-distribution", "out of distribution", "no train lengths"} <= set(legend(figure))


def test_a_trained_floor_is_one_line_and_shades_nothing():
    cells = [("bfs", 4), ("bfs", 8)]
    floor = fake_results.run(
        "majority",
        spec="majority",
        cells=cells,
        score=lambda a, n: 0.1 * n,
        train_lengths=(4,),
    )
    runs = frame(floor, fake_results.run("llm", cells=cells))
    (drawn,) = [
        c
        for c in bars.figure(runs, "clrs").axes[0].collections
        if len(c.get_paths()) == 1 and to_hex(c.get_color()[0]) == style.GREY.lower()
    ]
    assert drawn.get_paths()[0].vertices[:, 1].tolist() == pytest.approx([0.6, 0.6])
    figure = curves.figure(runs, "clrs")
    assert spans(figure.axes[0]) == []
    assert "hollow: length not trained on" not in legend(figure)


def test_bars_break_into_rows_by_family(realistic):
    figure = bars.figure(realistic, "clrs")
    names = [t.get_text().replace("\n", "") for a in figure.axes for t in a.get_xticklabels()]
    assert sorted(names) == sorted(fake_results.ALGORITHMS)
    assert len(figure.axes) > 1
    assert {"sorting", "divide and conquer", "graphs"} <= {
        t.get_text() for a in figure.axes for t in a.texts
    }


def test_families_show_every_regime(story):
    figure = families.figure(story, "clrs")
    panels = {axes.get_title(): axes for axes in figure.axes}
    assert list(panels) == ["searching (1 algorithm)", "graphs (2 algorithms)"]
    axes = panels["graphs (2 algorithms)"]
    ticks = [text.get_text() for text in axes.get_xticklabels()]
    assert ticks == ["in-dist.", "interp.", "extrap.", "no train\nlengths"]
    drawn = [c[0] for c in axes.containers if hasattr(c, "patches")]
    found = {round(b.get_x() + b.get_width() / 2): b.get_height() for b in drawn}
    assert found == pytest.approx(
        {0: 0.9 - 24 / 3 / 40, 1: 0.9 - 10 / 40, 2: 0.9 - 14 / 40, 3: 0.3}
    )


def test_heatmap_has_a_panel_for_each_contestant(story):
    figure = heatmap.figure(story, "clrs")
    panels = {axes.get_title(): axes for axes in figure.axes if axes.images}
    assert list(panels) == ["llm", "net"]
    axes = panels["net"]
    rows = [t.get_text() for t in panels["llm"].get_yticklabels()]
    assert rows == ["minimum", "dfs", "bfs"]
    values = axes.images[0].get_array()
    expected = [[fall(a, n) for n in (4, 8, 10, 12, 14)] for a in ("minimum", "dfs", "bfs")]
    assert np.asarray(values) == pytest.approx(np.array(expected))
    weights = [t.get_fontweight() for t in axes.get_xticklabels()]
    assert weights == ["bold", "bold", "normal", "bold", "normal"]
    assert "0.90" in {t.get_text() for t in axes.texts}
    assert "0.65" in {t.get_text() for t in axes.texts}


def test_heatmap_leaves_cells_without_scores_empty():
    runs = frame(fake_results.run("net", cells=[("bfs", 4), ("dfs", 8)]))
    values = heatmap.figure(runs, "clrs").axes[0].images[0].get_array()
    assert np.ma.getmaskarray(np.ma.masked_invalid(values)).tolist() == [
        [True, False],
        [False, True],
    ]


FIGURES = {
    "curves": curves.figure,
    "bars": bars.figure,
    "families": families.figure,
    "heatmap": heatmap.figure,
}


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(
    "runs",
    [
        [fake_results.run("solver", spec="solver")],
        [fake_results.run("net", cells=[("bfs", 4)])],
        [fake_results.run("net", cells=[("bfs", 4)], train_lengths=(64,))],
        [fake_results.run(f"model {i:02}", train_lengths=(4,)) for i in range(14)],
    ],
    ids=["only-solver", "one-cell", "far-from-trained", "fourteen-models"],
)
def test_odd_leaderboards_can_be_drawn(name, runs, tmp_path):
    (path,) = plots.draw(name, frame(*runs), "clrs", tmp_path / "figure.svg")
    assert path.stat().st_size > 1000


def test_fourteen_models_look_different(story):
    runs = frame(*(fake_results.run(f"model {i:02}") for i in range(14)))
    figure = curves.figure(runs, "clrs")
    looks = {(x.get_color(), x.get_linestyle()) for x in lines(figure.axes[0]).values()}
    assert len(looks) == 14


@pytest.mark.parametrize("name", FIGURES)
def test_names_are_shown_as_they_are(name, tmp_path):
    hostile = ["$x^2$", "_hidden", "a\x1b[31mb", "<svg onload=1>", "very " * 40]
    runs = frame(*(fake_results.run(model, train_lengths=(4,)) for model in hostile))
    (path,) = plots.draw(name, runs, "clrs", tmp_path / "figure.svg")
    assert b"\x1b" not in path.read_bytes()
    figure = FIGURES[name](runs, "clrs")
    if figure.legends:
        shown = legend(figure)
        assert {"$x^2$", " _hidden", "a�[31mb", "<svg onload=1>"} <= set(shown)
        assert max(map(len, shown)) < 60


@pytest.mark.parametrize("name", FIGURES)
def test_legends_and_titles_stay_within_the_figure(name, realistic):
    figure = FIGURES[name](realistic, "clrs")
    figure.draw_without_rendering()
    whole = figure.bbox
    for drawn in figure.legends:
        box = drawn.get_window_extent()
        assert box.x0 >= whole.x0
        assert box.x1 <= whole.x1
        assert not any(box.overlaps(axes.get_window_extent()) for axes in figure.axes)


def test_the_same_leaderboard_gives_the_same_bytes(story, tmp_path):
    names = ["one", "two"]
    for name in names:
        plots.draw("curves", story, "clrs", tmp_path / name)
    for suffix in (".png", ".svg"):
        first, second = ((tmp_path / f"{name}{suffix}").read_bytes() for name in names)
        assert first == second
    assert b"<dc:date>" not in (tmp_path / "one.svg").read_bytes()


def test_png_is_fit_for_print(story, tmp_path):
    from matplotlib.image import imread

    (path,) = plots.draw("curves", story, "clrs", tmp_path / "figure.png")
    height, width, _ = imread(path).shape
    assert width > 1200
    assert height > 700


@pytest.mark.parametrize(
    ("out", "files"),
    [
        ("a.png", ["a.png"]),
        ("a.svg", ["a.svg"]),
        ("sub/a", ["sub/a.png", "sub/a.svg"]),
        ("folder/", ["folder/curves.png", "folder/curves.svg"]),
        ("there", ["there/curves.png", "there/curves.svg"]),
    ],
)
def test_where_figures_are_written(story, tmp_path, out, files):
    (tmp_path / "there").mkdir()
    written = plots.draw("curves", story, "clrs", f"{tmp_path}/{out}")
    assert [str(path.relative_to(tmp_path)) for path in written] == files
    assert all(path.is_file() for path in written)


@pytest.mark.parametrize(
    ("name", "score", "out", "message"),
    [
        ("curves", "clrs", "a.pdf", "must end in .png or .svg"),
        ("curves", "clr", "a.png", "unknown score 'clr'; did you mean 'clrs'"),
        ("curve", "clrs", "a.png", "unknown figure 'curve'; did you mean 'curves'"),
        ("curves", "clrs", "file/a.png", "cannot write .*file/a.png: "),
    ],
)
def test_what_cannot_be_drawn_is_named(story, tmp_path, name, score, out, message):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match=message):
        plots.draw(name, story, score, tmp_path / out)
    assert not (tmp_path / out).exists()


def test_drawing_leaves_the_users_own_settings_alone():
    code = """
import matplotlib as mpl
mpl.rcParams["font.size"] = 31
from clrs_text_bench.evaluators.plots import style
with style.applied():
    assert mpl.rcParams["font.size"] == 9
assert mpl.rcParams["font.size"] == 31
import sys
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-P", "-c", code], check=True, cwd=Path.home())
