"""The commands evaluate, score, leaderboard and plot, as a user types them."""

import csv
import io
import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from clrs_text_bench import schema
from clrs_text_bench.evaluators import leaderboard

from .. import tiny_data
from . import fake_results


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "tiny"
    return tiny_data.write(folder, {"train": [4], "test": [4, 6]}, samples=20)


@pytest.fixture
def answers(data, tmp_path):
    """Predictions of which every fourth is wrong and every tenth is missing."""
    rows = tiny_data.rows(data).to_pylist()
    with (tmp_path / "answers.jsonl").open("w") as file:
        for row in rows:
            if row["index"] % 10 != 9:
                line = {name: row[name] for name in schema.IDENTITY}
                line["prediction"] = row["answer"] if row["index"] % 4 else "nonsense"
                file.write(json.dumps(line) + "\n")
    return str(tmp_path / "answers.jsonl")


@pytest.fixture
def results(tmp_path):
    """A results folder with a good and a bad model, both on two lengths of three algorithms."""
    folder = leaderboard.results_folder(tmp_path / "results")
    cells = [(a, n) for a in ("bfs", "minimum", "insertion_sort") for n in (4, 8)]
    for seed, (model, level) in enumerate({"good": 0.9, "bad": 0.4}.items()):
        rows = fake_results.run(
            model,
            cells=cells,
            score=lambda a, n, level=level: level - n / 40,
            train_lengths=(4, 5) if model == "good" else None,
            n_parameters=1234 if model == "good" else None,
        )
        leaderboard.append(folder, rows, fake_results.answers(rows, seed))
    return folder.root


def test_score_writes_the_scores_of_each_answer(run, data, answers, tmp_path):
    out = tmp_path / "scores.parquet"
    code, output, log = run("score", answers, "--data", data.url, "--out", out)
    assert code == 0
    table = pq.read_table(out)
    assert table.column_names == [*schema.SCORES.names, "finish_reason"]
    assert table.num_rows == 80
    # Of 20 answers, 5 are wrong (0, 4, 8, 12, 16) and two others (9, 19) missing.
    assert table["exact"].to_pylist() == [int(i % 4 > 0 and i % 10 < 9) for i in range(20)] * 4
    total = output.splitlines()[2].split()
    assert total[:2] == ["all", "80"]
    assert total[4] == "0.650"
    assert output.splitlines()[2].endswith("8 missing")
    assert f"scores of each answer are in {out}" in log
    assert not (tmp_path / "results").exists()


def test_score_adds_to_a_leaderboard_if_asked(run, data, answers, tmp_path):
    arguments = ["--data", data.url, "--results", tmp_path / "r", "--name", "mine"]
    code, _, log = run("score", answers, *arguments)
    assert code == 0
    frame = leaderboard.read(leaderboard.results_folder(tmp_path / "r"))
    assert set(frame["model"]) == {"mine"}
    assert frame["missing"].tolist() == [2] * 4
    assert frame["incomplete"].all()
    assert f"{frame['run'][0]}.parquet" in log


def test_evaluate_of_a_part(run, data, answers, tmp_path):
    code, output, log = run(
        "evaluate", f"file:{answers}", "--data", data.url, "--results", tmp_path / "r",
        "-a", "minimum", "-l", "4,6", "--limit", "8", "--extraction", "lenient",
        "--save-predictions",
    )  # fmt: skip
    assert code == 0
    frame = leaderboard.read(leaderboard.results_folder(tmp_path / "r"))
    assert frame["algorithm"].tolist() == ["minimum"] * 2
    assert frame["n"].tolist() == [8, 8]
    assert set(frame["extraction"]) == {"lenient"}
    assert "0.750 [" in output
    kept = tmp_path / "r" / "predictions" / frame["run"][0]
    assert str(kept) in log
    assert len(list(kept.glob("*.parquet"))) == 2


def test_output_is_plain_and_apart_from_progress(data, answers, tmp_path):
    code = "from clrs_text_bench.cli.main import main; main()"
    command = [sys.executable, "-P", "-c", code, "score", answers, "--data", data.url]
    done = subprocess.run(command, capture_output=True, check=True)
    assert b"\x1b" not in done.stdout
    assert b"answers/s" not in done.stdout
    assert done.stdout.splitlines()[0] == b"answers"


def test_leaderboard_over_all(run, results):
    code, output, _ = run("leaderboard", "--results", results)
    assert code == 0
    title, header, good, bad, note = output.splitlines()
    assert header.split() == [
        *("model", "parameters", "tasks", "lengths", "n"),
        *("shape", "parse", "clrs", "exact", "unanswered"),
    ]
    assert good.split()[:5] == ["good", "1,234", "3", "2", "600"]
    assert "0.750 [" in good
    assert bad.split()[1] == "-"
    assert "0.250 [" in bad
    assert title == "mean over answers, then lengths, then algorithms"
    assert "bootstrap" in note


