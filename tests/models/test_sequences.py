import jax
import jax.numpy as jnp
import numpy as np
import optax
import pyarrow as pa
import pytest
from flax import nnx

from clrs_text_bench import schema, tokenizers
from clrs_text_bench.errors import BadInput
from clrs_text_bench.models.training.buckets import size_for
from clrs_text_bench.models.training.trainable import module_state
from clrs_text_bench.models.transformer.config import TransformerConfig
from clrs_text_bench.models.transformer.sequences import Sequences, answer_room
from clrs_text_bench.models.transformer.trainable import TrainableTransformer

from .. import tiny_data
from . import tiny_transformer as tiny

ROWS = [
    tiny_data.sample(name, length, split="train", seed=0, index=index)
    for name in tiny_data.ALGORITHMS
    for length in (4, 9)
    for index in range(3)
]
TABLE = pa.Table.from_pylist(ROWS, schema=schema.DATASET)


def encode(loss="answer", **changes):
    return Sequences(TABLE, tiny.config(**changes), seed=0, loss=loss)


def groups(sequences):
    """Returns the rows of each shape, the smallest shape first."""
    return [
        np.flatnonzero([shape == s for s in sequences.shapes])
        for shape in sorted(set(sequences.shapes))
    ]


def batches(sequences):
    return [sequences.batch(rows, 0) for rows in groups(sequences)]


def texts(batch):
    """Returns what is read and what is learnt in each row of a batch, as text."""
    tokenizer = tokenizers.get("compact")
    for tokens, places, targets, weights in zip(
        batch["tokens"], batch["places"], batch["targets"], batch["weights"], strict=True
    ):
        learnt = targets[weights > 0]
        after = tokens[places[weights > 0]]
        yield tokenizer.decode(tokens), tokenizer.decode(learnt), after


def test_every_row_is_read_to_its_last_but_one_token_and_its_answer_learnt():
    found = {}
    for batch in batches(encode()):
        for read, learnt, _ in texts(batch):
            found[read + "\n\n"] = learnt
    assert found == {row["question"] + row["answer"]: row["answer"] for row in ROWS}


def test_on_the_whole_sequence_all_tokens_but_the_first_are_learnt():
    first = tokenizers.get("compact").decode(tokenizers.get("compact").encode("minimum:\n")[:1])
    for batch in batches(encode(loss="sequence")):
        for read, learnt, _ in texts(batch):
            name = read.split("\n")[0] + "\n"
            assert name + learnt == read + "\n\n"
    assert first == "minimum:\n"


def test_a_target_is_learnt_at_the_place_of_the_token_before_it():
    for loss in ("answer", "sequence"):
        for batch in batches(encode(loss=loss)):
            for b in range(len(batch["tokens"])):
                learnt = batch["weights"][b] > 0
                places, targets = batch["places"][b][learnt], batch["targets"][b][learnt]
                following = batch["tokens"][b][places[:-1] + 1]
                assert following.tolist() == targets[:-1].tolist()


def test_no_row_is_padded_beyond_its_shape():
    sequences = encode()
    assert len(set(sequences.shapes)) > 2
    for (T, A), batch in zip(sorted(set(sequences.shapes)), batches(sequences), strict=True):
        assert batch["tokens"].shape[1] == T
        assert {size_for(int((row != 0).sum())) for row in batch["tokens"]} == {T}
        assert batch["places"].shape[1] == A <= T
        most = int(batch["weights"].sum(axis=1).max())
        assert most <= A
        assert 2 * most > A or A <= T / 4


@pytest.mark.parametrize(("kind", "loss"), [("plain", "answer"), ("randomised", "sequence")])
def test_padding_changes_no_loss(kind, loss):
    """A batch's loss is that of its rows by themselves, computed plainly and without padding."""
    config = tiny.config(positions={"kind": kind, "range": 64})
    trainable = TrainableTransformer(config, seed=0, loss=loss)
    params = trainable.init()
    model = nnx.merge(trainable._graph, module_state(trainable._shapes, params))
    sequences = trainable.encode(TABLE)
    tokenizer = tokenizers.get("compact")
    for rows in groups(sequences):
        batch = sequences.batch(rows, 7)
        total, count = 0.0, 0
        for b in range(len(rows)):
            n = int((batch["tokens"][b] != tokenizer.pad_id).sum())
            whole = np.append(batch["tokens"][b, :n], tokenizer.end_id)
            prompt = len(tokenizer.encode(tokenizer.decode(whole).rsplit(":\n", 1)[0] + ":\n"))
            places = jnp.asarray(batch["positions"][b, :n])
            logits = _logits(model, jnp.asarray(whole[:-1]), places)
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, whole[1:])
            chosen = losses[0 if loss == "sequence" else prompt - 1 :]
            total, count = total + float(chosen.sum()), count + len(chosen)
        found = jax.jit(trainable.loss)(params, batch)
        assert [float(f) for f in found] == pytest.approx([total, count], rel=1e-5)


@nnx.jit
def _logits(model, tokens, places):
    x, _ = model(tokens[None], places[None])
    return model.logits(x)[0]


def test_randomised_positions_are_drawn_anew_at_each_visit_and_alike_on_the_same_one():
    sequences = encode(positions={"kind": "randomised", "range": 64})
    rows = groups(sequences)[0]
    draws = [sequences.batch(rows, visit)["positions"] for visit in (1, 1, 2)]
    assert np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
    tokens = sequences.batch(rows, 1)["tokens"]
    for places, row in zip(draws[0], tokens, strict=True):
        assert (np.diff(places[: (row != 0).sum()]) > 0).all()


def test_a_row_beyond_the_context_is_named():
    with pytest.raises(
        BadInput, match=r"insertion_sort at length 9 has \d+ tokens, more than model.context 20"
    ):
        encode(context=20)


def test_an_answer_beyond_the_longest_is_named():
    sentence = (
        r"an answer of insertion_sort at length 9 has 12 tokens, more than model.max_answer 10"
    )
    with pytest.raises(BadInput, match=sentence):
        encode(max_answer=10)


def test_the_room_for_an_answer_ends_with_the_context():
    config = TransformerConfig(context=100, max_answer=30)
    assert [answer_room(config, n) for n in (10, 70, 71, 99, 100, 500)] == [30, 30, 29, 1, 0, 0]


def test_an_answer_without_its_end_is_given_one():
    row = {**ROWS[0], "answer": "2"}
    table = pa.Table.from_pylist([row], schema=schema.DATASET)
    sequences = Sequences(table, tiny.config(), seed=0, loss="answer")
    ((_, learnt, _),) = texts(sequences.batch(np.arange(1), 0))
    assert learnt == "2\n\n"


def test_the_loss_is_finite_and_has_gradients_everywhere_but_in_unused_tokens():
    trainable = TrainableTransformer(tiny.config(), seed=0, loss="answer")
    sequences = trainable.encode(TABLE)
    batch = sequences.batch(groups(sequences)[0][:2], 0)
    gradients, _ = jax.jit(jax.grad(trainable.loss, has_aux=True))(trainable.init(), batch)
    assert all(np.isfinite(g).all() and np.abs(g).sum() > 0 for g in jax.tree.leaves(gradients))
