"""The files of the context report."""

import io
import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from clrs_text_bench import provenance
from clrs_text_bench.storage import Folder

from ..plots import drawing, style
from .figure import figure

if TYPE_CHECKING:
    import pandas as pd

_METADATA_KEY = b"clrs_text_bench.context"


def write(out: Folder, sizes: "pd.DataFrame", costs: "pd.DataFrame") -> list[str]:
    """Writes both tables and the figure; returns the files' names.

    The tables' metadata have the command, versions, commit and time that made them.

    Raises:
      BadInput: if one cannot be written.
    """
    made = {
        "command": provenance.command_line(),
        "versions": provenance.versions(),
        "git_commit": provenance.git_commit(),
        "created": provenance.now().isoformat(timespec="seconds"),
    }
    files = {
        "context.parquet": _parquet(sizes, made),
        "cost.parquet": _parquet(costs, made),
    }
    with style.applied():
        drawn = figure(sizes)
        for suffix in (".png", ".svg"):
            files[f"figures/context{suffix}"] = drawing.rendered(drawn, suffix)
    for name, data in files.items():
        out.write(name, data)
    return [f"{out.url.rstrip('/')}/{name}" for name in files]


def _parquet(rows: "pd.DataFrame", made: dict) -> bytes:
    table = pa.Table.from_pandas(rows, preserve_index=False)
    table = table.replace_schema_metadata({_METADATA_KEY: json.dumps(made)})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
