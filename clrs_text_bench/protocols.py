"""What a plug-in implements: engines, models and evaluators."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np

from clrs_text_bench.trace import Trace

if TYPE_CHECKING:
    import pyarrow as pa

    from clrs_text_bench.datasets import Dataset


DEFAULT_ENGINE = "native"


class Engine(Protocol):
    """Makes samples. Entry point: a class without arguments, named in `clrs_text_bench.generators`.

    An engine gives the same bytes for the same identity whatever else it is asked for.
    """

    version: str
    """Changes whenever the bytes of any sample would; part of every data set's record."""

    batch: int
    """How many samples are best asked for at a time, between two signs of progress."""

    def generate(
        self,
        algorithm: str,
        length: int,
        *,
        seed: int,
        split: str,
        indices: np.ndarray,
        use_hints: bool,
        graph_hints: bool,
    ) -> "pa.Table":
        """Returns the samples of these indices, in order, in `schema.DATASET`.

        `use_hints` is for the text; `graph_hints` says whether to fill the column of that name.
        """

    def run(self, algorithm: str, inputs: Mapping[str, np.ndarray]) -> Trace:
        """Runs an algorithm on given inputs; raises `BadInput` on such as it cannot run on.

        `inputs` holds every input probe but `pos` and `adj`, which follow from the others and may
        be left out.
        """


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Who answered: what the leaderboard needs to know about a model.

    Attributes:
      name: short name for tables and legends.
      n_parameters: number of parameters; None where the word means nothing.
      train_lengths: lengths trained on; None if it was not trained on lengths at all.
      train_algorithms: tasks trained on; None likewise.
      train_seed: seed of the training; None likewise.
      checkpoint: hash of what it was loaded from; None likewise.
      settings: whatever else changes its answers (decoding, positions, ...).
    """

    name: str
    n_parameters: int | None = None
    train_lengths: tuple[int, ...] | None = None
    train_algorithms: tuple[str, ...] | None = None
    train_seed: int | None = None
    checkpoint: str | None = None
    settings: dict[str, str | int | float | bool | None] = field(default_factory=dict)


class Model(Protocol):
    """Answers questions.

    Entry point: a function named in `clrs_text_bench.models` that takes what follows the first
    colon of a model spec ("" if nothing does) and returns a model: `transformer:runs/a` calls
    `transformer` with `"runs/a"`.
    """

    def prepare(self, dataset: "Dataset") -> None:
        """Is called once, before anything else, with the data set to be answered.

        The place to look up what only the data set knows (`majority` reads its training answers),
        and to raise `BadInput` where the two do not fit. Test answers must not be read here.
        """

    def info(self) -> ModelInfo:
        """Returns who answers; the same for the same answers, from one process to the next."""

    def generate(self, requests: "pa.Table") -> "pa.Table":
        """Answers a table in `schema.DATASET`; returns one in `schema.PREDICTIONS`, row for row.

        A model reads `question`, and the graph's inputs if it reads graphs; never `answer`,
        `graph_outputs` or `graph_hints`. What it answers to a row does not depend on the others.
        One that decodes a graph may return it beside the text, as `schema.GRAPH_PREDICTION`.
        """


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be asked of a model for one row.

    Attributes:
      prompt: all that it would be sent, as text.
      kept: whether its answer is there already, so that nothing would be sent.
    """

    prompt: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """How many answers there were, and how many tokens; of those that a server counted."""

    answers: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """What it came to, to ask a model that may fail.

    Attributes:
      asked: answers that were asked for now.
      kept: answers that had been asked for before, by this run or another.
      retries: requests that had to be sent again.
      failures: how many requests were given up, by reason.
      answered_by: what the models that answered call themselves.
    """

    asked: Usage
    kept: Usage
    retries: int
    failures: dict[str, int]
    answered_by: tuple[str, ...]


@runtime_checkable
class AskingModel(Model, Protocol):
    """A model that is sent prompts, and whose answers take long, cost money or fail to come.

    Its spec takes an option `prompt`: how a question is put. Its settings say `prompt` and
    `max_tokens`, the most tokens of an answer.
    """

    def preview(self, requests: "pa.Table") -> list[Preview]:
        """Returns what would be asked for rows in `schema.DATASET`; asks nothing."""

    def ask(self, requests: "pa.Table", advance: Callable[[int], None]) -> "pa.Table":
        """Answers as `generate` does, and tells `advance` of every so many answers.

        What cannot be had is an empty answer with finish_reason "error".

        Raises:
          BadInput: if the model refuses whatever it is asked.
          RunFailed: if it no longer answers; what it answered is kept.
        """

    def account(self) -> Account:
        """Returns what all calls of `ask` came to."""


