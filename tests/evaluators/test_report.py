"""The report as a file: its figures, what it says of answers, and that nothing in it can run."""

import base64
import hashlib
import json
import re
import sys
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clrs_text_bench import graph, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import leaderboard, score_answer
from clrs_text_bench.evaluators.plots import style
from clrs_text_bench.evaluators.report import marks, page, pictures, samples, scores, texts
from clrs_text_bench.evaluators.report.report import build
from clrs_text_bench.storage import Folder

from .. import command, tiny_data
from . import fake_results, report_pages
from .report_pages import HOSTILE, Page

ROOT = command.Path(__file__).parents[2]
TEMPLATE = Page(page.build({}, ""))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return tiny_data.write(
        tmp_path_factory.mktemp("data") / "tiny", {"train": [4], "test": [4, 6]}, samples=12
    )


@pytest.fixture(scope="module")
def results(tmp_path_factory, dataset):
    """Results of a model whose every answer is meant to do harm, and of one that has some right."""
    folder = tmp_path_factory.mktemp("results")
    report_pages.keep(folder, dataset, HOSTILE, name="<script>window.hacked = 1</script>")
    report_pages.keep(folder, dataset, ["0", "[0.1]", None], name="plain")
    return folder


@pytest.fixture(scope="module")
def built(results, dataset):
    return build([results], [dataset.url])


def listed(run, folder, *arguments):
    code, out, _ = run("leaderboard", "--results", folder, "--format", "json", *arguments)
    assert code == 0
    return json.loads(out)


@pytest.mark.parametrize("by", [None, "family", "regime"])
def test_its_leaderboard_is_the_commands(run, by):
    folder = ROOT / "results" / "cpu"
    board = scores.payload(leaderboard.read(Folder.at(folder)))
    names = {"family": [f.replace(" ", "_") for f in board["families"]], "regime": board["regimes"]}
    found = {}
    for row in report_pages.rows(board["overall"]):
        if [row[key] >= 0 for key in ("family", "regime")] == [by == "family", by == "regime"]:
            key = names[by][row[by]] if by else None
            found[board["entries"][row["entry"]]["name"], key] = row
    expected = listed(run, folder, *(["--by", by] if by else []))
    assert len(found) == len(expected) > 0
    for row in expected:
        ours = found[row["model"], row[by] if by else None]
        for name in ("seeds", "algorithms", "lengths", "n", "errors", "missing"):
            assert ours[name] == row[name]
        for place, score in enumerate(board["scores"]):
            for suffix in ("", "_low", "_high", "_sd"):
                theirs = row[score + suffix]
                assert ours[f"{place}{suffix}"] == (
                    None if theirs is None else pytest.approx(theirs, abs=1e-8)
                )
    assert board["scores"] == ["shape", "parse", "clrs", "exact"]
    assert board["scores"][board["score"]] == "clrs"


@pytest.mark.parametrize(("table", "by"), [("curves", "length"), ("cells", "algorithm")])
def test_its_curves_and_cells_are_the_commands(run, table, by):
    folder = ROOT / "results" / "cpu"
    board = scores.payload(leaderboard.read(Folder.at(folder)))
    clrs = board["scores"].index("clrs")
    for row in listed(run, folder, "--by", by):
        ours = [
            found
            for found in report_pages.rows(board[table])
            if board["entries"][found["entry"]]["name"] == row["model"]
            and found.get("family", -1) == -1
            and (found["length"] if by == "length" else board["algorithms"][found["algorithm"]])
            == row[by]
        ]
        assert sum(found["n"] for found in ours) == row["n"]
        assert np.mean([found[str(clrs)] for found in ours]) == pytest.approx(row["clrs"], abs=1e-4)
        if by == "length":
            low = row["clrs"] - row["clrs_sd"] if row["seeds"] > 1 else row["clrs_low"]
            assert ours[0][f"{clrs}_low"] == pytest.approx(low, abs=1e-4)


