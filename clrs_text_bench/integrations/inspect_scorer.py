"""Our scores as a scorer of Inspect, with means by algorithm, by length and by both."""

from inspect_ai.scorer import Metric, Score, Scorer, Target, grouped, mean, metric, scorer, stderr
from inspect_ai.solver import TaskState

from clrs_text_bench.protocols import Extraction

from . import scoring

# Samples carry what groups them in their metadata.
TASK = "task"


@metric
def by_algorithm() -> Metric:
    """Returns the mean of each algorithm's samples."""
    return grouped(mean(), "algo_name", all=False)


@metric
def by_length() -> Metric:
    """Returns the mean of each length's samples."""
    return grouped(mean(), "length", all=False)


@metric
def by_task() -> Metric:
    """Returns the mean of the samples of each algorithm and length."""
    return grouped(mean(), TASK, all=False)


@scorer(metrics={"*": [mean(), stderr(), by_algorithm(), by_length(), by_task()]})
def clrs_text_scorer(extraction: Extraction = "strict") -> Scorer:
    """Scores answers to CLRS-Text: shape, parse, clrs and exact, each 0..1.

    Args:
      extraction: "strict" takes the completion as it is, "lenient" finds the last well-formed
        answer in it.
    """

    async def score(state: TaskState, target: Target) -> Score:
        sample = state.metadata
        values = scoring.score(
            state.output.completion,
            algorithm=sample["algo_name"],
            length=sample["length"],
            truth=target.text,
            use_hints=sample["use_hints"],
            extraction=extraction,
        )
        return Score(value=values, answer=state.output.completion)

    return score