def test_leaderboard_sorted_by_name(run, results):
    _, output, _ = run("leaderboard", "--results", results, "--sort", "model")
    assert [line.split()[0] for line in output.splitlines()[2:4]] == ["bad", "good"]


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("algorithm", ["insertion_sort", "minimum", "bfs", "all"]),
        ("family", ["sorting", "searching", "graphs", "all"]),
        ("length", ["4", "8", "all"]),
        ("regime", ["in-distribution", "extrapolation", "no train lengths", "all"]),
    ],
)
def test_leaderboard_by_key(run, results, by, keys):
    code, output, _ = run("leaderboard", "--results", results, "--by", by, "--format", "md")
    assert code == 0
    header, rule, *rows = output.splitlines()
    assert header == f"| {by} | good | bad |"
    assert rule == "| --- | ---: | ---: |"
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == keys


def test_markdown_values(run, results):
    _, output, log = run("leaderboard", "--results", results, "--by", "regime", "--format", "md")
    rows = {line.split(" | ")[0][2:]: line for line in output.splitlines()}
    assert rows["in-distribution"].startswith("| in-distribution | 0.800 [")
    assert rows["in-distribution"].endswith(" | - |")
    assert rows["no train lengths"].startswith("| no train lengths | - | 0.250 [")
    assert "bootstrap" in log


