"""Verdicts from made-up measures, and what is drawn and said of them."""

import numpy as np
import pytest
from matplotlib.image import imread

from clrs_text_bench.evaluators.diagnosis import figures, report
from clrs_text_bench.evaluators.diagnosis import verdicts as judging
from clrs_text_bench.evaluators.diagnosis.measures import changes, scores_by_part
from clrs_text_bench.evaluators.diagnosis.verdicts import conclusion, verdicts
from clrs_text_bench.evaluators.evaluate import Evaluation
from clrs_text_bench.evaluators.plots import style

from . import fake_diagnosis as fake
from . import fake_results

SIGNS = [
    "latents not reached",
    "content of latents not read",
    "wrong content in right shapes",
    "good in distribution only",
    "reasoner wrong",
    "reasoner right but not read",
]


def judged(**settings):
    """Returns whether each sign shows, and what is said of it."""
    found = verdicts(fake.measures(**settings))
    assert [one.sign for one in found] == SIGNS
    assert all(one.sentence.endswith(".") for one in found)
    return [one.shows for one in found], [one.sentence for one in found]


def test_a_sound_model_shows_no_sign():
    shows, _ = judged()
    assert shows == [False] * 6
    assert conclusion(verdicts(fake.measures())) == "no sign of failure shows"


def test_small_shares_mean_that_latents_are_not_reached():
    shows, said = judged(shares=(0.002, 0.009), zeros=0.0, shuffled=0.0)
    assert shows[:2] == [True, None]
    assert said[0] == (
        "Latents are not reached: at most 0.9% of a reading layer's output comes from latents, "
        "below 1%."
    )
    assert judged(shares=(0.002, judging.SHARE))[0][0] is False


@pytest.mark.parametrize(
    ("zeros", "half", "shows"),
    [
        (-0.004, 0.001, True),  # an interval without 0, but next to nothing
        (-0.02, 0.03, True),  # an interval with 0
        (-0.02, 0.1, None),  # too few answers
        (-0.02, 0.015, False),
        (0.02, 0.015, False),  # better without them: they are reached all the same
    ],
)
def test_the_same_scores_without_latents_mean_that_they_are_not_reached(zeros, half, shows):
    found, said = judged(zeros=zeros, half=half)
    assert found[0] is shows
    assert ("make no difference" in said[0]) is (shows is True)
    assert ("Too few answers" in said[0]) is (shows is None)
    assert (found[1] is None) is (shows is not False)


def test_latents_of_other_graphs_that_do_as_well_are_not_read():
    shows, said = judged(shuffled=0.001)
    assert shows[:2] == [False, True]
    assert said[1] == (
        "It is read that there are latents, not what they say: with those of another graph clrs "
        "is 0.001 higher [-0.019, +0.021]."
    )


@pytest.mark.parametrize(
    ("shape", "clrs", "shows"),
    [(0.9, 0.44, True), (0.9, 0.46, False), (0.79, 0.1, False)],
)
def test_right_shapes_with_wrong_content(shape, clrs, shows):
    found, said = judged(shape=shape, clrs=clrs)
    assert found[2] is shows
    assert f"{shape:.3f}" in said[2]
    if shape >= 0.8:
        assert f"{clrs / shape:.1%}" in said[2]


@pytest.mark.parametrize(
    ("inside", "outside", "shows"),
    [
        (0.6, 0.29, True),
        (0.6, 0.31, False),
        (0.19, 0.0, False),
        (None, 0.5, None),
        (0.5, None, None),
    ],
)
def test_good_in_distribution_only(inside, outside, shows):
    found, said = judged(inside=inside, outside=outside)
    assert found[3] is shows
    if shows is None:
        lacking = "trained" if inside is None else "other than trained"
        assert said[3] == f"No {lacking} lengths were answered to compare with."


def test_a_reasoner_that_is_wrong_is_told_from_one_that_is_not_read():
    assert judged(clrs=0.3, reasoner=0.1)[0][4:] == [True, True]
    assert judged(clrs=0.3, reasoner=0.0)[0][4:] == [True, False]
    assert judged(clrs=0.3, reasoner=0.5)[0][4:] == [False, True]
    assert judged(clrs=0.5, reasoner=0.09)[0][4:] == [False, False]
    assert judged(clrs=0.5, reasoner=-0.2)[0][4:] == [True, False]


def test_a_tuned_reasoner_may_know_more_than_it_says():
    shows, said = judged(clrs=0.3, reasoner=0.0, tuned=True)
    assert shows[4:] == [None, None]
    assert all("what decodes its own answers was not" in one for one in said[4:])
    assert judged(clrs=0.3, reasoner=0.5, tuned=True)[0][4:] == [False, True]


def test_why_the_reasoner_has_no_scores_is_said():
    shows, said = judged(untold="The reasoner writes no traces.")
    assert shows[4:] == [None, None]
    assert said[4:] == ["The reasoner writes no traces."] * 2


def test_the_conclusion_names_what_shows_and_what_is_not_told():
    found = verdicts(fake.measures(shares=(0.0,), inside=None, clrs=0.1, reasoner=0.5))
    assert conclusion(found) == (
        "signs of failure: latents not reached, wrong content in right shapes, reasoner right but "
        "not read; not told: content of latents not read, good in distribution only"
    )


def test_every_threshold_is_written_down():
    named = {k.lower(): v for k, v in vars(judging).items() if isinstance(v, float)}
    assert named == judging.THRESHOLDS
    assert all(f"`{name.upper()}`" in judging.__doc__ for name in named)


def evaluation(score, cells):
    rows = fake_results.run(cells=cells, score=score, n=50)
    return Evaluation("run", rows, fake_results.answers(rows))