@dataclass(frozen=True, slots=True)
class Attention:
    """What the tokens of one answer attend to while each is predicted, the mean over heads.

    Attributes:
      tokens: the answer's tokens as text, `[A]`; the last ends it.
      layers: those that read, counted from 0, `[R]`.
      nodes: weights over a graph's nodes, `[R, A, n]`; None where none are read.
      edges: weights over its pairs of nodes, `[R, A, n, n]`; None likewise.
    """

    tokens: list[str]
    layers: list[int]
    nodes: np.ndarray | None
    edges: np.ndarray | None


@runtime_checkable
class ReadingModel(Model, Protocol):
    """A model of text that reads a graph network's latents, and can be looked into.

    Of a run, its spec takes what it is to read as an option: `latents=true`, `latents=shuffled`
    (those of another row) or `latents=zeros`.
    """

    trained_on: str
    """Which of these it was trained to read."""

    tuned: bool
    """Whether the graph network was trained on with the text."""

    def gates(self) -> dict[int, float]:
        """Returns how far each reading layer's gate is open, -1 to 1; 0 lets nothing in."""

    def gates_over_training(self) -> dict[int, dict[int, float]]:
        """Returns the gates by step of the training; nothing if they were not logged."""

    def shares(self, rows: "pa.Table") -> np.ndarray:
        """Returns what part of each reading layer's output comes from latents: float64 `[rows, R]`.

        The norm of what the gate lets in over that of the activations that leave the layer, the
        mean over the places where the true answer's tokens are predicted.

        Args:
          rows: in `schema.DATASET`, or its identity columns, `use_hints`, `question`, `answer` and
            `graph_inputs`.

        Raises:
          BadInput: on rows that do not fit the model.
        """

    def attention(self, rows: "pa.Table") -> list[Attention]:
        """Returns what the tokens of each row's true answer attend to; see `shares`."""

    def reasoner(self) -> Model:
        """Returns the graph network by itself, which answers with what it decodes."""


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """A training run, as a tracker is told of it.

    Attributes:
      folder: in the run's own; a tracker may keep files there.
      name: what tables and legends call the model.
      id: of the run, the same when it goes on.
      config: TOML.
      step: number of steps behind it; 0 for one that begins.
    """

    folder: Path
    name: str
    id: str
    config: str
    step: int


class Tracker(Protocol):
    """Shows a training run's measures somewhere.

    Entry point: what returns one for a `TrackedRun`, named in `clrs_text_bench.trackers`; raises
    `BadInput` if it cannot be used. A run that goes on may log a step again.
    """

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Shows values after so many steps; their names are paths, such as `train/loss`."""

    def close(self) -> None:
        """Writes what is left."""


Extraction = Literal["strict", "lenient"]


class Evaluator(Protocol):
    """Scores answers. Entry point: an object named in `clrs_text_bench.evaluators`.

    An answer to nothing ("" or null) scores 0 on every score.
    """

    scores: tuple[str, ...]
    """Names of the scores, each 0..1, higher is better; columns of what `score` returns."""

    def score(
        self, predictions: "pa.Table", references: "pa.Table", *, extraction: Extraction
    ) -> "pa.Table":
        """Scores predictions against the rows of a data set, row for row.

        Args:
          predictions: has a `prediction` column; null where an answer is missing.
          references: in `schema.DATASET`, in the same order.
          extraction: how an answer is found in a completion.

        Returns:
          One float32 column per score, and any further columns of its own.
        """


class Check(Protocol):
    """Tells which answers solve their problem, whatever its ties; for evaluator `valid`.

    Entry point: a mapping from names of tasks to checks, named in `clrs_text_bench.checks` by the
    name that the tasks' own entry has in `clrs_text_bench.tasks`. A task that it leaves out has no
    valid answer but the reference.
    """

    def __call__(self, *arrays: np.ndarray) -> np.ndarray:
        """Returns which of R answers are valid, bool `[R]`.

        Args:
          arrays: int64 and contiguous, one per input that the question shows
            (`Task.text_inputs`), then one per part of the answer (`Task.answer_parts`; those of
            the traced mode may differ), each `[R, *shape]`. A scalar with decimals is a number of
            thousandths, as its text has it, a mask of one node is that node, a categorical probe
            its class, `[R]` or `[R, n]` each. Of answers, only those come here that have the right
            shape and no illegal character, whose pointers are to nodes, whose masks are from -1 to
            1, and whose classes are from -1 to the last.
        """


@runtime_checkable
class PoolingEvaluator(Evaluator, Protocol):
    """An evaluator whose score of many answers is no mean of each one's own, such as F1."""

    def pooled(self, scores: "pa.Table", times: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the scores of answers taken together.

        Args:
          scores: what `score` returned for the answers of one algorithm and length.
          times: how often each answer is taken, `[samples, answers]`.

        Returns:
          Of each score, float64 `[samples]`, each 0..1.
        """
