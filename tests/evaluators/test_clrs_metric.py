"""CLRS's own metric, held against `clrs.evaluate` on the same predictions."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clrs_text_bench import graph, predictions, schema, tasks, text
from clrs_text_bench.errors import BadInput
from clrs_text_bench.evaluators import leaderboard
from clrs_text_bench.evaluators.clrs_metric import EVALUATOR
from clrs_text_bench.evaluators.evaluate import evaluate
from clrs_text_bench.generators import generate_batch
from clrs_text_bench.protocols import ModelInfo

from .. import tiny_data
from . import upstream_metric

LENGTH, ROWS = 7, 12
SORTS = [
    t.name
    for t in tasks.catalogue().values()
    if any(p.type == "should_be_permutation" for p in t.probes)
]


def table_of(name, **options):
    return generate_batch(name, LENGTH, count=ROWS, **options)


def unpacked(table, name, column, stage):
    rows = [graph.unpack(name, LENGTH, x, stage) for x in table[column].to_pylist()]
    return {key: np.stack([row[key] for row in rows]) for key in rows[0]}


def drawn(task, true, rng, *, share, orders=True):
    """Returns outputs of which a share of the elements is drawn at random, the rest is true.

    With `orders`, an order that is drawn at all is one; without, its pointers need not be.
    """
    found = {}
    for probe in task.stage("output"):
        x = true[probe.name].copy()
        n = x.shape[1] if x.ndim > 1 else 1
        if probe.type == "should_be_permutation" and orders:
            for row in np.flatnonzero(rng.random(len(x)) < share):
                order = rng.permutation(n)
                x[row, order] = [order[0], *order[:-1]]
        elif probe.type == "should_be_permutation":
            # All but the first node's, which alone points to itself.
            moved = (x != np.arange(n)) & (rng.random(x.shape) < share)
            x = np.where(moved, (np.arange(n) + rng.integers(1, n, x.shape)) % n, x)
        elif probe.type in ("mask_one", "categorical"):
            classes = x.shape[-1]
            values = np.eye(classes)[rng.integers(classes, size=x.shape[:-1])]
            x = np.where((rng.random(x.shape[:-1]) < share)[..., None], values, x)
        else:
            most = n if probe.type == "pointer" else 2
            x = np.where(rng.random(x.shape) < share, rng.integers(most, size=x.shape), x)
        found[probe.name] = x.astype(np.float32)
    return found


def spelt(table, task, outputs):
    """Returns outputs as answers in words."""
    given = unpacked(table, task.name, "graph_inputs", "input")
    return [
        text.answer(
            task, {k: v[i] for k, v in given.items()}, {k: v[i] for k, v in outputs.items()}
        )
        for i in range(ROWS)
    ]


def packed(task, outputs):
    rows = [{k: v[i] for k, v in outputs.items()} for i in range(ROWS)]
    return [graph.pack(task.name, LENGTH, row, "output") for row in rows]


def pooled(table, answers, graphs=None):
    given = pa.table({"prediction": pa.array(answers, pa.string())})
    if graphs is not None:
        given = given.append_column(
            schema.GRAPH_PREDICTION, [pa.array(graphs, pa.list_(pa.float32()))]
        )
    scores = EVALUATOR.score(given, table, extraction="strict")
    return EVALUATOR.pooled(scores, np.ones((1, ROWS), int))["clrs_metric"][0], scores


def distinct_keys(table, name):
    """Returns rows of which no two keys are equal, which the text could not tell apart."""
    given = unpacked(table, name, "graph_inputs", "input")
    return np.array([len(set(keys)) == len(keys) for keys in given["key"].tolist()])


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("name", tasks.names())
def test_text_is_judged_as_clrs_judges_what_it_says(name, share):
    task, table = tasks.get(name), table_of(name, seed=3)
    if name in SORTS:
        assert distinct_keys(table, name).all()
    true = unpacked(table, name, "graph_outputs", "output")
    outputs = drawn(task, true, np.random.default_rng(0), share=share)
    found, scores = pooled(table, spelt(table, task, outputs))
    assert found == pytest.approx(upstream_metric.evaluate(task, true, outputs), abs=1e-6)
    # Of a single answer, too.
    for i, score in enumerate(scores["clrs_metric"].to_pylist()):
        one = [{k: v[i : i + 1] for k, v in x.items()} for x in (true, outputs)]
        assert score == pytest.approx(upstream_metric.evaluate(task, *one), abs=1e-6)
    if share == 0:
        assert found == 1


@pytest.mark.parametrize("name", tasks.names())
def test_decoded_graphs_are_judged_as_clrs_judges_them(name):
    """Even where they are no order, which no text can say."""
    task, table = tasks.get(name), table_of(name)
    true = unpacked(table, name, "graph_outputs", "output")
    outputs = drawn(task, true, np.random.default_rng(1), share=0.4, orders=False)
    expected = upstream_metric.evaluate(task, true, outputs)
    found, _ = pooled(table, ["none of it in words"] * ROWS, packed(task, outputs))
    assert 0 < expected < 1
    assert found == pytest.approx(expected, abs=1e-6)
    if name not in SORTS:  # what the text says is all
        assert pooled(table, spelt(table, task, outputs))[0] == found


def test_equal_keys_are_taken_in_the_order_of_the_truth():
    row = tiny_data.sample("insertion_sort", 4, split="test", seed=0, index=0)
    inputs = {"pos": np.arange(4) / 4, "key": np.array([0.5, 0.2, 0.5, 0.2])}
    row["graph_inputs"] = graph.pack("insertion_sort", 4, inputs, "input")
    # Sorted: nodes 3, 1, 2, 0; pointers to predecessors.
    pred = {"pred": np.array([2, 3, 1, 3])}
    row["graph_outputs"] = graph.pack("insertion_sort", 4, pred, "output")
    table = pa.Table.from_pylist([row] * 4, schema=schema.DATASET)
    answers = ["[0.2 0.2 0.5 0.5]", "[0.2 0.5 0.2 0.5]", "[0.2 0.2 0.2 0.5]", "[.5 0.20 2e-1 x]"]
    given = pa.table({"prediction": answers})
    scores = EVALUATOR.score(given, table, extraction="strict")["clrs_metric"].to_pylist()
    # Second: 3, 2, 1, 0: only the first is as it should be. Third: 3, 1, nothing, the first 0.5
    # (node 2) behind it. Last: 2, 3, 1, nothing: of those only that node 3 comes before 1.
    assert scores == [1.0, 0.25, 0.5, 0.25]


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("[0 0 1 2]", 1.0),
        ("[0, 0.0, 1e0, 3]", 0.75),
        ("[0 0 1 x]", 0.75),
        ("[0 0 1 1.5]", 0.75),
        ("[0 0 1 99999999999999999999999]", 0.75),
        ("[0 0 1 2 3]", 0.0),
        ("[-0 0 1 1e400]", 0.75),
        ("0 0 1 2", 0.0),
        ("", 0.0),
        (None, 0.0),
    ],
)
def test_answers_of_all_kinds(answer, score):
    row = table_row("bfs", [0, 0, 1, 2])
    given = pa.table({"prediction": pa.array([answer], pa.string())})
    found = EVALUATOR.score(given, row, extraction="strict")["clrs_metric"].to_pylist()
    assert found == [score]


def table_row(name, output):
    table = generate_batch(name, 4, count=1)
    values = pa.array([output], pa.list_(pa.float32()))
    return table.set_column(table.column_names.index("graph_outputs"), "graph_outputs", values)


def test_an_answer_in_prose_is_found_leniently():
    row = table_row("bfs", [0, 0, 1, 2])
    given = pa.table({"prediction": ["The parents are `[0, 0, 1, 2]`."]})
    for extraction, score in (("strict", 0.0), ("lenient", 1.0)):
        assert EVALUATOR.score(given, row, extraction=extraction)["clrs_metric"][0].as_py() == score


def test_masked_elements_do_not_count():
    table = generate_batch("bridges", 4, count=1)
    (true,) = table["graph_outputs"].to_pylist()
    wrong = [[9 if x == -1 else int(x) for x in row] for row in np.reshape(true, (4, 4)).tolist()]
    said = "[" + ", ".join("[" + " ".join(map(str, row)) + "]" for row in wrong) + "]"
    assert -1 in true
    given = pa.table({"prediction": [said]})
    assert EVALUATOR.score(given, table, extraction="strict")["clrs_metric"][0].as_py() == 1


def test_a_missing_answer_has_no_graph():
    table = table_of("bfs")
    true = table["graph_outputs"].to_pylist()
    _, scores = pooled(table, [None, *[""] * (ROWS - 1)], true)
    assert scores["clrs_metric"].to_pylist() == [0.0] + [1.0] * (ROWS - 1)


def test_without_a_graph_the_text_is_judged():
    table = table_of("bfs")
    graphs = [None, *table["graph_outputs"].to_pylist()[1:]]
    _, scores = pooled(table, [table["answer"][0].as_py(), *[""] * (ROWS - 1)], graphs)
    assert scores["clrs_metric"].to_pylist() == [1.0] * ROWS


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("binary_search", {"use_hints": True}, "a traced answer of binary_search ends in its trac"),
        ("quickselect", {"use_hints": True}, "which clrs-metric is of; score answers to a data se"),
    ],
)
def test_traces_that_end_in_no_output_are_refused(name, change, sentence):
    table = table_of(name, **change)
    with pytest.raises(BadInput, match=sentence):
        EVALUATOR.score(pa.table({"prediction": table["answer"]}), table, extraction="strict")


def test_traced_answers_that_end_in_the_output_are_scored():
    for name in ("bfs", "insertion_sort", "topological_sort"):
        table = table_of(name, use_hints=True)
        assert pooled(table, table["answer"].to_pylist())[0] == 1


def test_graphs_of_a_wrong_size_are_refused():
    table = table_of("bfs")
    with pytest.raises(
        BadInput, match=r"graph_prediction of row 0 \(bfs, length 7\) holds 2 values, expected 7"
    ):
        pooled(table, [""] * ROWS, [[0.0, 1.0]] * ROWS)
    with pytest.raises(BadInput, match="lack column 'graph_outputs'"):
        pooled(table.drop_columns("graph_outputs"), [""] * ROWS)
    with pytest.raises(BadInput, match="1 predictions for 12 references"):
        EVALUATOR.score(pa.table({"prediction": [""]}), table, extraction="strict")


class Decoder:
    """A model that answers nothing in words, but decodes true graphs but for a part of them."""

    def prepare(self, dataset):
        self.dataset = dataset

    def info(self):
        return ModelInfo("decoder", train_lengths=(5,))

    def generate(self, requests):
        rows = [{k: row[k] for k in schema.IDENTITY} for row in requests.to_pylist()]
        for row in rows:
            row |= {"prediction": "?", "finish_reason": "stop", "n_tokens": None, "seconds": 0.0}
            sample = tiny_data.sample(
                row["algo_name"], row["length"], split=row["split"], seed=0, index=row["index"]
            )
            row["graph_prediction"] = decoded(sample, row["index"])
        return pa.Table.from_pylist(rows, schema=predictions.schema_of(["graph_prediction"]))


def decoded(sample, index):
    x = sample["graph_outputs"].copy()
    if index % 2:
        x[0] = (x[0] + 1) % len(x) if sample["algo_name"] == "insertion_sort" else 1 - x[0]
    return x


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return tiny_data.write(tmp_path_factory.mktemp("data") / "set", {"test": [5]})


def test_the_leaderboard_holds_the_metric_of_each_cell_taken_together(dataset, tmp_path):
    options = {"evaluator": "clrs-metric", "results": tmp_path, "save_predictions": True}
    found = evaluate(Decoder(), dataset.url, **options)
    frame = leaderboard.read(leaderboard.results_folder(tmp_path))
    assert leaderboard.score_names(frame) == ["clrs_metric"]
    for cell, row in zip(dataset.cells("test"), frame.to_dict("records"), strict=True):
        task = tasks.get(cell.algorithm)
        true = dataset.read(cell)
        samples = [
            tiny_data.sample(cell.algorithm, 5, split="test", seed=0, index=i) for i in range(20)
        ]
        outputs = [
            [graph.unpack(cell.algorithm, 5, x, "output") for x in given]
            for given in (
                true["graph_outputs"].to_pylist(),
                [decoded(s, i) for i, s in enumerate(samples)],
            )
        ]
        stacked = [{k: np.stack([r[k] for r in rows]) for k in rows[0]} for rows in outputs]
        expected = upstream_metric.evaluate(task, *stacked)
        assert row["clrs_metric"] == pytest.approx(expected)
        assert row["clrs_metric_low"] <= expected <= row["clrs_metric_high"]
    # What was decoded is kept with the answers, and judged again from there.
    kept = tmp_path / "predictions" / found.run
    saved = pq.read_table(kept / "insertion_sort-5.parquet")
    assert saved.column_names == [*schema.PREDICTIONS.names, "graph_prediction"]
    again = evaluate(f"file:{kept}", dataset.url, evaluator="clrs-metric")
    assert again.rows["clrs_metric"].to_pylist() == frame["clrs_metric"].tolist()


def test_f1_is_of_all_answers_of_a_cell():
    table = table_of("articulation_points", seed=1)
    task, rng = tasks.get("articulation_points"), np.random.default_rng(0)
    true = unpacked(table, task.name, "graph_outputs", "output")
    found, scores = pooled(table, spelt(table, task, drawn(task, true, rng, share=0.5)))
    assert abs(found - np.mean(scores["clrs_metric"].to_numpy())) > 0.01
    # As often as it is taken, an answer counts.
    times = np.zeros((1, ROWS), int)
    times[0, 3] = 5
    assert EVALUATOR.pooled(scores, times)["clrs_metric"][0] == pytest.approx(
        scores["clrs_metric"][3].as_py()
    )
