"""The command `weights`."""

import click


@click.group()
def weights() -> None:
    """Exchange a Transformer's weights with Hugging Face folders.

    \b
    Examples:
      clrs-text-bench weights import pythia-70m --out runs/pythia
      clrs-text-bench weights export runs/a --out my-model
    """


@weights.command("import")
@click.argument("folder", type=click.Path(path_type=str))
@click.option("--out", required=True, type=click.Path(path_type=str), help="Folder of the run.")
def import_(folder: str, out: str) -> None:
    """Make a run of FOLDER: config.json, safetensors and tokenizer.json of a GPT-NeoX.

    The run can be evaluated as it is, and training can start from it.

    \b
    Example:
      clrs-text-bench weights import pythia-70m --out runs/pythia
    """
    from pathlib import Path

    from clrs_text_bench import terminal

    from .transformer import exchange

    remark = exchange.import_folder(Path(folder), Path(out))
    log = terminal.log()
    if remark:
        log.print(remark, soft_wrap=True)
    log.print(
        f"imported; next: clrs-text-bench evaluate transformer:{out} --data DATASET, or train "
        f"with model.init={out}",
        soft_wrap=True,
    )


@weights.command("export")
@click.argument("run", type=click.Path(path_type=str))
@click.option("--out", required=True, type=click.Path(path_type=str), help="Folder to write.")
def export(run: str, out: str) -> None:
    """Write the best checkpoint of RUN as a folder that transformers loads.

    The run's model must be a GPT-NeoX, as one is whose weights were imported.

    \b
    Example:
      clrs-text-bench weights export runs/a --out my-model
    """
    from pathlib import Path

    from clrs_text_bench import terminal

    from .transformer import exchange

    log = terminal.log()
    if not exchange.export_run(Path(run), Path(out)):
        log.print("the tokeniser is one of clrs-text-bench, which no tokenizer.json can hold")
    log.print(f"exported; transformers.AutoModelForCausalLM.from_pretrained({out!r}) loads it")
