"""The teacher: any model that answers, and what tells it from others."""

import hashlib
import json

import pyarrow as pa

from clrs_text_bench import modelspec
from clrs_text_bench.protocols import Model, ModelInfo

from ..training.record import TeacherRecord
from .answers import Answer

# Settings of a model that say where it ran: a run may go on elsewhere.
_OF_MACHINES = ("device", "attention")


class Teacher:
    """A model whose answers a student learns."""

    def __init__(self, spec: str, model: Model) -> None:
        """Puts a teacher together.

        Args:
          spec: what the user calls it.
          model: what answers.
        """
        info = model.info()
        self.model = model
        self.record = TeacherRecord(spec=spec, checkpoint=info.checkpoint, hash=_hash(info))

    def answers(self, requests: pa.Table) -> list[Answer]:
        """Answers rows in columns of `schema.DATASET`, without the truth among them."""
        found = self.model.generate(requests)
        columns = (found[name].to_pylist() for name in ("prediction", "finish_reason"))
        return [Answer(*one) for one in zip(*columns, strict=True)]


def load(spec: str) -> Teacher:
    """Loads the teacher that a model spec names; raises `BadInput` as `modelspec.load` does."""
    return Teacher(spec, modelspec.load(spec))


def _hash(info: ModelInfo) -> str:
    """Hashes all that a model's answers follow from."""
    settings = {k: v for k, v in sorted(info.settings.items()) if k not in _OF_MACHINES}
    return hashlib.sha256(json.dumps([info.name, info.checkpoint, settings]).encode()).hexdigest()
