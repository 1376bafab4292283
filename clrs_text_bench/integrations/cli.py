"""The commands `export` and `import`."""

import click

from clrs_text_bench.cli import options
from clrs_text_bench.cli.options import PATH

_out = click.option("--out", required=True, type=PATH, help="Folder to write, which must be new.")


@click.group()
def export() -> None:
    """Write a data set for the Hugging Face hub or another harness.

    \b
    Examples:
      clrs-text-bench export hf --data data/transnar-cpu --out hub/transnar-cpu
      clrs-text-bench export lm-eval --data data/transnar-cpu --out tasks
    """


@export.command()
@options.data
@_out
def hf(data: str, out: str) -> None:
    """Write a folder that can be pushed to the Hugging Face hub as it is.

    It holds the Parquet files, a data-set card, and dataset.json, so that it is still a data set
    that every command here takes.

    \b
    Example:
      clrs-text-bench export hf --data data/transnar-cpu --out hub/transnar-cpu
    """
    from clrs_text_bench import datasets, terminal

    from . import hub

    hub.export(datasets.open(data), out)
    terminal.log().print(
        f"exported; push it with: hf upload OWNER/NAME {out} --repo-type dataset", soft_wrap=True
    )


@export.command("lm-eval")
@options.data
@_out
@click.option("--split", help="Split to ask.  [default: test, or the only one]")
@options.algorithms
@options.lengths
@options.extraction
def lm_eval(data: str, out: str, lengths: str | None, **chosen) -> None:
    """Write a folder of tasks for lm-evaluation-harness, scored as here.

    One task for each algorithm and length, and groups by algorithm, family and regime.

    \b
    Example:
      clrs-text-bench export lm-eval --data data/transnar-cpu --out tasks
      lm_eval run --include_path tasks --tasks clrs_text --model hf --model_args pretrained=MODEL
    """
    from clrs_text_bench import datasets, terminal
    from clrs_text_bench.lengths import parse

    from . import lm_eval_tasks

    opened = datasets.open(data)
    chosen["lengths"] = parse(lengths) if lengths else ()
    everything = lm_eval_tasks.export(opened, out, **chosen)
    terminal.log().print(
        f"exported; next: lm_eval run --include_path {out} --tasks {everything} --model ...",
        soft_wrap=True,
    )


@click.group("import")
def import_() -> None:
    """Make a data set of samples that somebody else published.

    \b
    Example:
      clrs-text-bench import hf CLRS-Text-test --out data/clrs-text-test
    """


@import_.command("hf")
@click.argument("source", type=PATH)
@_out
@click.option("--split", help="Split of all rows.  [default: by the files' names]")
@click.option(
    "--graphs",
    is_flag=True,
    help="Run each algorithm on the inputs that its question holds: check the answers, and fill "
    "graph_inputs, graph_outputs and n_steps.",
)
def import_hf(source: str, out: str, split: str | None, graphs: bool) -> None:
    """Make a data set of CLRS-Text as it is published on the Hugging Face hub.

    SOURCE is a Parquet file or a folder of them (a local copy of the repository, or an fsspec URL)
    with the columns question, answer, algo_name, length and use_hints. Models of text can be scored
    on it; those that read graphs need --graphs.

    \b
    Examples:
      clrs-text-bench import hf CLRS-Text-test --out data/clrs-text-test
      clrs-text-bench import hf rows.parquet --split test --graphs --out data/theirs
    """
    from clrs_text_bench import terminal

    from . import importing

    dataset = importing.import_published(source, out, split=split, graphs=graphs)
    rows = sum(file.rows for file in dataset.manifest.files)
    splits = ", ".join(dataset.splits())
    terminal.log().print(f"imported {rows:,} rows of {splits}", soft_wrap=True)
