"""Tasks for lm-evaluation-harness: run by it, scored as we do."""

import importlib.util
import json
import sys

import pyarrow.parquet as pq
import pytest
import yaml

from clrs_text_bench import predictions
from clrs_text_bench.integrations import lm_eval_tasks

from ... import command, tiny_data
from . import completions

SCORES = ("shape", "parse", "clrs", "exact")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    lengths = {"train": [4, 6], "test": [4, 5, 8]}
    return tiny_data.write(
        folder / "data", lengths, samples=14, algorithms=("minimum", "insertion_sort", "bfs")
    )


def read(path):
    """Reads a task's YAML with its functions as plain text."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))
    return yaml.load(path.read_text(), Loader=Loader)


@pytest.fixture(scope="module")
def folder(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tasks") / "out"
    lm_eval_tasks.export(made, folder, show=False)
    return folder


def test_a_task_for_each_algorithm_and_length_and_groups_of_them(folder):
    tasks = {p.parent.name: read(p)["task"] for p in folder.glob("*/8.yaml")}
    assert tasks == {
        "minimum": "clrs_text_minimum_8",
        "insertion_sort": "clrs_text_insertion_sort_8",
        "bfs": "clrs_text_bfs_8",
    }
    groups = {p.stem: read(p)["task"] for p in folder.glob("groups/*.yaml")}
    assert groups["clrs_text_bfs"] == [f"clrs_text_bfs_{n}" for n in (4, 5, 8)]
    assert groups["clrs_text_family_graphs"] == ["clrs_text_bfs"]
    assert "clrs_text_family_graphs" in groups["clrs_text"]
    names = ("minimum", "insertion_sort", "bfs")
    for regime, length in (("in_distribution", 4), ("interpolation", 5), ("extrapolation", 8)):
        expected = {f"clrs_text_{name}_{length}" for name in names}
        assert set(groups[f"clrs_text_regime_{regime}"]) == expected


def test_generation_ends_at_a_blank_line_and_has_room(folder):
    settings = read(folder / "bfs" / "8.yaml")["generation_kwargs"]
    assert settings == {"until": ["\n\n"], "do_sample": False, "max_gen_toks": 2048}


def test_choices_and_refusals(made, folder, tmp_path, run):
    out = tmp_path / "out"
    code, *_ = run(
        *("export", "lm-eval", "--data", made.url, "--out", out, "-a", "bfs", "-l", "5,8"),
        *("--extraction", "lenient"),
    )
    assert code == 0
    assert sorted(p.parent.name + p.stem for p in out.glob("*/*.parquet")) == ["bfs5", "bfs8"]
    assert 'extraction="lenient"' in (out / "utils.py").read_text()
    asked = ("export", "lm-eval", "--data", made.url, "--out", tmp_path / "new")
    assert "did you mean 'bfs'?" in command.sentence_here(*asked, "-a", "bsf")
    assert "has no length 7; it has 4-5,8" in command.sentence_here(*asked, "-l", "7")
    assert "unknown split" in command.sentence_here(*asked, "--split", "tests")
    assert "local folders only" in command.sentence_here(*asked[:-1], "memory://tasks")
    assert "already holds README.md" in command.sentence_here(*asked[:-1], folder)
    assert not (tmp_path / "new").exists()


@pytest.fixture(scope="module")
def answers(made):
    return completions.written(made)


@pytest.fixture(scope="module")
def canned(answers):
    """The name of a model of lm_eval that gives those completions."""
    pytest.importorskip("lm_eval", reason="needs lm_eval, of the extra [lm-eval]")
    from lm_eval.api.model import LM
    from lm_eval.api.registry import register_model

    @register_model("canned")
    class Canned(LM):
        @classmethod
        def create_from_arg_obj(cls, *_):
            return cls()

        def generate_until(self, requests, disable_tqdm=False):
            return [answers[request.args[0]] for request in requests]

        def loglikelihood(self, requests):
            raise NotImplementedError

        loglikelihood_rolling = loglikelihood

    return "canned"


@pytest.fixture
def ask(canned, monkeypatch, tmp_path):
    """Runs lm_eval's command; returns its results and the folder of its logs."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    from lm_eval.__main__ import cli_evaluate

    def call(folder, tasks):
        out = tmp_path / "lm_eval"
        words = f"run --include_path {folder} --tasks {tasks} --model {canned} --log_samples"
        monkeypatch.setattr(sys, "argv", ["lm_eval", *words.split(), "--output_path", str(out)])
        cli_evaluate()
        (path,) = out.rglob("results_*.json")
        return json.loads(path.read_text())["results"], path.parent

    return call


def agree(results, name, expected):
    for score in SCORES:
        assert results[name][f"{score},none"] == pytest.approx(expected[score], abs=1e-9)


@pytest.mark.slow
def test_lm_eval_gives_our_scores(made, folder, answers, ask, tmp_path, run):
    results, logs = ask(folder, "clrs_text")
    ours = completions.scores(made, answers)
    assert len({tuple(means.values()) for means in ours.values()}) > 3
    for (algorithm, length), means in ours.items():
        agree(results, f"clrs_text_{algorithm}_{length}", means)
    for name, keys in {
        "clrs_text": list(ours),
        "clrs_text_bfs": [key for key in ours if key[0] == "bfs"],
    }.items():
        mean = {s: sum(ours[key][s] for key in keys) / len(keys) for s in SCORES}
        agree(results, name, mean)
    assert results["clrs_text_bfs_8"]["clrs_stderr,none"] > 0
    # Its logs hold the samples' identities: they score the same when they are imported.
    imported = tmp_path / "imported.parquet"
    code, _, error = run(
        "import-results", *logs.glob("*.jsonl"), "--data", made.url, "--out", imported
    )
    assert code == 0, error
    found = predictions.read(imported)
    expected, _ = completions.predictions(made, answers)
    wanted = predictions.identity(expected).append_column("prediction", expected["prediction"])
    order = [(name, "ascending") for name in ("algo_name", "length", "index")]
    texts = [table.sort_by(order)["prediction"].to_pylist() for table in (found, wanted)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("extraction", ["strict", "lenient"])
def test_the_folders_function_gives_our_scores(made, answers, tmp_path, extraction):
    lm_eval_tasks.export(made, tmp_path / "out", extraction=extraction, show=False)
    spec = importlib.util.spec_from_file_location("utils", tmp_path / "out" / "utils.py")
    utils = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(utils)
    ours = completions.scores(made, answers, extraction)
    assert (ours != completions.scores(made, answers)) == (extraction == "lenient")
    for (algorithm, length), means in ours.items():
        docs = pq.read_table(tmp_path / "out" / algorithm / f"{length}.parquet").to_pylist()
        found = [utils.process_results(doc, [answers[doc["question"]]]) for doc in docs]
        for score in SCORES:
            mean = sum(one[score] for one in found) / len(found)
            assert mean == pytest.approx(means[score], abs=1e-9)
