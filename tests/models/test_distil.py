"""What a student learns of a teacher, held to values by hand and to exact properties."""

import sqlite3

import jax
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from clrs_text_bench import schema
from clrs_text_bench.errors import BadInput, RunFailed
from clrs_text_bench.identity import SampleId
from clrs_text_bench.models.distil import losses
from clrs_text_bench.models.distil.answers import Answer, Answers
from clrs_text_bench.models.distil.config import DistilConfig
from clrs_text_bench.models.distil.examples import DROPPED
from clrs_text_bench.models.distil.student import Student
from clrs_text_bench.models.distil.teacher import Teacher, load
from clrs_text_bench.models.training import config as configs
from clrs_text_bench.models.training import imported, mesh
from clrs_text_bench.models.training.trainable import build
from clrs_text_bench.protocols import ModelInfo

from .. import tiny_data
from . import tiny_run, tiny_teacher

SHARES = np.array([[[0.5, 0.25, 0.25], [0.1, 0.6, 0.3]]], np.float32)
THEIRS = np.array([[[0.25, 0.5, 0.25], [0.2, 0.2, 0.6]]], np.float32)
BATCH = {
    "targets": np.array([[0, 2]], np.int32),
    "weights": np.array([[1, 0.5]], np.float32),
}


def kl(p, q):
    return sum(a * np.log(a / b) for a, b in zip(p, q, strict=True))


def test_divergences_are_those_by_hand():
    found = losses.divergences(np.log(THEIRS), np.log(SHARES), 1.0)
    expected = [kl(THEIRS[0, i].tolist(), SHARES[0, i].tolist()) for i in range(2)]
    np.testing.assert_allclose(found, [expected], rtol=1e-5)


def test_a_temperature_flattens_both_and_makes_up_for_smaller_gradients():
    def at(shares):  # a softmax at temperature 2 is of the square roots
        roots = np.sqrt(shares)
        return roots / roots.sum(axis=-1, keepdims=True)

    found = losses.divergences(np.log(at(THEIRS)), np.log(SHARES), 2.0)
    expected = [4 * kl(at(THEIRS)[0, i].tolist(), at(SHARES)[0, i].tolist()) for i in range(2)]
    np.testing.assert_allclose(found, [expected], rtol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-5, 5, width=32), min_size=8, max_size=8), st.floats(0.5, 4))
def test_no_divergence_is_below_0_and_its_gradient_is_the_cross_entropys(values, temperature):
    logits = np.array(values, np.float32).reshape(2, 1, 1, 4)
    own, theirs = logits[0], jax.nn.log_softmax(logits[1] / temperature)

    def loss(logits):
        return losses.divergences(theirs, logits, temperature)[0, 0]

    assert loss(own) >= -1e-5
    expected = temperature * (jax.nn.softmax(own / temperature) - np.exp(theirs))
    np.testing.assert_allclose(jax.grad(loss)(own), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"targets": "sequences"}, (np.log(2) + 0.5 * np.log(1 / 0.3))),
        (
            {"targets": "distributions"},
            kl(THEIRS[0, 0], SHARES[0, 0]) + 0.5 * kl(THEIRS[0, 1], SHARES[0, 1]),
        ),
        (
            {"targets": "both", "sequence_weight": 0.5, "distribution_weight": 3.0},
            0.5 * (np.log(2) + 0.5 * np.log(1 / 0.3))
            + 3 * (kl(THEIRS[0, 0], SHARES[0, 0]) + 0.5 * kl(THEIRS[0, 1], SHARES[0, 1])),
        ),
    ],
    ids=lambda x: x["targets"] if isinstance(x, dict) else "",
)
def test_targets_are_weighed_as_asked(config, expected):
    total, count = losses.total(DistilConfig(**config), np.log(SHARES), np.log(THEIRS), BATCH)
    np.testing.assert_allclose(total, expected, rtol=1e-5)
    assert count == 1.5


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"temperature": 2.0}, "temperature 2.0 is of distributions, and targets is sequences"),
        ({"targets": "distributions", "sequence_weight": 2.0}, "weighs one target against another"),
        ({"targets": "both", "temperature": 0.0}, "greater than 0"),
    ],
)
def test_a_setting_that_would_not_be_read_is_refused(config, sentence):
    with pytest.raises(ValidationError, match=sentence):
        DistilConfig(**config)


SAMPLES = [SampleId(-3, "train", "bfs", 4, index) for index in (0, 7, 2**40)]
SAID = [Answer("[0 é]", "stop"), Answer(None, "error"), Answer("", "length")]


def test_answers_are_found_again_by_identity_alone(tmp_path):
    answers = Answers(tmp_path)
    assert answers.find(SAMPLES) == [None] * 3
    answers.keep(SAMPLES, SAID)
    order = [2, 0, 1, 0]
    assert Answers(tmp_path).find([SAMPLES[i] for i in order]) == [SAID[i] for i in order]
    others = [SampleId(0, "train", "bfs", 4, 0), SampleId(-3, "test", "bfs", 4, 0)]
    assert answers.find(others) == [None] * 2