def test_entries_look_as_in_the_figures(results):
    folder = ROOT / "results" / "cpu"
    entries = scores.payload(leaderboard.read(Folder.at(folder)))["entries"]
    assert [e["name"] for e in entries if e["reference"]] == ["solver", "majority"]
    colors = {e["name"]: e["color"] for e in entries if not e["reference"]}
    assert set(colors.values()) == set(style.COLORS[: len(colors)])
    named = {e["name"]: e for e in entries}
    assert named["solver"]["parameters"] is None
    assert named["transformer, plain"]["parameters"] == 2_101_056
    assert named["TransNAR, plain"]["parameters"] == 4_585_313
    assert named["transformer, plain"]["trained"] == [*range(4, 9), 12]


def inert(made: bytes) -> dict:
    """Checks that a page has the template's elements and no other; returns its data."""
    found = Page(made)
    assert [tag for tag, _ in found.tags] == [tag for tag, _ in TEMPLATE.tags]
    assert [kind.get("type") for kind, _ in found.scripts] == ["application/json", None, None]
    for _, attributes in found.tags:
        assert not {
            name for name in attributes if name.startswith("on") or name in ("src", "style")
        }
    embedded = re.search(rb'<script id="data" type="application/json">(.*?)</script>', made, re.S)[
        1
    ]
    assert embedded.isascii()
    assert not set(b"<>&") & set(embedded)
    for text in strings(found.data()):
        assert all(c.isprintable() or c == "\n" for c in text)
    return found.data()


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)


def test_hostile_answers_and_names_are_inert(built):
    data = inert(built)
    assert b"window.hacked" in built
    assert b"<script>window.hacked" not in built
    assert data["board"]["entries"][0]["name"] in ("plain", "<script>window.hacked = 1</script>")


