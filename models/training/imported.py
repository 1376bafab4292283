"""A run of parameters that were trained elsewhere: it can be evaluated like any other."""

import shutil
from pathlib import Path

from clrs_text_bench import provenance, storage
from clrs_text_bench.errors import BadInput

from . import config as configs
from . import record
from .checkpoint import Checkpoints
from .config import TrainingConfig
from .record import RunRecord
from .trainable import Params, Trainable


def check_free(run: Path) -> None:
    """Raises `BadInput` if a run's folder is there already and holds something."""
    if run.exists() and (not run.is_dir() or any(run.iterdir())):
        raise BadInput(f"{run} is there already; choose another --out")


def write(
    run: Path, config: TrainingConfig, trainable: Trainable, source: Path, params: Params
) -> None:
    """Makes a run's folder; leaves nothing behind if it fails.

    Args:
      run: the folder, see `check_free`.
      config: of the model.
      trainable: what the config describes.
      source: where the parameters came from.
      params: of the model.

    Raises:
      BadInput: if the folder cannot be written.
    """
    try:
        with storage.writing(str(run)):
            _describe(run, config, trainable, source)
        _save(run, params)
    except BaseException:
        shutil.rmtree(run, ignore_errors=True)
        raise


def _describe(run: Path, config: TrainingConfig, trainable: Trainable, source: Path) -> None:
    run.mkdir(parents=True, exist_ok=True)
    for name, data in trainable.files().items():
        storage.write_local(str(run / name), data)
    storage.write_local(str(run / "config.toml"), configs.dumps(config).encode())
    made = RunRecord(
        config=config,
        model=trainable.record(),
        data=f"weights of {source}",
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


def _save(run: Path, params: Params) -> None:
    checkpoints = Checkpoints(run, "best", create=True)
    checkpoints.save(0, params, {"scores": {}})
    checkpoints.close()