def test_answers_are_kept_all_or_none(tmp_path):
    answers = Answers(tmp_path)
    with pytest.raises(BadInput, match=r"cannot use the teacher's answers in .*answers.sqlite"):
        answers.keep(SAMPLES, [*SAID[:2], Answer("", None)])
    assert answers.find(SAMPLES) == [None] * 3


def test_a_damaged_and_a_newer_file_of_answers_are_refused(tmp_path):
    answers = Answers(tmp_path)
    answers.keep(SAMPLES, SAID)
    path = tmp_path / "teacher" / "answers.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 2")
    with pytest.raises(BadInput, match="format version 2, newer than the 1"):
        answers.find(SAMPLES)
    path.write_bytes(b"no database" * 100)
    with pytest.raises(BadInput, match=r"not a database.*remove the file"):
        answers.find(SAMPLES)


@pytest.fixture(scope="module")
def teachers(tmp_path_factory):
    """Specs of a Transformer, of one with the student's parameters, and of a TransNAR."""
    folder = tmp_path_factory.mktemp("teachers")
    tiny_teacher.transformer(folder / "text")
    tiny_teacher.transnar(folder / "graph", tiny_teacher.reasoner(folder / "nar"))
    config = tiny_run.config()
    trainable = build(config)
    imported.write(folder / "same", config, trainable, folder, trainable.init())
    return {
        "text": f"transformer:{folder / 'text'}",
        "same": f"transformer:{folder / 'same'}",
        "graph": f"transnar:{folder / 'graph'}",
    }


def student(spec, run, **distil):
    config = tiny_run.config()
    return Student(build(config), load(spec), DistilConfig(**distil), run, show=False)


@pytest.fixture(scope="module")
def table(dataset):
    return pa.concat_tables([dataset.read(c, limit=4) for c in dataset.cells("train")])


def completed(student, table):
    """Returns the first batch of one shape, complete."""
    examples = student.encode(table)
    rows = [i for i, shape in enumerate(examples.shapes) if shape == examples.shapes[0]]
    one = mesh.make(configs.Mesh(), len(rows))
    return student.complete(mesh.place_batch(one, examples.batch(np.array(rows), 0)))


def test_a_teacher_that_is_the_student_teaches_nothing_new(teachers, table, tmp_path):
    same = student(teachers["same"], tmp_path, targets="distributions", temperature=2.0)
    params, batch = same.init(), completed(same, table)
    loss = jax.jit(jax.value_and_grad(lambda p: same.loss(p, batch)[0]))
    value, gradients = loss(params)
    assert abs(float(value)) < 1e-4
    assert max(float(np.abs(x).max()) for x in jax.tree.leaves(gradients)) < 1e-4
    assert float(same.loss(jax.tree.map(lambda x: 1.1 * x, params), batch)[0]) > 0.1


def test_a_step_holds_no_parameter_of_the_teacher(teachers, table, tmp_path):
    graph = student(teachers["graph"], tmp_path, targets="distributions")
    batch = completed(graph, table)
    assert set(batch) == {"tokens", "positions", "places", "targets", "weights", "of_teacher"}
    program = jax.make_jaxpr(graph.loss)(graph.init(), batch)
    assert program.consts == []
    assert jax.tree.structure(graph.init()) == jax.tree.structure(graph.text.init())
    assert graph.record() == graph.text.record()


@pytest.mark.parametrize("kind", ["text", "graph"])
def test_distributions_are_those_of_the_teachers_own_passes(teachers, table, tmp_path, kind):
    made = student(teachers[kind], tmp_path, targets="distributions", temperature=1.5)
    batch = jax.tree.map(np.asarray, completed(made, table))
    model = made._teacher.model
    examples = model.trainable.encode_with(model.params, table)
    rows = [i for i, shape in enumerate(examples.shapes) if shape == examples.shapes[0]]
    theirs = examples.batch(np.array(rows), 0)
    np.testing.assert_array_equal(theirs["tokens"], batch["tokens"])
    logits = np.asarray(jax.jit(model.trainable.target_logits)(model.params, theirs))
    expected = jax.nn.log_softmax(logits / 1.5)
    np.testing.assert_allclose(batch["of_teacher"], expected, atol=1e-5)
    following = tiny_teacher.following(made.text.tokenizer)
    asked = table["question"][rows[0]].as_py()
    last = int(made.text.tokenizer.encode(asked)[-1])
    assert np.argmax(batch["of_teacher"][0, 0]) == following[last]


def test_a_teacher_with_index_hints_reads_the_students(table, tmp_path):
    spec = f"transformer:{tiny_teacher.transformer(tmp_path / 'hinted', index_hints='random')}"
    pupil = build(tiny_run.config("model.index_hints=random", "train.seed=5"))
    lesson = DistilConfig(targets="distributions")
    made = Student(pupil, load(spec), lesson, tmp_path, show=False)
    batch = jax.tree.map(np.asarray, completed(made, table))
    model = made._teacher.model
    assert (
        model.trainable.encode(table)._tokens[0].tolist() != pupil.encode(table)._tokens[0].tolist()
    )
    logits = np.asarray(jax.jit(model.trainable.target_logits)(model.params, batch))
    np.testing.assert_allclose(batch["of_teacher"], jax.nn.log_softmax(logits), atol=1e-5)