def test_scores_are_averaged_by_part_and_compared_row_by_row():
    cells = [("bfs", 4), ("bfs", 6), ("bfs", 8), ("minimum", 8)]
    true = evaluation(lambda a, n: {4: 1.0, 6: 0.5, 8: 0.0}[n], cells)
    parts = scores_by_part(true, (4, 5, 8))
    assert list(parts) == ["all", "in-distribution", "interpolation", "others"]
    assert parts["all"]["clrs"].mean == pytest.approx((0.5 + 0.0) / 2)
    assert parts["in-distribution"]["clrs"].mean == pytest.approx((0.5 + 0.0) / 2)
    assert parts["others"]["shape"].mean == pytest.approx(0.5)
    assert list(scores_by_part(true, ())) == ["all"]
    same = changes(true, true, seed=0)["clrs"]
    assert (same.mean, same.low, same.high) == (0, 0, 0)
    none = changes(true, evaluation(lambda a, n: 0.0, cells), seed=0)["clrs"]
    right = true.scores.to_pandas().groupby(["algo_name", "length"])["clrs"].mean()
    expected = (right["bfs"].mean() + right["minimum"].mean()) / 2
    assert none.mean == pytest.approx(-expected)
    assert none.low < none.mean < none.high <= 0


@pytest.fixture
def _styled():
    with style.applied():
        yield


def test_all_figures_are_drawn_and_not_empty(tmp_path):
    written = figures.draw(fake.measures(), fake.shown(), "transnar", tmp_path)
    stems = ("controls", "attention-nodes", "attention-edges", "gates")
    assert [path.name for path in written] == [f"{s}{k}" for s in stems for k in (".png", ".svg")]
    for path in written:
        assert path.stat().st_size > 1000
        if path.suffix == ".png":
            pixels = imread(path)
            assert pixels.shape[1] > 900
            assert len(np.unique(pixels[..., :3].reshape(-1, 3), axis=0)) > 10


def test_what_was_not_logged_or_read_is_not_drawn(tmp_path):
    given = fake.shown(steps=())
    object.__setattr__(given.attention, "edges", None)
    written = figures.draw(fake.measures(), given, "transnar", tmp_path)
    assert {path.stem for path in written} == {"controls", "attention-nodes"}


@pytest.mark.usefixtures("_styled")
def test_attention_has_a_labelled_panel_for_each_layer():
    found = fake.attention(layers=(1, 3), tokens=5, n=4)
    figure = figures.attention(found, "nodes", "bfs, length 4")
    panels = [axes for axes in figure.axes if axes.images and axes.get_title()]
    assert [axes.get_title() for axes in panels] == ["layer 1", "layer 3"]
    for place, axes in enumerate(panels):
        np.testing.assert_array_equal(axes.images[0].get_array(), found.nodes[place])
        assert axes.get_xlabel() == "node"
        assert [t.get_text() for t in axes.get_xticklabels()] == ["0", "1", "2", "3"]
    words = [t.get_text() for t in panels[0].get_yticklabels()]
    assert words == ["[", "0.0", "0.1", "0.2", "(end)"]
    assert figure.get_suptitle() == "What an answer's tokens attend to: nodes of bfs, length 4"
    edges = figures.attention(found, "edges", "bfs, length 4").axes[0]
    np.testing.assert_array_equal(edges.images[0].get_array(), found.edges[0].reshape(5, 16))
    assert edges.get_xticks().tolist() == [1.5, 5.5, 9.5, 13.5]


@pytest.mark.usefixtures("_styled")
def test_long_answers_are_cut_and_that_is_said():
    figure = figures.attention(fake.attention(tokens=60), "nodes", "bfs, length 4")
    assert figure.get_suptitle().endswith(", first 40 of 60 tokens")
    assert figure.axes[0].images[0].get_array().shape == (40, 10)


@pytest.mark.usefixtures("_styled")
def test_controls_stand_side_by_side_by_regime():
    figure = figures.controls(fake.measures(reasoner=0.1), "transnar")
    panels = {axes.get_title(): axes for axes in figure.axes}
    assert list(panels) == ["in-distribution", "extrapolation"]
    heights = {
        c.get_label(): c[0].get_height()
        for c in panels["extrapolation"].containers
        if hasattr(c, "patches") and round(c[0].get_x() + 0.1) == 2
    }
    assert heights == pytest.approx(
        {
            "true latents": 0.7,
            "shuffled": 0.4,
            "zeros": 0.3,
            "reasoner": 0.8,
        }
    )
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == list(heights)


@pytest.mark.usefixtures("_styled")
def test_gates_are_lines_over_steps():
    figure = figures.gates({10: {0: 0.1, 2: -0.2}, 20: {0: 0.3, 2: -0.4}}, "transnar")
    first, second = figure.axes[0].get_lines()[:2]
    assert np.array([first.get_xdata(), first.get_ydata()]).tolist() == [[10, 20], [0.1, 0.3]]
    assert np.asarray(second.get_ydata()).tolist() == [-0.2, -0.4]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["layer 0", "layer 2"]


def test_tables_hold_the_figures():
    measures = fake.measures()
    layers, scores = report.sheets(measures)
    said = report.said(verdicts(measures))
    assert layers.rows[0] == ["0", "+0.400", "20.0% [19.9%, 20.1%]"]
    assert [row[0] for row in scores.rows] == [
        "true latents",
        "shuffled latents",
        "latents of zeros",
        "the reasoner itself",
    ]
    assert scores.rows[0][-1] == "-"
    assert scores.rows[1][1:] == ["0.950", "1.000", "0.500", "0.250", "-0.300 [-0.320, -0.280]"]
    for line, sign in zip(said[1:-1], SIGNS, strict=True):
        assert line.startswith(f"does not show  {sign}: ", 1)
    assert said[-1] == "no sign of failure shows."