def test_a_policy_allows_its_own_scripts_and_style_and_no_request(built):
    found = Page(built)
    (policy,) = [
        a["content"] for _, a in found.tags if a.get("http-equiv") == "Content-Security-Policy"
    ]
    style_ = re.search(r"<style>(.*?)</style>", built.decode(), re.S)[1]
    parts = dict(part.split(" ", 1) for part in policy.split("; "))
    assert parts == {
        "default-src": "'none'",
        "script-src": " ".join(digest(content) for _, content in found.scripts[1:]),
        "style-src": digest(style_),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert not [a for _, a in found.tags if {"src", "srcset", "action"} & set(a)]
    assert {a["href"] for _, a in found.tags if "href" in a} == {"#leaderboard"}


def digest(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@given(
    name=st.text(), prediction=st.text(alphabet=st.characters()), truth=st.text(), reason=st.text()
)
def test_whatever_is_written_is_inert(name, prediction, truth, reason):
    answer = {"prediction": prediction, "finish_reason": reason, "scores": {}}
    shown = samples.answer(answer, truth, ["clrs"])
    data = {"name": texts.name(name), "answer": shown, "more": samples.answer(answer, None, [])}
    assert inert(page.build(data, "")) == json.loads(json.dumps(data))


@given(st.text(alphabet=st.characters()))
def test_every_character_that_has_no_look_gets_one(text):
    shown = texts.visible(text)
    for character in shown:
        assert character in " \n" or unicodedata.category(character)[0] not in "CZ"
    kept = [c for c in text if c == "\n" or c.isprintable()]
    assert [c for c in shown if c in kept] or not kept
    if len(kept) == len(text):
        assert shown == text


def test_very_long_text_is_cut_with_its_length_told(built):
    data = Page(built).data()
    run = next(
        i
        for i, r in enumerate(data["samples"]["runs"])
        if "script" in data["board"]["entries"][r["entry"]]["name"]
    )
    cut = {
        answer[2]: sum(len(piece) - 1 for piece in answer[1] if piece[0] != marks.MISSING)
        for sample in data["samples"]["samples"]
        for answer in sample["answers"]
        if answer[0] == run and answer[2]
    }
    assert cut == {1_200_000 - texts.LONGEST: texts.LONGEST}


TOKENS = st.lists(st.sampled_from(["0", "1", "0.1", "0.10", "x", "[", "]", "|"]), max_size=12)


@pytest.mark.parametrize("many", [1, 40])
@given(found=TOKENS, wanted=TOKENS, separator=st.sampled_from([" ", ", ", "\t"]))
def test_marks_make_the_prediction_and_say_if_it_is_the_truth(many, found, wanted, separator):
    found, wanted = found * many, wanted * many
    prediction = separator.join(found)
    pieces = marks.marked(prediction, " ".join(wanted))
    assert "".join(p[1:] for p in pieces if p[0] != marks.MISSING) == prediction
    assert all(len(p) > 1 for p in pieces)
    same = [t.replace("0.10", "0.1") for t in found] == [t.replace("0.10", "0.1") for t in wanted]
    assert {p[0] for p in pieces} <= {marks.SAME} if same else {p[0] for p in pieces} - {marks.SAME}


@pytest.mark.parametrize(
    ("prediction", "pieces"),
    [
        ("[1 2 3]", ["=[1 2 3]"]),
        ("[1,2.0\n3.00]\n\n", ["=[1,2.0\n3.00]"]),
        ("[1 2 3]\n \nI am sure.", ["=[1 2 3]", "~\n \nI am sure."]),
        ("[1 2 3]<|endoftext|>[", ["=[1 2 3]", "~<|endoftext|>["]),
        ("[1 5 3]", ["=[1 ", "x5", "= 3]"]),
        ("[1 3]", ["=[1", "- 2", "= 3]"]),
        ("[1 2 2 3]", ["=[1 2 ", "+2", "= 3]"]),
        ("", ["- [ 1 2 3 ]"]),
    ],
)
def test_marks(prediction, pieces):
    assert marks.marked(prediction, "[1 2 3]\n\n") == pieces


def test_marks_of_plain_answers_agree_with_the_exact_score(dataset):
    rng = np.random.default_rng(0)
    for row in tiny_data.rows(dataset).to_pylist():
        tokens = row["answer"].strip().split()
        if rng.random() < 0.5:
            tokens[rng.integers(len(tokens))] = "0.77"
        prediction = " ".join(tokens)
        exact = score_answer(row["algo_name"], row["length"], prediction, row["answer"]).exact
        pieces = marks.marked(prediction, row["answer"])
        assert ({p[0] for p in pieces} == {marks.SAME}) == (exact == 1)


def bfs(n, edges, start, pi):
    adj = np.zeros((n, n))
    for u, v in edges:
        adj[u, v] = adj[v, u] = 1
    inputs = {"pos": np.arange(n) / n, "s": np.eye(n)[start], "A": adj, "adj": adj}
    return (
        graph.pack("bfs", n, inputs, "input"),
        graph.pack("bfs", n, {"pi": np.array(pi)}, "output"),
    )


def test_a_graph_is_drawn_with_the_edges_of_the_true_answer():
    found = pictures.picture("bfs", 4, *bfs(4, [(0, 1), (1, 2), (0, 2), (2, 2)], 0, [0, 0, 0, 3]))
    assert found["kind"] == "graph"
    assert found["edges"] == [[0, 1], [0, 2], [1, 2]]
    assert not found["directed"]
    assert found["start"] == 0
    assert found["picked_edges"] == [0, 1]
    assert found["picked_nodes"] == []
    assert found["places"][0] == [0.5, 0.95]
    assert pictures.picture("bfs", 40, *bfs(40, [(0, 1)], 0, range(40))) is None
    assert pictures.picture("bfs", 4, None, None) is None


def test_weights_directions_points_and_lists():
    n = 3
    weights = np.array([[0, 0.25, 0], [0, 0, 0.5], [0, 0, 0]])
    inputs = {"pos": np.arange(n) / n, "s": np.eye(n)[1], "A": weights, "adj": weights > 0}
    name = "dag_shortest_paths"
    found = pictures.picture(
        name,
        n,
        graph.pack(name, n, inputs, "input"),
        graph.pack(name, n, {"pi": np.array([0, 1, 1])}, "output"),
    )
    assert found["directed"]
    assert found["edges"] == [[0, 1, 0.25], [1, 2, 0.5]]
    assert (found["start"], found["picked_edges"]) == (1, [1])
    places = {"pos": np.arange(n) / n, "x": np.array([0, 2, 1]), "y": np.array([5, 5, 6])}
    hull = graph.pack("jarvis_march", n, {"in_hull": np.array([1, 0, 1])}, "output")
    found = pictures.picture(
        "jarvis_march", n, graph.pack("jarvis_march", n, places, "input"), hull
    )
    assert (found["kind"], found["picked_nodes"]) == ("points", [0, 2])
    assert found["places"] == [[0, 0], [1, 0], [0.5, 0.5]]
    (row, *_) = [tiny_data.sample("minimum", 4, split="test", seed=0, index=0)]
    assert pictures.picture("minimum", 4, row["graph_inputs"], row["graph_outputs"]) is None


def test_samples_hold_question_truth_answers_and_their_scores(built, dataset):
    data = Page(built).data()
    kept = data["samples"]
    assert len(kept["samples"]) == 4 * 10
    assert [(c["algorithm"], c["length"], c["total"]) for c in kept["cells"]] == [
        (a, n, 12) for a in ("insertion_sort", "minimum") for n in (4, 6)
    ]
    truths = {
        (row["algo_name"], row["length"], row["seed"], row["index"]): row
        for row in tiny_data.rows(dataset).to_pylist()
    }
    names = [data["board"]["entries"][run["entry"]]["name"] for run in kept["runs"]]
    plain = names.index("plain")
    for sample in kept["samples"]:
        cell = kept["cells"][sample["cell"]]
        row = truths[cell["algorithm"], cell["length"], sample["seed"], sample["index"]]
        assert sample["question"] == [row["question"].rstrip("\n"), 0]
        assert sample["truth"] == [row["answer"].rstrip("\n"), 0]
        (answer,) = [a for a in sample["answers"] if a[0] == plain]
        written = ["0", "[0.1]", None][sample["index"] % 3]
        if written is None:
            assert answer[1] is None
            continue
        assert "".join(p[1:] for p in answer[1] if p[0] != "-") == written
        truth = score_answer(cell["algorithm"], cell["length"], written, row["answer"])
        assert answer[3] == pytest.approx([truth.shape, truth.parse, truth.clrs, truth.exact])
        assert answer[4] == "length"


def test_without_the_data_set_answers_are_shown_alone(results):
    data = Page(build([results], most=2)).data()
    assert len(data["samples"]["samples"]) == 8
    assert all("question" not in sample for sample in data["samples"]["samples"])
    assert not any(cell["asked"] for cell in data["samples"]["cells"])
    assert Page(build([ROOT / "results" / "quickstart"])).data()["samples"] is None


def test_the_same_results_give_the_same_bytes(results, dataset, built, tmp_path):
    command.run("report", "--results", results, "--data", dataset.url, "--out", tmp_path / "a.html")
    assert (tmp_path / "a.html").read_bytes() == built
    assert [p.name for p in tmp_path.iterdir()] == ["a.html"]


@pytest.mark.slow
def test_a_hundred_runs_stay_below_five_megabytes(tmp_path):
    names = tasks.names()
    cells = [(a, n) for a in names for n in (5, 8, 10, 12, 16, 24)]
    rng = np.random.default_rng(0)
    folder = Folder.at(tmp_path)
    text = f"[{' '.join(['0.123'] * 250)}]"
    kept = pa.table({"seed": [0], "index": [0], "prediction": [text], "finish_reason": ["stop"]})
    for place in range(100):
        rows = fake_results.run(
            f"model {place}", cells=cells, score=lambda a, n: float(rng.random()), n=1
        )
        leaderboard.append(folder, rows, fake_results.answers(rows, seed=place))
        run = rows["run"][0].as_py()
        # Every fifth keeps answers, more than there is room for.
        for algorithm, length in cells if place % 5 == 0 else ():
            path = tmp_path / "predictions" / run / f"{algorithm}-{length}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(kept, path)
    made = build([tmp_path])
    data = Page(made).data()
    assert len(data["board"]["entries"]) == 100
    assert 1_000_000 < len(made) < 5_000_000
    counts = np.bincount([s["cell"] for s in data["samples"]["samples"]], minlength=len(cells))
    assert counts.max() - counts.min() <= 1
    assert 0 < counts.sum() < len(cells)


def test_several_folders_are_one_leaderboard(results):
    both = Page(build([ROOT / "results" / "nar", ROOT / "results" / "cpu"])).data()
    runs = {
        name: len(list((ROOT / "results" / name / "leaderboard").glob("*.parquet")))
        for name in ("nar", "cpu")
    }
    assert both["about"]["runs"] == sum(runs.values())
    models = {e["name"] for e in both["board"]["entries"]}
    assert {"nar (steps bound)", "transformer, plain", "solver"} <= models
    again = Page(build([ROOT / "results" / "cpu", ROOT / "results" / "cpu"])).data()
    assert again["about"]["runs"] == runs["cpu"]


def test_what_cannot_be_used_is_refused(tmp_path, results, dataset, monkeypatch):
    for words, sentence in (
        (["--out", tmp_path / "x.htm"], "must name a file that ends in .html"),
        (["--results", tmp_path / "no", "--out", "x.html"], "no leaderboard; add to it with"),
        (["--results", results, "--data", "no", "--out", "x.html"], "no does not exist"),
        (
            ["--results", ROOT / "results/cpu", "--data", dataset.url, "--out", "x.html"],
            "no kept answers to show beside",
        ),
        (["--results", results, "--samples", "0", "--out", "x.html"], "0 is not in the range"),
    ):
        monkeypatch.chdir(tmp_path)
        assert sentence in command.sentence_here("report", *words)
    other = tiny_data.write(tmp_path / "other", {"test": [4]}, seed=1)
    with pytest.raises(BadInput, match=r"no kept answer is to data set .*other"):
        build([results], [other.url])
    assert not list(tmp_path.glob("*.html"))


def test_damaged_answers_are_named(tmp_path, dataset):
    run = report_pages.keep(tmp_path, dataset, ["0"])
    file = tmp_path / "predictions" / run / "minimum-4.parquet"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(BadInput, match=r"minimum-4.parquet of .* is not a whole Parquet file"):
        build([tmp_path])
    pq.write_table(pa.table({"seed": [0], "index": [0]}), file)
    with pytest.raises(BadInput, match="has no column 'prediction'; evaluate"):
        build([tmp_path])


def test_text_that_is_no_utf_8_is_shown_as_what_it_is(tmp_path, dataset):
    run = report_pages.keep(tmp_path, dataset, ["0"])
    file = tmp_path / "predictions" / run / "minimum-4.parquet"
    table = pq.read_table(file)
    broken = pa.array([b"a\xffb"] * table.num_rows, pa.binary())
    broken = pa.StringArray.from_buffers(len(broken), *broken.buffers()[1:])
    pq.write_table(table.set_column(5, "prediction", broken), file)
    data = inert(build([tmp_path]))
    (shown, *_) = [s for s in data["samples"]["samples"] if s["cell"] == 2]
    assert shown["answers"][0][1] == [" a�b"]


def test_a_missing_library_is_named_with_its_extra(monkeypatch, results, tmp_path):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    said = command.sentence_here("report", "--results", results, "--out", tmp_path / "x.html")
    assert "a report needs the package vl-convert: run " in said
    assert "pip install 'clrs-text-bench[report]'" in said
