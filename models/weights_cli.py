"""The command `weights`."""

import click


@click.group()
def weights() -> None:
    """Exchange weights: a Transformer's with Hugging Face, a reasoner's with dm-clrs.

    Or make a small folder of a run, for others to evaluate.

    \b
    Examples:
      clrs-text-bench weights publish runs/a --dtype float16 --out checkpoints/a
      clrs-text-bench weights import pythia-70m --out runs/pythia
      clrs-text-bench weights export runs/a --out my-model
      clrs-text-bench weights import params.npz --out runs/theirs
      clrs-text-bench weights export runs/nar --out params.npz
    """


@weights.command("import")
@click.argument("source", type=click.Path(path_type=str))
@click.option("--out", required=True, type=click.Path(path_type=str), help="Folder of the run.")
@click.option(
    "-a",
    "--algorithm",
    "algorithms",
    multiple=True,
    help="Of a .npz file: an algorithm of the network; repeated, in the network's order. May be "
    "left out where probes tell algorithms apart.",
)
def import_(source: str, out: str, algorithms: tuple[str, ...]) -> None:
    """Make a run of SOURCE, which can be evaluated as it is.

    \b
    SOURCE is one of
      a folder with config.json, safetensors and tokenizer.json of a GPT-NeoX: a run of a
      Transformer, which training can start from, too;
      a .npz file of dm-clrs's parameters, under the keys module/parameter: a run of a reasoner.

    \b
    Examples:
      clrs-text-bench weights import pythia-70m --out runs/pythia
      clrs-text-bench weights import params.npz -a insertion_sort -a bfs --out runs/theirs
    """
    from pathlib import Path

    from clrs_text_bench import terminal
    from clrs_text_bench.errors import BadInput

    log = terminal.log()
    if source.endswith(".npz"):
        from .nar import weights as reasoners

        found = reasoners.import_file(Path(source), Path(out), algorithms)
        following = f'"nar:{out}?steps=trace" --data DATASET'
        log.print(f"a reasoner of {', '.join(found)}", soft_wrap=True)
    else:
        from .transformer import exchange

        if algorithms:
            raise BadInput(f"-a is for .npz files, and {source} is none")
        remark = exchange.import_folder(Path(source), Path(out))
        following = f"transformer:{out} --data DATASET, or train with model.init={out}"
        if remark:
            log.print(remark, soft_wrap=True)
    log.print(f"imported; next: clrs-text-bench evaluate {following}", soft_wrap=True)


@weights.command("export")
@click.argument("run", type=click.Path(path_type=str))
@click.option("--out", required=True, type=click.Path(path_type=str), help="What to write.")
@click.option(
    "--without-halting",
    is_flag=True,
    help="Leave out a reasoner's head that learns when to stop, which dm-clrs lacks.",
)
def export(run: str, out: str, without_halting: bool) -> None:
    """Write the best checkpoint of RUN for others.

    A Transformer becomes a folder that transformers loads; it must be a GPT-NeoX, as one is whose
    weights were imported. A reasoner becomes a .npz file of the parameters of dm-clrs's network.

    \b
    Examples:
      clrs-text-bench weights export runs/a --out my-model
      clrs-text-bench weights export runs/nar --out params.npz
    """
    from pathlib import Path

    from clrs_text_bench import terminal
    from clrs_text_bench.errors import BadInput

    from .training import record

    log = terminal.log()
    if record.read(Path(run)).config.model.kind == "nar":
        from .nar import weights as reasoners

        found = reasoners.export_run(Path(run), Path(out), without_halting=without_halting)
        log.print(f"exported; its algorithms, in order: {', '.join(found)}", soft_wrap=True)
        return
    if without_halting:
        raise BadInput(f"--without-halting is for reasoners, and run {run} is of a Transformer")
    from .transformer import exchange

    if not exchange.export_run(Path(run), Path(out)):
        log.print("the tokeniser is one of clrs-text-bench, which no tokenizer.json can hold")
    log.print(f"exported; transformers.AutoModelForCausalLM.from_pretrained({out!r}) loads it")


@weights.command("publish")
@click.argument("run", type=click.Path(path_type=str))
@click.option("--out", required=True, type=click.Path(path_type=str), help="Folder to write.")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float16"]),
    default="float32",
    show_default=True,
    help="Of the parameters; float16 is half as large, and another model.",
)
@click.option(
    "--reasoner",
    type=click.Path(path_type=str),
    help="Published run of a TransNAR's frozen reasoner, which is then left out.",
)
def publish(run: str, out: str, dtype: str, reasoner: str | None) -> None:
    """Write a folder of RUN that is small, and answers as any run does.

    It holds the best checkpoint without the optimiser's state, the config, the record and the
    measures. With --reasoner it finds the reasoner where that folder is now, seen from its own.

    \b
    Examples:
      clrs-text-bench weights publish runs/nar --out checkpoints/nar
      clrs-text-bench weights publish runs/a --dtype float16 --reasoner checkpoints/nar \\
        --out checkpoints/a
    """
    from pathlib import Path

    from clrs_text_bench import terminal

    from . import publishing

    apart = None if reasoner is None else Path(reasoner)
    kind, size = publishing.publish(Path(run), Path(out), dtype, apart)
    terminal.log().print(
        f"published, {size / 1e6:.1f} MB; next: clrs-text-bench evaluate {kind}:{out} "
        "--data DATASET",
        soft_wrap=True,
    )
