"""`own-model:TEXT`: answers every question with the same text."""

import time

import pyarrow as pa

from clrs_text_bench.datasets import Dataset
from clrs_text_bench.errors import BadInput
from clrs_text_bench.protocols import ModelInfo
from clrs_text_bench.schema import IDENTITY, PREDICTIONS


class OwnModel:
    """See `clrs_text_bench.protocols.Model`."""

    def __init__(self, text: str) -> None:
        self._text = text

    def prepare(self, dataset: Dataset) -> None:
        """Is called once, before any question: the place to see whether the data fits."""

    def info(self) -> ModelInfo:
        """Says who answers, and all that changes the answers."""
        return ModelInfo("own model", settings={"text": self._text})

    def generate(self, requests: pa.Table) -> pa.Table:
        """Answers a batch of a data set's rows, in their order."""
        began = time.perf_counter()
        answers = [self._answer(question) for question in requests["question"].to_pylist()]
        seconds = (time.perf_counter() - began) / len(answers)
        columns = {
            **{name: requests[name] for name in IDENTITY},
            "prediction": answers,
            "finish_reason": ["stop"] * len(answers),
            "n_tokens": [None] * len(answers),
            "seconds": [seconds] * len(answers),
        }
        return pa.table(columns).cast(PREDICTIONS)

    def _answer(self, question: str) -> str:
        return self._text  # yours goes here


def load(argument: str) -> OwnModel:
    """Makes the model of the spec `own-model:ARGUMENT`."""
    if not argument:
        raise BadInput("own-model needs a text to answer with, such as own-model:0")
    return OwnModel(argument)
