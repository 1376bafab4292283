"""Size and speed of a data set's Parquet files under different compressions.

    python benchmarks/parquet.py [--length 12] [--rows 2000]

One table of each of a few algorithms (dense, sparse and decimal graphs), written in row groups of
equal size; the ratio is to no compression.
"""

import time

import click
import pyarrow as pa
import pyarrow.parquet as pq
from rich.table import Table

from clrs_text_bench import schema, terminal
from clrs_text_bench.generators import generate_batch

_ALGORITHMS = ("bfs", "dijkstra", "insertion_sort", "matrix_chain_order", "kmp_matcher", "bridges")
_ALL_BUT_TEXT = [n for n in schema.DATASET.names if n not in ("question", "answer")]
_CODECS = (("none", None), ("snappy", None), ("lz4", None), ("zstd", 1), ("zstd", 3), ("zstd", 9))
_DICTIONARIES = {"no dictionaries": False, "all but text": _ALL_BUT_TEXT, "all": True}
_VARIANTS = {
    (f"{codec} {level or ''}", dictionaries): {
        "compression": codec,
        "compression_level": level,
        "use_dictionary": columns,
    }
    for codec, level in _CODECS
    for dictionaries, columns in _DICTIONARIES.items()
}
_REPEATS = 3


def _write(table: pa.Table, options: dict) -> tuple[bytes, float]:
    best = float("inf")
    for _ in range(_REPEATS):
        start = time.perf_counter()
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, **options)
        best = min(best, time.perf_counter() - start)
    return sink.getvalue().to_pybytes(), best


def _read(data: bytes) -> float:
    best = float("inf")
    for _ in range(_REPEATS):
        start = time.perf_counter()
        pq.read_table(pa.BufferReader(data), use_threads=False)
        best = min(best, time.perf_counter() - start)
    return best


@click.command()
@click.option("--length", default=12, show_default=True)
@click.option("--rows", default=2000, show_default=True)
def main(length: int, rows: int) -> None:
    tables = [generate_batch(name, length, count=rows) for name in _ALGORITHMS]
    report = Table("compression", "dictionaries", "MB", "ratio", "rows/s written", "rows/s read")
    plain = None
    for name, options in _VARIANTS.items():
        size = written = read = 0.0
        for table in tables:
            data, seconds = _write(table, options)
            size, written, read = size + len(data), written + seconds, read + _read(data)
        plain = plain or size
        count = rows * len(tables)
        report.add_row(
            *name,
            f"{size / 1e6:.2f}",
            f"{plain / size:.2f}",
            f"{count / written:,.0f}",
            f"{count / read:,.0f}",
        )
    terminal.output().print(report)


if __name__ == "__main__":
    main()
