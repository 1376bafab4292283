"""`run.json`: what a run was made from, and what a checkpoint of it must be read with."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from clrs_text_bench import provenance, storage, validation
from clrs_text_bench.errors import BadInput

from .config import TrainingConfig
from .source import Source

FILE = "run.json"
FORMAT_VERSION = 1


class TeacherRecord(BaseModel):
    """Which model a run was distilled from.

    Attributes:
      spec: as the user wrote it.
      checkpoint: hash of what it was loaded from; None where it has none.
      hash: of all that its answers follow from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    spec: str
    checkpoint: str | None
    hash: str


class PublishedRecord(BaseModel):
    """How a published run's checkpoint came from the one that was trained.

    Attributes:
      checkpoint: hash of the latter.
      dtype: that parameters were rounded to.
      command: that made it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    checkpoint: str
    dtype: str
    command: str


class RunRecord(BaseModel):
    """What `run.json` holds.

    Attributes:
      format_version: of this record and the checkpoints beside it.
      config: the run's config.
      model: what a checkpoint must agree with, by the model's own account.
      data: what the user called it: where the data set is, or the recipe.
      data_hash: of all that the rows follow from.
      use_hints: whether its text is traced.
      train_algorithms: tasks trained on.
      train_lengths: lengths trained on.
      teacher: what answered the rows trained on; None where the truth did.
      published: how it was published; None where it is as it was trained.
      command: the command that began the run.
      git_commit: commit of the working directory, if it is in a repository.
      versions: versions of Python and of packages.
      began: time, ISO 8601.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: int = FORMAT_VERSION
    config: TrainingConfig
    model: dict[str, str | int | None]
    data: str
    data_hash: str
    use_hints: bool
    train_algorithms: tuple[str, ...]
    train_lengths: tuple[int, ...]
    teacher: TeacherRecord | None = None
    published: PublishedRecord | None = None
    command: str
    git_commit: str | None
    versions: dict[str, str]
    began: str


def make(
    config: TrainingConfig, model: dict, source: Source, teacher: TeacherRecord | None = None
) -> RunRecord:
    """Builds the record of a run that begins now."""
    return RunRecord(
        config=config,
        model=model,
        data=source.name,
        data_hash=source.hash,
        use_hints=source.use_hints,
        train_algorithms=source.algorithms,
        train_lengths=source.lengths,
        teacher=teacher,
        command=provenance.command_line(),
        git_commit=provenance.git_commit(),
        versions=provenance.versions(),
        began=provenance.now().isoformat(timespec="seconds"),
    )


def write(run: Path, record: RunRecord) -> None:
    """Puts a record into a run's folder."""
    text = record.model_dump_json(indent=1) + "\n"
    with storage.writing(str(run / FILE)):
        storage.write_local(str(run / FILE), text.encode())


def read(run: Path) -> RunRecord:
    """Reads the record of a run's folder.

    Raises:
      BadInput: if there is none, or it is damaged or newer than this package.
    """
    where = run / FILE
    try:
        values = json.loads(where.read_bytes())
    except FileNotFoundError:
        state = "holds no run.json" if run.is_dir() else "does not exist"
        raise BadInput(
            f"run {run} {state}; name the --out folder of clrs-text-bench train"
        ) from None
    except OSError as error:
        raise BadInput(f"cannot read {where}: {error.strerror}") from error
    except ValueError as error:
        raise BadInput(f"{where} is not valid JSON: {error}") from error
    version = values.get("format_version") if isinstance(values, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise BadInput(
            f"{where} has format version {version}, newer than the {FORMAT_VERSION} that this "
            "package reads; upgrade clrs-text-bench"
        )
    return validation.build(RunRecord, values, str(where))


def check(run: Path, found: RunRecord, model: dict) -> None:
    """Raises `BadInput` if a run was trained with another tokeniser, say, than this package has.

    Args:
      run: its folder.
      found: its record.
      model: what its checkpoints must agree with, by the model's own account now.
    """
    if found.model == model:
        return
    key = next(k for k in found.model | model if found.model.get(k) != model.get(k))
    raise BadInput(
        f"run {run} was trained with {key} {str(found.model.get(key))[:12]}, and this package has "
        f"{str(model.get(key))[:12]}; use the clrs-text-bench "
        f"{found.versions.get('clrs-text-bench')} that trained it"
    )
