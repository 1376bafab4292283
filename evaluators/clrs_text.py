"""The scores of CLRS-Text answers: shape, parse, clrs and exact, and those of the trace.

Shape, parse and clrs are those of TransNAR (Bounsi et al. 2024, arXiv 2406.09308):

* shape: 1 if the final answer has the brackets and number of elements that the task and the size
  ask for, whatever its elements are;
* parse: 1 if the final answer is not empty and holds no character that is illegal for the task;
* clrs: share of the elements that equal the truth's as numbers; 0 where shape is 0;
* exact: 1 if all three are 1.

Where the text holds a trace, its steps are compared one by one: trace_share is the number of right
steps over that of steps due or given, whichever is more (1 if there are none, 0 for an empty
answer), and first_wrong_step is the place of the first that is wrong, missing or surplus, from 0.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from clrs_text_bench import schema
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import Extraction

from . import columns
from .columns import Texts
from .extraction import answers_in
from .grammar import Grammar, Groups, by_grammar, grammar
from .matching import align
from .scan import Verdicts, score_rows


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one answer; the module says what each means.

    Attributes:
      shape: 0 or 1.
      parse: 0 or 1.
      clrs: 0..1.
      exact: 0 or 1.
      trace_share: 0..1; None where the text holds no trace.
      first_wrong_step: from 0; None where no step is wrong or the text holds no trace.
    """

    shape: float
    parse: float
    clrs: float
    exact: float
    trace_share: float | None = None
    first_wrong_step: int | None = None


class ClrsText:
    """The evaluator of CLRS-Text answers (see `protocols.Evaluator`)."""

    scores = ("shape", "parse", "clrs", "exact")

    def score(
        self, predictions: pa.Table, references: pa.Table, *, extraction: Extraction
    ) -> pa.Table:
        """Scores predictions row for row; tasks, lengths and modes may be mixed.

        Args:
          predictions: with a column `prediction` of strings, null where an answer is missing.
          references: with columns answer, algo_name, length and use_hints, in the same order.
          extraction: "strict" takes the completion as it is, "lenient" finds the last well-formed
            answer in it.

        Returns:
          Columns shape, parse, clrs, exact, trace_share (float32) and first_wrong_step (int32).
          The last two are null where the text holds no trace, the last where no step is wrong.

        Raises:
          BadInput: if a column is missing or of a wrong type, the tables have not as many rows, an
            algorithm is unknown, a length too small, or a true answer not what its task asks for.
        """
        if len(predictions) != len(references):
            raise BadInput(
                f"there are {len(predictions)} predictions for {len(references)} references; row "
                "for row scoring needs one for each"
            )
        answers = columns.texts(predictions, "prediction", "the predictions")
        truths = columns.texts(references, "answer", "the references")
        return _table(*_score(answers, truths, by_grammar(references), extraction))


EVALUATOR = ClrsText()


def score_table(
    predictions: pa.Table, references: pa.Table, extraction: Extraction = "strict"
) -> pa.Table:
    """Scores a table of predictions against the rows of a data set.

    Args:
      predictions: column `prediction`, and the identity columns (`schema.IDENTITY`) by which its
        rows are matched to the references; row for row if it has none of them.
      references: the rows of a data set, in `schema.DATASET` or its identity columns, `answer` and
        `use_hints`.
      extraction: "strict" or "lenient", as in `score_answer`.

    Returns:
      A table in `schema.SCORES`, in the references' order; a reference without a prediction
      scores 0.

    Raises:
      BadInput: if a column is missing or of a wrong type, a prediction is for no reference or for
        one that has another already, or a true answer is not what its task asks for.
    """
    rows = align(predictions, references)
    answers = columns.strings(predictions, "prediction", "the predictions")
    answers = answers.take(pa.array(rows, mask=rows < 0))
    scores = EVALUATOR.score(pa.table({"prediction": answers}), references, extraction=extraction)
    identity = []
    for name in schema.IDENTITY:
        kind = schema.SCORES.field(name).type
        read = columns.strings if kind == pa.string() else columns.integers
        identity.append(pa.array(read(references, name, "the references")).cast(kind))
    return pa.Table.from_arrays([*identity, *scores.columns], schema=schema.SCORES)