@pytest.mark.parametrize("by", [None, "algorithm", "length"])
def test_csv_and_json_agree_and_are_clean(run, results, by):
    chosen = ["--by", by] if by else []
    _, text, _ = run("leaderboard", "--results", results, *chosen, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    _, text, _ = run("leaderboard", "--results", results, *chosen, "--format", "json")
    records = json.loads(text)
    assert len(rows) == len(records) == {None: 2, "algorithm": 6, "length": 4}[by]
    for row, record in zip(rows, records, strict=True):
        assert row["model"] == record["model"]
        assert float(row["clrs"]) == record["clrs"]
        assert float(row["clrs_low"]) == record["clrs_low"] < record["clrs"]
        assert record["clrs_sd"] is None
        assert row["clrs_sd"] == ""


def test_leaderboard_chooses(run, results):
    arguments = ["--model", "good", "-a", "bfs", "-l", "8", "--score", "exact"]
    _, output, _ = run("leaderboard", "--results", results, *arguments, "--format", "json")
    (record,) = json.loads(output)
    assert (record["model"], record["n"], record["exact"]) == ("good", 100, pytest.approx(0.7))


def test_compare(run, results):
    code, output, _ = run("leaderboard", "--results", results, "--compare", "good", "bad")
    assert code == 0
    lines = output.splitlines()
    assert lines[0].startswith("clrs: A = good-")
    assert [line.split()[0] for line in lines[2:6]] == ["insertion_sort", "minimum", "bfs", "all"]
    assert lines[5].split()[1] == "600"
    assert "corrected for 3 algorithms" in lines[6]
    for format_ in ("csv", "json", "md"):
        arguments = ["--compare", "good", "bad", "--format", format_, "-a", "bfs"]
        code, output, _ = run("leaderboard", "--results", results, *arguments)
        assert code == 0
        if format_ == "json":
            found = json.loads(output)
            assert found["a"].startswith("good-")
            assert [row["algorithm"] for row in found["algorithms"]] == ["bfs"]
            assert found["overall"]["difference"] == pytest.approx(-0.5, abs=0.15)
            assert found["overall"]["p"] < 0.01


def test_compare_says_what_it_left_out(run, results):
    folder = leaderboard.results_folder(results)
    rows = fake_results.run("third", cells=[("bfs", 4), ("dfs", 4)])
    leaderboard.append(folder, rows, fake_results.answers(rows))
    _, output, _ = run("leaderboard", "--results", results, "--compare", "third", "bad")
    assert "Left out: 100 samples that only A answered and 500 that only B did" in output
    assert "dfs 4" in output


def test_models_on_different_cells_are_pointed_out(run, results):
    folder = leaderboard.results_folder(results)
    rows = fake_results.run("third", cells=[("bfs", 4)], missing=3, incomplete=True)
    leaderboard.append(folder, rows, fake_results.answers(rows))
    _, output, _ = run("leaderboard", "--results", results)
    assert "Not all models answered the same algorithms and lengths" in output
    assert "3 missing" in output
    _, output, _ = run("leaderboard", "--results", results, "--by", "algorithm")
    assert "third: of 100 answers, 3 missing; they score 0." in output


def test_many_models_are_never_cut_off_in_a_pipe(run, tmp_path):
    folder = leaderboard.results_folder(tmp_path / "results")
    for number in range(14):
        rows = fake_results.run(f"a-model-with-quite-a-long-name-{number:02}")
        leaderboard.append(folder, rows, fake_results.answers(rows))
    _, output, _ = run("leaderboard", "--results", folder.root, "--by", "algorithm")
    lines = output.splitlines()
    assert len(lines) == 4
    assert lines[1].split()[1:] == [f"a-model-with-quite-a-long-name-{n:02}" for n in range(14)]
    assert "…" not in output


HOSTILE = "\x1b[31m[bold]a|b[/bold]\r\n_x_ =1+1"


@pytest.mark.parametrize("format_", ["table", "md", "csv", "json"])
@pytest.mark.parametrize("by", [[], ["--by", "length"]])
def test_names_from_files_are_printed_as_text(run, tmp_path, format_, by):
    folder = leaderboard.results_folder(tmp_path / "results")
    rows = fake_results.run(HOSTILE, spec=HOSTILE)
    leaderboard.append(folder, rows, fake_results.answers(rows))
    code, output, _ = run("leaderboard", "--results", folder.root, "--format", format_, *by)
    assert code == 0
    assert "\x1b" not in output
    assert "\r" not in output
    assert "[bold]a" in output
    if format_ == "md":
        assert all(line.startswith("| ") and line.endswith(" |") for line in output.splitlines())
        assert "a\\|b" in output
        assert "\\_x\\_" in output


@pytest.mark.parametrize("figure", ["curves", "bars", "families", "heatmap"])
def test_plot_writes_both_kinds_of_file(run, results, tmp_path, figure):
    code, output, _ = run("plot", figure, "--results", results, "--out", tmp_path / "figures" / "x")
    assert code == 0
    assert output.splitlines() == [str(tmp_path / "figures" / f"x{s}") for s in (".png", ".svg")]
    assert (tmp_path / "figures" / "x.svg").read_text().startswith("<?xml")


def test_plot_of_a_choice(run, results, tmp_path):
    out = tmp_path / "a.svg"
    arguments = ["--results", results, "--model", "good", "--score", "exact", "--by", "family"]
    code, output, _ = run("plot", "curves", *arguments, "--out", out)
    assert code == 0
    assert output == f"{out}\n"


NO_DATA = ("--data", "nowhere")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "solvr", "--data", "{data}"], "unknown model 'solvr'; did you mean 'solver'"),
        (["evaluate", "file:{answers}", *NO_DATA], "nowhere does not exist"),
        (["evaluate", "file:gone.csv", "--data", "{data}"], "gone.csv does not exist"),
        (["score", "{answers}", "--data", "{data}", "-l", "8-4"], "runs backwards; write 4-8"),
        (["score", "{answers}", "--data", "{data}", "-l", "9"], "has no length 9; it has 4,6"),
        (["score", "{answers}", "--data", "{data}", "-a", "bsf"], "did you mean 'bfs'"),
        (["score", "{answers}", "--data", "{data}", "--split", "train"], "has no answer at all"),
        (["score", "{answers}", "--data", "{data}", "--out", "a.csv"], "must end in .parquet"),
        (
            ["score", "{answers}", "--data", "{data}", "--results", "{answers}"],
            "answers.jsonl is a file; name a folder",
        ),
        (["leaderboard", "--results", "{tmp}"], "holds no leaderboard"),
        (["leaderboard", "--results", "{results}", "--score", "x"], "unknown score 'x'"),
        (["leaderboard", "--results", "{results}", "--by", "leng"], "'leng' is not one of"),
        (["leaderboard", "--results", "{results}", "--model", "god"], "did you mean 'good'"),
        (["leaderboard", "--results", "{results}", "--compare", "good", "x"], "unknown model or"),
        (["plot", "curves", "--results", "{tmp}", "--out", "x.png"], "holds no leaderboard"),
        (["plot", "curves", "--results", "{results}", "--out", "x.pdf"], "must end in .png or"),
        (
            ["plot", "bars", "--by", "family", "--results", "{results}", "--out", "x.png"],
            "--by is for curves",
        ),
    ],
)
def test_bad_input_is_one_sentence(run, data, answers, results, tmp_path, arguments, message):
    names = {"data": data.url, "answers": answers, "results": results, "tmp": tmp_path}
    code, output, log = run(*(a.format(**names) for a in arguments))
    assert code == 2
    assert output == ""
    assert log.splitlines()[-1].startswith("clrs-text-bench: ")
    assert message in log.splitlines()[-1]
    assert "Traceback" not in log
    assert not list(tmp_path.glob("*.parquet"))


@pytest.mark.parametrize("command", ["evaluate", "score", "leaderboard", "plot"])
def test_help_gives_an_example(run, command):
    code, output, _ = run(command, "--help")
    assert code == 0
    assert f"clrs-text-bench {command} " in output.partition("Example")[2]


def test_help_imports_nothing_heavy():
    heavy = ["jax", "tensorflow", "pandas", "matplotlib", "numba", "pyarrow", "rich", "numpy"]
    code = f"""
import sys
from clrs_text_bench.evaluators.cli import evaluate, leaderboard, plot, score
print([name for name in {heavy} if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
