"""Folders of runs to be published: what it takes to answer, and no more.

What is left out is the state of the optimiser and, if asked, the reasoner of a TransNAR, where
that is published beside it. Parameters can be written as numbers of 16 bits: that makes another
model, whose scores are its own, so evaluate what was published.
"""

import contextlib
import shutil
from pathlib import Path
from typing import Literal, NamedTuple

import jax
import numpy as np

from clrs_text_bench import modelspec, provenance, storage
from clrs_text_bench.errors import BadInput

from .training import imported, record
from .training.checkpoint import Checkpoints
from .training.record import PublishedRecord
from .transnar import reasoner
from .transnar.trainable import NAR

Dtype = Literal["float32", "float16"]

# In Orbax's checkpoints, beside each part: a sentence with the path that it was written to.
_COMMITTED = "commit_success.txt"


class Published(NamedTuple):
    """What was written: the kind of its model, and its size in bytes."""

    kind: str
    size: int


class _Parts(NamedTuple):
    """Parameters as they will be read, and as they are written."""

    read: dict
    written: dict


def publish(run: Path, out: Path, dtype: Dtype, apart: Path | None = None) -> Published:
    """Writes the best checkpoint of a run to a folder that answers as any run does.

    Args:
      run: folder of a run of any kind.
      out: folder to be written.
      dtype: of the parameters that are written. A reasoner that was not trained on stays as it is.
      apart: folder of the published run of a TransNAR's reasoner, which is then left out.

    Raises:
      BadInput: if there is no such run or it has no checkpoint, `apart` is not its reasoner, or the
        folder holds something.
    """
    imported.check_free(out)
    found = record.read(run)
    config = found.config.model
    model = modelspec.load(f"{config.kind}:{run}")
    published = PublishedRecord(
        checkpoint=model.info().checkpoint, dtype=dtype, command=provenance.command_line()
    )
    params, held = dict(model.params), {}
    if config.kind == "transnar" and config.nar.keeps_parameters:
        held[NAR] = params.pop(NAR)
    if apart is not None:
        _check_apart(apart, found.model.get("nar"), held)
        held = {}
    try:
        with storage.writing(str(out)):
            _copy(run, out)
            if config.kind == "transnar":
                reasoner.tell_apart(out, apart)
        record.write(out, found.model_copy(update={"published": published}))
        _save(run, out, _parts(params, held, dtype))
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)
        raise
    return Published(config.kind, sum(x.stat().st_size for x in out.rglob("*") if x.is_file()))


def _check_apart(apart: Path, expected: str | None, held: dict) -> None:
    if not held:
        raise BadInput(
            "--reasoner is for a TransNAR whose reasoner was left as it is; leave it out"
        )
    with contextlib.closing(Checkpoints(apart, "best")) as kept:
        if kept.step is None:
            raise BadInput(f"--reasoner {apart} holds no checkpoint; name the published reasoner's")
        found = kept.hash()
    if found != expected:
        raise BadInput(
            f"--reasoner {apart} is another than the run was trained with ({found[:12]}, not "
            f"{str(expected)[:12]}); publish that in float32"
        )


def _parts(params: dict, held: dict, dtype: Dtype) -> _Parts:
    written = jax.tree.map(lambda x: np.asarray(x).astype(dtype), params)
    read = jax.tree.map(lambda x, y: np.asarray(x).astype(y.dtype), written, params)
    return _Parts({**read, **held}, {**written, **held})


def _copy(run: Path, out: Path) -> None:
    """Copies what stands beside the checkpoints."""
    out.mkdir(parents=True, exist_ok=True)
    for file in sorted(run.iterdir()):
        if file.is_file() and file.name != record.FILE:
            storage.write_local(str(out / file.name), file.read_bytes())


def _save(run: Path, out: Path, parts: _Parts) -> None:
    with (
        contextlib.closing(Checkpoints(run, "best")) as best,
        contextlib.closing(Checkpoints(out, "best", create=True)) as kept,
    ):
        kept.save(best.step, parts.read, best.progress(), written=parts.written)
    for file in out.rglob(_COMMITTED):
        text = file.read_text().replace(str(out.absolute()), out.name)
        storage.write_local(str(file), text.encode())