def score_answer(
    algorithm: str,
    length: int,
    prediction: str | None,
    truth: str,
    use_hints: bool = False,
    extraction: Extraction = "strict",
) -> Scores:
    """Scores one answer.

    Args:
      algorithm: name of the task.
      length: length of the sample.
      prediction: the completion; None if there is none.
      truth: the true answer, as in a data set's column `answer`.
      use_hints: whether the question was in the mode with hints.
      extraction: "strict" takes the completion as it is, "lenient" finds the last well-formed
        answer in it.

    Raises:
      BadInput: if the algorithm is unknown, the length too small, or the truth not what the task
        asks for.

    >>> score_answer("bfs", 4, "[0, 0, 1, x]", "[0 0 1 2]")
    Scores(shape=1.0, parse=0.0, clrs=0.75, exact=0.0, trace_share=None, first_wrong_step=None)
    """
    rules = grammar(algorithm, length, use_hints)
    answers, truths = columns.texts_of([prediction]), columns.texts_of([truth])
    groups = [(rules, np.zeros(1, np.int64))]
    verdicts, *_ = _score(answers, truths, groups, extraction)
    (shape,), (parse,), (right,), (share,), (wrong,) = (v.tolist() for v in verdicts)
    return Scores(
        float(shape),
        float(parse),
        right / rules.n_elements,
        float(shape and parse and right == rules.n_elements),
        share if rules.traced else None,
        wrong if rules.traced and wrong >= 0 else None,
    )


def _score(
    answers: Texts, truths: Texts, groups: Groups, extraction: Extraction
) -> tuple[Verdicts, np.ndarray, np.ndarray]:
    """Scores rows that are grouped by grammar.

    Returns:
      For every row, in the table's order: the verdicts, the number of its elements, and whether
      its text holds a trace.
    """
    answers = answers_in(answers, groups, extraction)
    n_rows = len(answers.starts)
    verdicts = Verdicts.empty(n_rows)
    n_elements = np.ones(n_rows, np.int64)
    traced = np.zeros(n_rows, np.bool_)
    for rules, rows in groups:
        unfit = score_rows(rules, rows, answers, truths, verdicts)
        if unfit is not None:
            raise BadInput(
                f"the true answer in row {unfit} is not what {rules.algorithm} asks for at length "
                f"{rules.length}: {_described(rules)}"
            )
        n_elements[rows], traced[rows] = rules.n_elements, rules.traced
    return verdicts, n_elements, traced


def _described(rules: Grammar) -> str:
    shapes = {0: "a number", 1: f"[{rules.n} numbers]", 2: f"{rules.n} x {rules.n} numbers"}
    parts = ", ".join(f"{part.name} ({shapes[part.rank]})" for part in rules.parts)
    return f"{parts} in parentheses" if rules.parenthesised else parts


def _table(verdicts: Verdicts, n_elements: np.ndarray, traced: np.ndarray) -> pa.Table:
    all_right = verdicts.right == n_elements
    scores = {
        "shape": verdicts.shape,
        "parse": verdicts.parse,
        "clrs": verdicts.right / n_elements,
        "exact": verdicts.shape & verdicts.parse & all_right,
    }
    table = {name: pa.array(values.astype(np.float32)) for name, values in scores.items()}
    table["trace_share"] = pa.array(verdicts.share.astype(np.float32), mask=~traced)
    no_step = ~traced | (verdicts.wrong < 0)
    table["first_wrong_step"] = pa.array(verdicts.wrong.astype(np.int32), mask=no_step)
    return pa.table(table)
