"""The scores of one answer, for harnesses that score answer by answer."""

import functools

import pyarrow as pa

from clrs_text_bench import registry
from clrs_text_bench.protocols import Evaluator, Extraction

EVALUATOR = "clrs-text"


@functools.cache
def judge() -> Evaluator:
    """Returns the evaluator of CLRS-Text answers."""
    return registry.load("evaluators", EVALUATOR)


def score(
    prediction: str | None,
    *,
    algorithm: str,
    length: int,
    truth: str,
    use_hints: bool,
    extraction: Extraction,
) -> dict[str, float]:
    """Scores one answer exactly as `clrs-text-bench evaluate` does.

    Args:
      prediction: the completion; None if there is none.
      algorithm: name of the task.
      length: of the sample.
      truth: its true answer.
      use_hints: whether the question is traced.
      extraction: how the answer is found in the completion.

    Returns:
      Of each score of the evaluator, 0..1.

    Raises:
      BadInput: if the algorithm is unknown, the length too small, or the truth not what the task
        asks for.
    """
    references = pa.table(
        {
            "answer": [truth],
            "algo_name": [algorithm],
            "length": [length],
            "use_hints": [use_hints],
        }
    )
    answers = pa.table({"prediction": pa.array([prediction], pa.string())})
    scores = judge().score(answers, references, extraction=extraction)
    return {name: scores[name][0].as_py() for name in judge().scores}
