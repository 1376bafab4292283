"""Tables that are not samples, as the bytes of a Parquet file."""

import pyarrow as pa
import pyarrow.parquet as pq


def to_bytes(table: pa.Table) -> bytes:
    """Returns a table as Parquet; of samples, see `datasets.to_parquet`."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue().to_pybytes()