@pytest.mark.parametrize("kind", ["text", "graph"])
def test_answers_stand_in_for_the_truth_and_endless_ones_are_dropped(
    teachers, table, tmp_path, kind
):
    made = student(teachers[kind], tmp_path, targets="both")
    examples = made.encode(table)
    names = table["algo_name"].to_pylist()
    assert len(examples.shapes) == names.count("minimum") == len(names) // 2
    tokenizer = made.text.tokenizer
    batch = examples.batch(np.array([0]), 0)
    targets = batch["targets"][batch["weights"] > 0].tolist()
    assert tokenizer.decode(targets) == f"{tiny_teacher.MINIMUM}\n\n"
    assert batch[DROPPED].tolist() == [0.5]
    completed(made, table)
    assert made.noted() == {"dropped_share": 0.5}
    only = table.filter(pa.array([name == "insertion_sort" for name in names]))
    with pytest.raises(BadInput, match="no answer to any of 8 rows"):
        made.encode(only)


class Says:
    """A model that says one thing to all."""

    def __init__(self, text, reason="stop"):
        self.text, self.reason, self.asked = text, reason, []

    def info(self):
        return ModelInfo("says")

    def generate(self, requests):
        assert "answer" not in requests.column_names
        self.asked.append(requests.num_rows)
        count = requests.num_rows
        return pa.table({"prediction": [self.text] * count, "finish_reason": [self.reason] * count})


@pytest.mark.parametrize(
    ("text", "reason", "learnt"),
    [
        ("[0.5]", "stop", "[0.5]\n\n"),
        ("[0.5]\n", "stop", "[0.5]\n\n"),
        ("[0.5]\n\nSo it is.", "stop", "[0.5]\n\n"),
        ("", "stop", "\n\n"),
        ("[0.5]", "length", None),
        (None, "error", None),
        ("z" * 15, "stop", "z" * 15 + "\n\n"),
        ("z" * 16, "stop", None),
        ("z" * 10**6, "stop", None),
    ],
)
def test_what_is_learnt_of_an_answer(table, tmp_path, text, reason, learnt):
    config = tiny_run.config("model.tokenizer=char", "model.context=256")
    model = Says(text, reason)
    made = Student(build(config), Teacher("says", model), DistilConfig(), tmp_path, show=False)
    if learnt is None:
        with pytest.raises(BadInput, match="no answer to any of 16 rows"):
            made.encode(table)
        return
    batch = made.encode(table).batch(np.array([0]), 0)
    targets = batch["targets"][batch["weights"] > 0].tolist()
    assert made.text.tokenizer.decode(targets) == learnt
    made.encode(pa.concat_tables([table, table]))
    assert model.asked == [table.num_rows]


@pytest.mark.parametrize(
    ("text", "spare", "fits"),
    [
        ("[0.5 0.25]", 2, True),  # as many as it has hints
        ("[0.5 0.25]", 1, False),
        (f"[{'1 ' * 101}]", 200, False),  # more elements than there are hints
    ],
)
@pytest.mark.parametrize("kind", ["plain", "random"])
def test_an_answer_that_hints_make_too_long_is_dropped(table, tmp_path, kind, text, spare, fits):
    tokens = build(tiny_run.config()).tokenizer.encode(text + "\n\n")
    room = (f"model.max_answer={len(tokens) + spare}", "model.context=1000")
    pupil = build(tiny_run.config(f"model.index_hints={kind}", *room))
    made = Student(pupil, Teacher("says", Says(text)), DistilConfig(), tmp_path, show=False)
    if fits:
        assert len(made.encode(table).shapes) == table.num_rows
    else:
        with pytest.raises(BadInput, match="no answer to any of 16 rows"):
            made.encode(table)


def test_what_is_closed_asks_nothing_more(table, tmp_path):
    model = Says("3")
    made = Student(
        build(tiny_run.config()), Teacher("says", model), DistilConfig(), tmp_path, show=False
    )
    made.close()
    with pytest.raises(RunFailed, match="stopped while the teacher was answering"):
        made.encode(table)
    assert model.asked == []


def test_a_question_beyond_the_students_context_is_refused_not_dropped(tmp_path):
    rows = [tiny_data.sample("minimum", 40, split="train", seed=0, index=i) for i in range(2)]
    long = pa.Table.from_pylist(rows, schema=schema.DATASET)
    made = Student(
        build(tiny_run.config("model.context=32")),
        Teacher("says", Says("3")),
        DistilConfig(),
        tmp_path,
        show=False,
    )
    with pytest.raises(BadInput, match=r"more than model.context 32"):
        made.encode(long)
