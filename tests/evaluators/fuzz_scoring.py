"""What must hold of the scores of any completions, whatever they are."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clrs_text_bench.evaluators import clrs_text, valid

EVALUATORS = {"clrs-text": clrs_text.EVALUATOR, "valid": valid.EVALUATOR}
EXTRACTIONS = ("strict", "lenient")


def scored(evaluator: str, given: pa.Table, references: pa.Table, extraction: str) -> pa.Table:
    """Scores completions of `fuzz`, and asserts what can be said of any one evaluator's scores."""
    judge = EVALUATORS[evaluator]
    scores = judge.score(given, references, extraction=extraction)
    assert len(scores) == len(given)
    missing = pc.is_null(given["prediction"]).to_numpy()
    whole = pc.equal(given["kind"].cast(pa.string()), "whole").to_numpy()
    for name in judge.scores:
        values = np.asarray(scores[name])
        assert scores[name].null_count == 0
        assert np.all((values >= 0) & (values <= 1)), name  # nor NaN
        assert np.all(values[missing] == 0), name
        assert np.all(values[whole] == 1), name
    return scores


def check_clrs_text(scores: pa.Table, references: pa.Table) -> None:
    """Asserts what the scores of `clrs-text` say of each other."""
    shape, parse, clrs, exact = (np.asarray(scores[n]) for n in clrs_text.EVALUATOR.scores)
    assert set(np.unique([shape, parse, exact])) <= {0, 1}
    assert np.all(clrs[shape == 0] == 0)
    assert np.array_equal(exact == 1, (shape == 1) & (parse == 1) & (clrs == 1))
    share = scores["trace_share"].drop_null().to_numpy()
    assert np.all((share >= 0) & (share <= 1))
    steps = scores["first_wrong_step"].drop_null().to_numpy()
    assert np.all(steps >= 0)
    plain = pc.invert(references["use_hints"])
    for name in ("trace_share", "first_wrong_step"):
        assert pc.all(pc.is_null(scores[name].filter(plain))).as_py()


def check_valid(scores: pa.Table, exact: np.ndarray) -> None:
    """Asserts that `valid` takes along the exactness of `clrs-text`, and never asks for more."""
    assert np.array_equal(np.asarray(scores["exact"]), exact)
    valid_ = np.asarray(scores["valid"])
    assert set(np.unique(valid_)) <= {0, 1}
    assert np.all(valid_ >= exact)
