"""Runs of weights that were trained elsewhere, and weights of runs for elsewhere."""

import shutil
from pathlib import Path

from clrs_text_bench import provenance, storage, tokenizer_json, validation
from clrs_text_bench.errors import BadInput

from ..training import config as configs
from ..training import record
from ..training.checkpoint import Checkpoints
from ..training.config import TrainingConfig
from ..training.record import RunRecord
from . import huggingface
from .config import TransformerConfig
from .runs import open_run
from .trainable import TrainableTransformer


def import_folder(folder: Path, run: Path) -> str | None:
    """Makes a run of a Hugging Face folder; it can be evaluated, and be the `init` of others.

    Returns:
      What the user should know of tensors that were left out; None if none were.

    Raises:
      BadInput: if the folder cannot be read, or `run` holds something.
    """
    if run.exists() and (not run.is_dir() or any(run.iterdir())):
        raise BadInput(f"{run} is there already; choose another --out")
    found = huggingface.model_of(folder)
    if "tokenizer" not in found:
        raise BadInput(f"{folder} holds no {tokenizer_json.FILE}, which the text is spelt with")
    model = validation.build(TransformerConfig, found, f"{folder / huggingface.CONFIG}")
    trainable = TrainableTransformer(model, seed=0, loss="answer")
    weights = huggingface.read(folder, model, trainable.vocab_size)
    try:
        with storage.writing(str(run)):
            _write(run, folder, TrainingConfig(name=folder.resolve().name, model=model), trainable)
        _save(run, weights.params)
    except BaseException:
        shutil.rmtree(run, ignore_errors=True)
        raise
    return weights.remark


def _write(
    run: Path, folder: Path, config: TrainingConfig, trainable: TrainableTransformer
) -> None:
    run.mkdir(parents=True, exist_ok=True)
    for name, data in trainable.files().items():
        storage.write_local(str(run / name), data)
    storage.write_local(str(run / "config.toml"), configs.dumps(config).encode())
    made = RunRecord(
        config=config,
        model=trainable.record(),
        data=f"weights of {folder}",
        data_hash="",
        use_hints=False,
        train_algorithms=(),
        train_lengths=(),
        command=provenance.command_line(),
        git_commit=provenance.git_commit(),
        versions=provenance.versions(),
        began=provenance.now().isoformat(timespec="seconds"),
    )
    record.write(run, made)


def _save(run: Path, params: dict) -> None:
    checkpoints = Checkpoints(run, "best", create=True)
    checkpoints.save(0, params, {"scores": {}})
    checkpoints.close()


def export_run(run: Path, folder: Path) -> bool:
    """Writes the best checkpoint of a run as a Hugging Face folder.

    Returns:
      Whether the tokeniser could be written, too.

    Raises:
      BadInput: if there is no such run, it is no GPT-NeoX, or the folder holds something.
    """
    opened = open_run(run)
    trainable = opened.trainable
    huggingface.write(folder, trainable.config, opened.checkpoint.state, trainable.tokenizer)
    return bool(trainable.files())
