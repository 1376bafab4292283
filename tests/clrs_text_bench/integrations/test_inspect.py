"""The task of Inspect: found by its entry point, scored as we do."""

import os
import sys

import pytest

from clrs_text_bench import predictions

from ... import tiny_data
from . import completions

pytest.importorskip("inspect_ai", reason="needs inspect-ai, of the extra [inspect]")

pytestmark = pytest.mark.slow

PREFIX = "clrs_text_bench/by_"
SCORES = ("shape", "parse", "clrs", "exact")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    lengths = {"train": [4], "test": [4, 6]}
    return tiny_data.write(folder / "data", lengths, samples=14, algorithms=("minimum", "bfs"))


@pytest.fixture(scope="module")
def answers(made):
    return completions.written(made)


@pytest.fixture(scope="module")
def ask(made, answers, tmp_path_factory):
    """Runs the task by its name; returns Inspect's log."""
    from inspect_ai import eval as evaluate
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    def answer(messages, *_):
        output = ModelOutput.from_content("mockllm", answers[messages[-1].text])
        # Left out, mockllm counts tokens with a vocabulary that it would download.
        output.usage = ModelUsage(input_tokens=1, output_tokens=1)
        return output

    def call(**arguments):
        (log,) = evaluate(
            "clrs_text_bench/clrs_text",
            task_args={"data": made.url, **arguments},
            model=get_model("mockllm/model", custom_outputs=answer),
            log_dir=str(tmp_path_factory.mktemp("logs")),
            display="none",
        )
        return log

    # `python -m pytest` puts the repository first, whose egg-info hides the installed metadata by
    # which Inspect tells a package.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [p for p in sys.path if p not in ("", os.getcwd())])
        yield call


def metrics(log):
    """Returns `{score: {metric: value}}` of a log."""
    return {s.name: {n: m.value for n, m in s.metrics.items()} for s in log.results.scores}


@pytest.mark.parametrize("extraction", ["strict", "lenient"])
def test_inspect_gives_our_scores(made, answers, ask, extraction):
    log = ask(extraction=extraction)
    assert log.status == "success"
    found = metrics(log)
    ours = completions.scores(made, answers, extraction)
    for score in SCORES:
        for (algorithm, length), means in ours.items():
            mean = found[score][f"{PREFIX}task_{algorithm}_{length}"]
            assert mean == pytest.approx(means[score], abs=1e-9)
        for algorithm in ("minimum", "bfs"):
            expected = sum(ours[algorithm, n][score] for n in (4, 6)) / 2
            assert found[score][f"{PREFIX}algorithm_{algorithm}"] == pytest.approx(
                expected, abs=1e-9
            )
        for length in (4, 6):
            expected = sum(ours[a, length][score] for a in ("minimum", "bfs")) / 2
            assert found[score][f"{PREFIX}length_{length}"] == pytest.approx(expected, abs=1e-9)
        everything = sum(means[score] for means in ours.values()) / len(ours)
        assert found[score]["mean"] == pytest.approx(everything, abs=1e-9)
        assert found[score]["stderr"] > 0


def test_its_log_can_be_imported(made, answers, ask, run, tmp_path):
    log = ask()
    code, _, error = run(
        "import-results", log.location, "--data", made.url, "--out", tmp_path / "p.parquet"
    )
    assert code == 0, error
    found = predictions.read(tmp_path / "p.parquet")
    expected, _ = completions.predictions(made, answers)
    order = [(name, "ascending") for name in ("algo_name", "length", "index")]
    wanted = predictions.identity(expected).append_column("prediction", expected["prediction"])
    texts = [table.sort_by(order)["prediction"].to_pylist() for table in (found, wanted)]
    assert texts[0] == texts[1]


def test_a_part_is_chosen_as_by_evaluate(ask):
    log = ask(split="test", algorithms="bfs", lengths=[4, "6"], limit=3)
    samples = [sample.metadata for sample in log.samples]
    assert [(s["algo_name"], s["length"], s["index"]) for s in samples] == [
        ("bfs", length, index) for length in (4, 6) for index in range(3)
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"data": "nowhere"}, "nowhere does not exist"),
        ({"algorithms": ["bsf"]}, "did you mean 'bfs'?"),
        ({"lengths": 7}, "has no length 7"),
        ({"split": "tests"}, "did you mean 'test'?"),
        ({"limit": 0}, "limit 0 is below 1"),
        ({"extraction": "loose"}, "unknown extraction 'loose'"),
    ],
)
def test_bad_arguments_are_a_sentence(made, arguments, sentence):
    from inspect_ai._util.error import PrerequisiteError

    from clrs_text_bench.integrations.inspect_task import clrs_text

    with pytest.raises(PrerequisiteError) as refused:
        clrs_text(**{"data": made.url, **arguments})
    assert sentence in refused.value.message
