"""What models read off rows of a data set."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clrs_text_bench import graph, schema
from clrs_text_bench.errors import BadInput
from clrs_text_bench.identity import SampleId

_DECIMALS = 3


class Given(NamedTuple):
    """What a model that reads graphs is asked.

    Attributes:
      algorithm: name of the task.
      length: length of the sample.
      use_hints: whether the answer is to hold a trace.
      inputs: the input probes, as the row holds them.
    """

    algorithm: str
    length: int
    use_hints: bool
    inputs: dict[str, np.ndarray]

    def drawn(self) -> dict[str, np.ndarray]:
        """Returns the inputs in float64, as they were drawn.

        They have three decimals: rounding undoes the storage in float32.
        """
        return {k: np.round(v.astype(np.float64), _DECIMALS) for k, v in self.inputs.items()}


def given(table: pa.Table, model: str) -> Iterator[Given]:
    """Yields rows in `schema.DATASET` as a model that reads graphs is asked them.

    Args:
      table: the rows.
      model: names the model in an error.

    Raises:
      BadInput: on a row without its inputs.
    """
    columns = (
        pc.cast(table["algo_name"], pa.string()).to_pylist(),
        *(table[name].to_pylist() for name in ("length", "use_hints", "graph_inputs")),
    )
    for algorithm, length, use_hints, flat in zip(*columns, strict=True):
        if flat is None:
            raise BadInput(
                f"{model} needs graph_inputs, and a row of {algorithm} has none; imported data has "
                "them if it was imported with --graphs"
            )
        inputs = graph.unpack(algorithm, length, flat, "input")
        yield Given(algorithm, length, use_hints, inputs)


def sample_ids(table: pa.Table) -> list[SampleId]:
    """Returns the identities of rows in `schema.DATASET`."""
    columns = (identity(table)[n] for n in ("seed", "split", "algo_name", "length", "index"))
    return [SampleId(*row) for row in zip(*(c.to_pylist() for c in columns), strict=True)]


def identity(table: pa.Table) -> pa.Table:
    """Returns the identity columns of rows in `schema.DATASET`, as in `schema.PREDICTIONS`."""
    columns = [
        pc.cast(table[name], schema.PREDICTIONS.field(name).type) for name in schema.IDENTITY
    ]
    return pa.table(columns, names=list(schema.IDENTITY))


def predictions(
    requests: pa.Table,
    answers: list[str],
    finish_reasons: list[str],
    n_tokens: list[int | None],
    seconds: list[float | None],
    graphs: list[np.ndarray] | None = None,
    prompt_tokens: list[int | None] | None = None,
) -> pa.Table:
    """Returns answers to rows in `schema.DATASET` as a table in `schema.PREDICTIONS`.

    With `graphs`, the packed outputs that were decoded beside the text, `schema.GRAPH_PREDICTION`
    stands behind its columns; with `prompt_tokens`, `schema.PROMPT_TOKENS`.
    """
    columns = [*identity(requests).columns, answers, finish_reasons, n_tokens, seconds]
    names = schema.PREDICTIONS.names
    arrays = [
        pa.array(c, schema.PREDICTIONS.field(n).type) if isinstance(c, list) else c
        for n, c in zip(names, columns, strict=True)
    ]
    table = pa.table(arrays, schema=schema.PREDICTIONS)
    for field, values in ((schema.GRAPH_PREDICTION, graphs), (schema.PROMPT_TOKENS, prompt_tokens)):
        if values is not None:
            table = table.append_column(field, pa.array(values, field.type))
    return table
