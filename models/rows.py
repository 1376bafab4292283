"""What models read off rows of a data set."""

import pyarrow as pa
import pyarrow.compute as pc

from clrs_text_bench import schema
from clrs_text_bench.identity import SampleId


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
    seconds: list[float],
) -> pa.Table:
    """Returns answers to rows in `schema.DATASET` as a table in `schema.PREDICTIONS`."""
    columns = [*identity(requests).columns, answers, finish_reasons, n_tokens, seconds]
    names = schema.PREDICTIONS.names
    arrays = [
        pa.array(c, schema.PREDICTIONS.field(n).type) if isinstance(c, list) else c
        for n, c in zip(names, columns, strict=True)
    ]
    return pa.table(arrays, schema=schema.PREDICTIONS)
