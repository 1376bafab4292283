"""Runs that learn from a teacher: what they leave behind, cut off and gone on with, refused."""

import json
import shutil

import jax
import pytest

from clrs_text_bench.cli.main import main
from clrs_text_bench.errors import BadInput
from clrs_text_bench.models import load
from clrs_text_bench.models.distil.teacher import Teacher
from clrs_text_bench.models.distil.teacher import load as teacher_of
from clrs_text_bench.models.training import run
from clrs_text_bench.models.training.trainable import build

from .. import command, tiny_data
from . import tiny_run, tiny_teacher
from .tiny_run import logged, metrics, params, stop_at

DISTIL = """
[distil]
targets = "both"
temperature = 2.0
"""


def config(*overrides):
    return tiny_run.configs.parse(tiny_run.TOML + DISTIL, "tiny.toml", overrides)


def distil(spec, dataset, out, *overrides, **options):
    teacher = teacher_of(spec)
    return run.train(config(*overrides), dataset.url, out, show=False, teacher=teacher, **options)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return f"transformer:{tiny_teacher.transformer(tmp_path_factory.mktemp('teacher') / 'run')}"


@pytest.fixture(scope="module")
def student(teacher, dataset, tmp_path_factory):
    """The folder of a student that nothing cut off."""
    out = tmp_path_factory.mktemp("runs") / "student"
    assert distil(teacher, dataset, out)
    return out


def test_what_the_true_algorithms_teach_is_the_truth_bit_for_bit(unbroken, dataset, tmp_path):
    plain = ("distil.targets=sequences", "distil.temperature=1.0")
    assert distil("solver", dataset, tmp_path / "run", *plain)
    assert params(tmp_path / "run") == params(unbroken)
    assert all(x["dropped_share"] == 0 for x in metrics(tmp_path / "run") if x["kind"] == "train")


def test_a_student_is_an_ordinary_run_that_answers_without_its_teacher(student, teacher, dataset):
    record = json.loads((student / "run.json").read_text())
    assert record["teacher"]["spec"] == teacher
    assert record["teacher"]["checkpoint"] == teacher_of(teacher).model.info().checkpoint
    assert record["config"]["distil"]["temperature"] == 2.0
    lines = [x for x in metrics(student) if x["kind"] == "train"]
    assert all(0.3 < x["dropped_share"] < 0.7 for x in lines)
    assert lines[-1]["loss"] < lines[0]["loss"]
    model = load(f"transformer:{student}")
    rows = tiny_data.rows(dataset)
    assert model.generate(rows).num_rows == rows.num_rows
    own = sum(x.size for x in jax.tree.leaves(build(config()).shapes()))
    assert model.info().n_parameters == own


def test_a_student_cut_off_goes_on_to_the_same_bits_and_asks_nothing_twice(
    student, teacher, dataset, tmp_path, monkeypatch
):
    asked = []
    original = Teacher.answers

    def answers(self, requests):
        asked.extend(map(str, requests.select(["algo_name", "length", "index"]).to_pylist()))
        return original(self, requests)

    monkeypatch.setattr(Teacher, "answers", answers)
    out = tmp_path / "run"
    with monkeypatch.context() as patched:
        stop_at(patched, 7)
        assert not distil(teacher, dataset, out)
    assert distil(teacher, dataset, out, resume=True)
    assert params(out) == params(student)
    assert params(out, "best") == params(student, "best")
    assert logged(out) == logged(student)
    assert asked
    assert len(set(asked)) == len(asked)


def test_a_run_is_gone_on_with_by_its_own_teacher_and_command(student, teacher, dataset, tmp_path):
    out = shutil.copytree(student, tmp_path / "run")
    other = f"transformer:{tiny_teacher.transformer(tmp_path / 'other', max_answer=8)}"
    with pytest.raises(BadInput, match=f"was begun with teacher {teacher}, and {other} is another"):
        distil(other, dataset, out, resume=True)
    with pytest.raises(BadInput, match="was begun by clrs-text-bench distil TEACHER; go on with"):
        run.train(config(), dataset.url, out, show=False, resume=True)
    moved = shutil.copytree(teacher.removeprefix("transformer:"), tmp_path / "moved")
    assert distil(f"transformer:{moved}", dataset, out, resume=True)
    assert params(out) == params(student)


