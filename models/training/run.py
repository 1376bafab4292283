"""A training run: its folder, from nothing or from where it was cut off.

RUN/config.toml     the config, every default spelt out
RUN/run.json        the record: data, versions, seed, command
RUN/metrics.jsonl   hash of the initial parameters, losses, validations
RUN/checkpoints/    latest and best
RUN/tokenizer.json  the tokeniser, where it came from a file
RUN/nar.json        what a TransNAR's reasoner is
RUN/nar/            the run of that reasoner, where it was trained first
RUN/teacher/        what a teacher answered the rows that were trained on
RUN/trackers/       what trackers keep

Several processes share the folder: process 0 settles and writes all but the checkpoints, which are
written by all.
"""

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from clrs_text_bench import storage, tokenizer_json
from clrs_text_bench.errors import BadInput

from ..distil import answers
from ..distil.config import DistilConfig
from ..distil.student import Student
from ..distil.teacher import Teacher
from . import config as configs
from . import cores, distributed, interrupt, mesh, phases, record, tracking
from . import source as sources
from .compilation import cache_programs
from .config import TrainingConfig
from .feed import Feed
from .loop import Loop
from .metrics import METRICS
from .record import RunRecord
from .source import Source
from .trainable import Trainable, build

_CONFIG = "config.toml"
_FOLDERS = ("checkpoints", phases.FOLDER, answers.FOLDER, tracking.FOLDER)
_FILES = (_CONFIG, record.FILE, METRICS, tokenizer_json.FILE, "nar.json")


def train(
    config: TrainingConfig,
    data: str | None,
    out: str | os.PathLike,
    *,
    resume: bool = False,
    overwrite: bool = False,
    show: bool = True,
    teacher: Teacher | None = None,
    trackers: Sequence[str] = (),
) -> bool:
    """Trains a model in a run's folder.

    Args:
      config: what to train, and how.
      data: a data set's path or URL, or a recipe's name or file; None to go on with the run's own.
      out: the run's folder.
      resume: go on with a run of the same config and data; begins one where there is none.
      overwrite: replace a run that is there.
      show: whether to show progress.
      teacher: what is trained on in place of the truth, as the config's `distil` says; None for the
        truth.
      trackers: names of what shows its measures, beside `metrics.jsonl`; so do those of a reasoner
        that is trained first.

    Returns:
      Whether the run came to its end; False if it was interrupted (what it reached is saved).

    Raises:
      BadInput: if the folder holds something else, or the config or data of another run, or the
        data do not fit the model, or a tracker cannot be used.
      RunFailed: if the loss became infinite or no number.
    """
    cache_programs()
    config = config.model_copy(update={"distil": _distil(config, teacher)})
    run, show = Path(out), show and distributed.is_first()
    made = tracking.find(trackers if distributed.is_first() else ())
    # Nothing is written before all have looked.
    found = distributed.together(lambda: look(run, config, resume=resume, overwrite=overwrite))
    if data is None and found.begun is None:
        raise BadInput(f"run {run} has no data yet; name a data set or a recipe with --data")
    data = data or found.begun.data
    source = distributed.together(lambda: sources.find(data, config, show=show))
    phase = phases.before(config, data, run)
    distributed.same({"config": configs.dumps(config), "data": source.hash})
    if not (found.ours and resume):
        distributed.first(lambda: _begin(run, config))
    with contextlib.ExitStack() as stack:
        try:
            if phase and not train(
                phase.config, phase.data, phase.run, resume=True, show=show, trackers=trackers
            ):
                return False
            trainable = build(phases.settled(config, phase))
            loop = _prepare(config, trainable, source, run, found.begun, teacher, show=show)
            stack.enter_context(contextlib.closing(loop))
            tracked = distributed.together(lambda: tracking.opened(made, config, run, loop.step))
        except BadInput:
            if not found.ours and distributed.is_first():
                _abandon(run, found.existed)
            raise
        stack.enter_context(contextlib.closing(tracked))
        stop = stack.enter_context(interrupt.catching())
        loop.run(stop, show=show, trackers=tracked)
    return loop.step == config.train.steps


def _distil(config: TrainingConfig, teacher: Teacher | None) -> DistilConfig | None:
    """Returns how a run is trained on its teacher; None without one."""
    if teacher is None:
        return None
    if config.model.kind != "transformer":
        raise BadInput(
            "distil trains a Transformer, which needs no graph, and model.kind is "
            f"{config.model.kind}; choose another config"
        )
    return config.distil or DistilConfig()


class Found(NamedTuple):
    """What is there before a run begins: a folder, a run in it, and the record of that."""

    existed: bool
    ours: bool
    begun: RunRecord | None


