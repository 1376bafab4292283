"""Size and speed of a data set's Parquet files under different compressions.

    python benchmarks/parquet.py [--length 12] [--rows 2000]

One table of each of a few algorithms (dense, sparse and decimal graphs), written in row groups of
equal size; the ratio is to no compression. The last line says how near the making of a data set's
files comes to the rate at which they can be written at all.
"""

import time
from collections.abc import Callable

import click
import pyarrow as pa
import pyarrow.parquet as pq
from rich.table import Table

from clrs_text_bench import datasets, schema, terminal
from clrs_text_bench.generators import generate_batch

_ALGORITHMS = ("bfs", "dijkstra", "insertion_sort", "matrix_chain_order", "kmp_matcher", "bridges")
_ALL_BUT_TEXT = [n for n in schema.DATASET.names if n not in ("question", "answer")]
_CODECS = (("none", None), ("snappy", None), ("lz4", None), ("zstd", 1), ("zstd", 3), ("zstd", 9))
_GRAPHS = [f"{n}.list.element" for n in ("graph_inputs", "graph_outputs", "graph_hints")]
_TEXT = ["question", "answer", "algo_name", "split"]
_ENCODINGS = {
    "no dictionaries": {"use_dictionary": False},
    "dictionaries but for text": {"use_dictionary": _ALL_BUT_TEXT},
    "dictionaries": {"use_dictionary": True},
    "graphs split by byte": {
        "use_dictionary": _TEXT,
        "column_encoding": dict.fromkeys(_GRAPHS, "BYTE_STREAM_SPLIT"),
    },
}
_VARIANTS = {
    (f"{codec} {level or ''}", encoding): {
        "compression": codec,
        "compression_level": level,
        **options,
    }
    for codec, level in _CODECS
    for encoding, options in _ENCODINGS.items()
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
    report = Table("compression", "encoding", "MB", "ratio", "rows/s written", "rows/s read")
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
    alone, whole = _limit(tables), _reached(length, rows)
    print(
        f"as data sets are written: {alone:,.0f} rows/s; made and written: {whole:,.0f} rows/s, "
        f"{whole / alone:.0%} of it"
    )


def _limit(tables: list[pa.Table]) -> float:
    """Returns rows a second of writing alone, on one core."""
    return _rate(lambda place: tables[place])


def _reached(length: int, rows: int) -> float:
    """Returns rows a second of making and writing, on one core."""
    return _rate(lambda place: generate_batch(_ALGORITHMS[place], length, count=rows, seed=1))


def _rate(table: Callable[[int], pa.Table]) -> float:
    rows, start = 0, time.perf_counter()
    for place in range(len(_ALGORITHMS)):
        made = table(place)
        datasets.to_parquet(made)
        rows += made.num_rows
    return rows / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