def test_trained_on_the_truth_a_config_is_read_without_its_table(unbroken, dataset, tmp_path):
    out = shutil.copytree(unbroken, tmp_path / "run")
    assert tiny_run.train(config(), dataset, out, resume=True)
    assert tiny_run.contents(out) == tiny_run.contents(unbroken)
    assert json.loads((out / "run.json").read_text())["teacher"] is None
    with pytest.raises(BadInput, match="was begun by clrs-text-bench train; go on with that"):
        distil("solver", dataset, out, resume=True)


def test_overwriting_forgets_what_another_teacher_answered(student, dataset, tmp_path):
    out = shutil.copytree(student, tmp_path / "run")
    with pytest.raises(BadInput, match=r"more than model.context 8"):
        tiny_run.train(tiny_run.config("model.context=8"), dataset, out, overwrite=True)
    assert not (out / "teacher").exists()


@pytest.fixture
def here(dataset, teacher, tmp_path, monkeypatch):
    (tmp_path / "data").symlink_to(dataset.url)
    (tmp_path / "text").symlink_to(teacher.removeprefix("transformer:"))
    (tmp_path / "tiny.toml").write_text(tiny_run.TOML)
    monkeypatch.chdir(tmp_path)
    return tmp_path


SOFT = "tiny.toml distil.targets=distributions"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("solvr tiny.toml", "unknown model 'solvr'; did you mean 'solver'?"),
        ("transformer:none tiny.toml", "run none does not exist"),
        ("solver nar-smoke", "distil trains a Transformer, which needs no graph, and model.kind"),
        (f"solver {SOFT}", "teacher solver answers, but has no distributions over tokens"),
        (
            f"transformer:text {SOFT} model.tokenizer=char",
            "spells text with tokeniser compact and the student with char",
        ),
        (f"transformer:text {SOFT} model.vocab_size=2000", "say model.vocab_size = 1718"),
        (
            f"transformer:text {SOFT} model.index_hints=random",
            'was trained with model.index_hints = "none" and the student is with "random"',
        ),
        (
            f"transformer:text?temperature=2 {SOFT}",
            "says after ? how it answers, and its answers are no target",
        ),
        ("solver tiny.toml distil.temperature=2.0", "temperature 2.0 is of distributions"),
        ("solver tiny.toml distil.target=both", "unknown key 'distil.target'"),
        ("majority tiny.toml distil.targets=both", "teacher majority answers, but has no"),
    ],
)
def test_bad_input_ends_in_a_sentence_and_leaves_no_run(given, sentence, here):
    before = tiny_run.contents(here)
    said = command.sentence_here("distil", *given.split(), "--data", "data", "--out", "run")
    assert sentence in said
    assert tiny_run.contents(here) == before


def test_train_refuses_what_is_of_distil(here):
    said = command.sentence_here(
        *("train", "tiny.toml", "distil.temperature=2.0", "--data", "data", "--out", "run")
    )
    assert said == "distil.temperature=2.0 is for clrs-text-bench distil; leave it out of train"


def succeeds(*arguments):
    with pytest.raises(SystemExit) as end:
        main([str(a) for a in arguments])
    assert end.value.code == 0


def test_a_transnar_is_distilled_and_its_student_evaluated(here, capsys):
    spec = f"transnar:{tiny_teacher.transnar(here / 'graph', tiny_teacher.reasoner(here / 'nar'))}"
    succeeds("distil", spec, *SOFT.split(), "--data", "data", "--out", "student")
    assert "evaluate transformer:student --data DATASET" in capsys.readouterr().err
    for folder in ("graph", "nar"):
        shutil.rmtree(here / folder)
    succeeds("evaluate", "transformer:student", "--data", "data", "--limit", "4")
    assert "unanswered" in capsys.readouterr().out