def look(run: Path, config: TrainingConfig, *, resume: bool, overwrite: bool) -> Found:
    """Settles whether a run can begin, or go on, in a folder; writes nothing.

    Raises:
      BadInput: if the folder holds something else, or the config of another run.
    """
    existed, ours = run.exists(), _is_ours(run, resume=resume, overwrite=overwrite)
    begun = None
    if ours and resume:
        _check_config(run, config)
        begun = record.read(run) if (run / record.FILE).exists() else None
    return Found(existed, ours, begun)


def _prepare(
    config: TrainingConfig,
    trainable: Trainable,
    source: Source,
    run: Path,
    begun: RunRecord | None,
    teacher: Teacher | None,
    *,
    show: bool,
) -> Loop:
    """Brings model, data and teacher together."""
    train, student = config.train, None
    if teacher is not None:
        source.show_to(teacher.model)
        trainable = student = Student(trainable, teacher, config.distil, run, show=show)
    now = record.make(config, trainable.record(), source, teacher and teacher.record)
    distributed.first(lambda: _settle_record(run, begun, now))
    distributed.first(lambda: _keep(run, trainable.files()))
    held_out = source.held_out()
    feed = Feed(
        source.blocks,
        trainable,
        held_out,
        train.batch_size,
        train.seed,
        mesh.share(),
        cores.readers(),
    )
    return Loop(config, trainable, feed, held_out, run, student)


def _keep(run: Path, files: dict[str, bytes]) -> None:
    """Puts files that the run needs to answer into its folder."""
    for name, data in files.items():
        with storage.writing(str(run / name)):
            storage.write_local(str(run / name), data)


def _is_ours(run: Path, *, resume: bool, overwrite: bool) -> bool:
    """Settles what to do with what is there; returns whether it is a run."""
    if resume and overwrite:
        raise BadInput("--resume goes on with a run and --overwrite replaces it; use one of them")
    if run.exists() and not run.is_dir():
        raise BadInput(f"{run} is a file; a run needs a folder")
    with storage.writing(str(run)):
        names = sorted(os.listdir(run)) if run.exists() else []
    ours = _CONFIG in names
    if names and not ours:
        raise BadInput(f"{run} holds other files, such as {names[0]}; choose another --out")
    if ours and not (resume or overwrite):
        raise BadInput(
            f"{run} already holds a run; go on with --resume or replace it with --overwrite"
        )
    return ours


def _begin(run: Path, config: TrainingConfig) -> None:
    """Puts the config in place of whatever run was there."""
    with storage.writing(str(run)):
        _clear(run)
        run.mkdir(parents=True, exist_ok=True)
        storage.write_local(str(run / _CONFIG), configs.dumps(config).encode())


def _abandon(run: Path, existed: bool) -> None:
    """Removes all traces of a run that could not begin."""
    _clear(run)
    if not existed:
        run.rmdir()


def _clear(run: Path) -> None:
    """Removes a run's own files, the config last, and leaves others alone."""
    for name in _FOLDERS:
        if (run / name).exists():
            shutil.rmtree(run / name)
    for name in reversed(_FILES):
        (run / name).unlink(missing_ok=True)


def _check_config(run: Path, config: TrainingConfig) -> None:
    found = configs.load(run / _CONFIG)
    # A run may move to other devices.
    key = configs.difference(found.model_copy(update={"mesh": config.mesh}), config)
    if key == "distil":
        command = "train" if found.distil is None else "distil TEACHER"
        raise BadInput(
            f"run {run} was begun by clrs-text-bench {command}; go on with that, or choose another "
            "--out"
        )
    if key:
        raise BadInput(
            f"run {run} was begun with another {key}; go on with {run / _CONFIG}, or choose "
            "another --out"
        )


def _settle_record(run: Path, begun: RunRecord | None, now: RunRecord) -> None:
    """Writes the record of a new run, or checks that a begun one is the same."""
    if begun is None:
        record.write(run, now)
        return
    check_data(run, begun, now.data, now.data_hash)
    if begun.teacher != now.teacher and begun.teacher.hash != now.teacher.hash:
        raise BadInput(
            f"run {run} was begun with teacher {begun.teacher.spec}, and {now.teacher.spec} is "
            "another one; name that, or choose another --out"
        )
    if begun.model != now.model:
        key = next(k for k in begun.model | now.model if begun.model.get(k) != now.model.get(k))
        whose = "model.nar.run holds" if key == "nar" else "this package has"
        raise BadInput(f"run {run} was begun with another {key} than {whose}; train it again")


def check_data(run: Path, begun: RunRecord, data: str, data_hash: str) -> None:
    """Raises `BadInput` if a run was begun on other data than these."""
    if begun.data_hash != data_hash:
        raise BadInput(
            f"run {run} was begun on data set {begun.data}, and {data} is another one; name "
            "that, or choose another --out"
        )
