"""CLRS's own metric: accuracy of pointers and classes, F1 of masks.

Source: `evaluate` in `clrs._src.evaluation` (Velickovic et al. 2022, section 4): of each output

* pointers (orders among them), a mask of one node, classes: share of the elements that are right;
* masks: F1 of the elements that are 1 (1 where none is and none is said to be);

masked elements do not count, and the metric is the mean over outputs. All answers of an algorithm
and length are taken together, so it is no mean of each answer's own: F1 is of all their elements.

It is of what an answer says of the graph. Text says all of it, with one exception: a list of sorted
keys is always an order, and does not tell equal keys apart, while a network's pointers to
predecessors need not be an order at all. A model that decodes a graph therefore returns it beside
its text (`schema.GRAPH_PREDICTION`), and is judged by that. An answer of the wrong shape has all
its elements wrong.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clrs_text_bench import schema, tasks
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import Extraction
from clrs_text_bench.tasks import Task

from . import answer_values, columns, probe_values
from .extraction import answers_in
from .grammar import Grammar, by_grammar
from .probe_values import Truth, Values

_SCORE, _RIGHT, _ALL = "clrs_metric", "metric_right", "metric_all"


class ClrsMetric:
    """The evaluator of CLRS's own metric (see `protocols.PoolingEvaluator`)."""

    scores = (_SCORE,)

    def score(
        self, predictions: pa.Table, references: pa.Table, *, extraction: Extraction
    ) -> pa.Table:
        """Scores predictions row for row; tasks and lengths may be mixed.

        Args:
          predictions: with a column `prediction` of strings, null where an answer is missing, and
            maybe `schema.GRAPH_PREDICTION`.
          references: with columns algo_name, length, use_hints, graph_inputs and graph_outputs, in
            the same order.
          extraction: how an answer is found in a completion.

        Returns:
          Column clrs_metric (float32): the metric of each answer alone. Columns metric_right and
          metric_all (lists of float64, one value per output): what `pooled` adds up; the metric
          of an output is the quotient of both.

        Raises:
          BadInput: if a column is missing or of a wrong type, the tables have not as many rows, an
            algorithm is unknown, has an output that the metric is not of, or a traced answer that
            does not end in its outputs.
        """
        if len(predictions) != len(references):
            raise BadInput(
                f"there are {len(predictions)} predictions for {len(references)} references; row "
                "for row scoring needs one for each"
            )
        answers = columns.texts(predictions, "prediction", "the predictions")
        groups = by_grammar(references)
        answers = answers_in(answers, groups, extraction)
        scores = np.zeros(len(references), np.float32)
        right, all_ = [[] for _ in scores], [[] for _ in scores]
        for grammar, rows in groups:
            task = _judged(grammar)
            true = probe_values.unpacked(references, "graph_outputs", rows, grammar, task)
            truth = probe_values.truth(task, true)
            said = _said(task, grammar, rows, references, answers, truth)
            _put_graphs(said, task, grammar, rows, predictions)
            hits_RxO, of_RxO = _counts(task, said, truth)
            scores[rows] = _quotients(hits_RxO, of_RxO)
            for row, hits_O, of_O in zip(rows, hits_RxO.tolist(), of_RxO.tolist(), strict=True):
                right[row], all_[row] = hits_O, of_O
        counts = pa.list_(pa.float64())
        return pa.table(
            {_SCORE: scores, _RIGHT: pa.array(right, counts), _ALL: pa.array(all_, counts)}
        )

    def pooled(self, scores: pa.Table, times: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the metric of answers of one algorithm; see `protocols.PoolingEvaluator`."""
        hits_RxO, of_RxO = (
            scores[name].combine_chunks().flatten().to_numpy().reshape(len(scores), -1)
            for name in (_RIGHT, _ALL)
        )
        return {_SCORE: _quotients(times @ hits_RxO, times @ of_RxO)}


EVALUATOR = ClrsMetric()


def _judged(grammar: Grammar) -> Task:
    """Returns a grammar's task; raises `BadInput` if the metric is not of it."""
    task = tasks.get(grammar.algorithm)
    if grammar.traced and task.final_from_trace:
        raise BadInput(
            f"a traced answer of {task.name} ends in its trace's last step, not in its output, "
            "which clrs-metric is of; score answers to a data set made without --hints"
        )
    for probe in task.stage("output"):
        if probe.type == "scalar":
            raise BadInput(
                f"output {probe.name!r} of {task.name} is a scalar, whose error is no share from "
                "0 to 1; clrs-metric is of pointers, masks and classes"
            )
    return task


def _said(
    task: Task,
    grammar: Grammar,
    rows: np.ndarray,
    references: pa.Table,
    answers: columns.Texts,
    truth: Truth,
) -> Values:
    """Returns what the answers' texts say of the outputs."""
    elements = answer_values.values(grammar, rows, answers)
    said = probe_values.of_answers(grammar, task, elements)
    for probe in task.stage("output"):
        if probe.type == "should_be_permutation":
            inputs = probe_values.unpacked(references, "graph_inputs", rows, grammar, task)
            said[probe.name] = probe_values.pointers(
                said[probe.name], inputs["key"], truth.values[probe.name]
            )
    return said


def _put_graphs(
    said: Values, task: Task, grammar: Grammar, rows: np.ndarray, predictions: pa.Table
) -> None:
    """Puts decoded outputs in place of what the text says, where a row has them and an answer."""
    name = schema.GRAPH_PREDICTION.name
    if name not in predictions.column_names:
        return
    there = pc.and_(pc.is_valid(predictions["prediction"]), pc.is_valid(predictions[name]))
    places = np.flatnonzero(there.to_numpy()[rows])
    if len(places):
        outputs = probe_values.unpacked(predictions, name, rows[places], grammar, task)
        for probe, values in probe_values.of_graph(task, outputs).items():
            said[probe][places] = values


def _counts(task: Task, said: Values, truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    """Returns what each output's metric is the quotient of, `[R, outputs]` each.

    F1 is 2 t / (2 t + w), with t elements that are rightly 1 and w wrong ones.
    """
    hits, of = [], []
    for probe in task.stage("output"):
        values, counts = truth.values[probe.name], truth.counts[probe.name]
        same = said[probe.name] == values
        if probe.type == "mask":
            hits.append(2.0 * np.sum(counts & same & (values == 1), axis=1))
            of.append(hits[-1] + np.sum(counts & ~same, axis=1))
        else:
            hits.append(np.sum(counts & same, axis=1).astype(np.float64))
            of.append(np.sum(counts, axis=1).astype(np.float64))
    return np.stack(hits, axis=1), np.stack(of, axis=1)


def _quotients(hits: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Returns the means over the last axis, outputs, of quotients; 1 where nothing counts."""
    return np.mean(np.divide(hits, of, out=np.ones_like(hits), where=of > 0), axis=-1)
