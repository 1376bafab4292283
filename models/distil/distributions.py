"""A teacher's distributions over tokens, by a compiled pass of its own."""

from typing import Any

import jax
import pyarrow as pa

from clrs_text_bench.errors import BadInput

from ..trained import TrainedModel
from ..training import mesh as meshes
from ..training.trainable import Examples
from ..transformer.trainable import TrainableTransformer
from ..transnar.trainable import TrainableTransNar
from .teacher import Teacher


class Distributions:
    """What a teacher holds likely to follow each token of a text.

    Its parameters are neither an argument nor a constant of the student's step.
    """

    def __init__(self, teacher: Teacher, student: TrainableTransformer, temperature: float) -> None:
        """Sets the pass up.

        Args:
          teacher: a run of a Transformer or a TransNAR.
          student: whose tokens they are.
          temperature: of the softmax.

        Raises:
          BadInput: if the teacher is another model, or spells text in other tokens.
        """
        self._name = teacher.record.spec
        self._trainable, self._params = _passes(teacher)
        self._temperature = temperature
        self._compiled = jax.jit(self._log_probabilities)
        self._placed: Any = None
        self._check(student)

    @property
    def text(self) -> TrainableTransformer:
        """What reads the text."""
        trainable = self._trainable
        return trainable.text if isinstance(trainable, TrainableTransNar) else trainable

    def _check(self, student: TrainableTransformer) -> None:
        theirs, own = self.text, student
        if theirs.tokenizer.fingerprint != own.tokenizer.fingerprint:
            raise BadInput(
                f"teacher {self._name} spells text with tokeniser {theirs.tokenizer.name} and the "
                f"student with {own.tokenizer.name}, and distributions need one vocabulary; give "
                'both the same model.tokenizer, or say distil.targets = "sequences"'
            )
        if theirs.config.index_hints != own.config.index_hints:
            raise BadInput(
                f"teacher {self._name} was trained with model.index_hints = "
                f'"{theirs.config.index_hints}" and the student is with '
                f'"{own.config.index_hints}", and distributions are of the same tokens; give '
                'both the same, or say distil.targets = "sequences"'
            )
        if theirs.vocab_size != own.vocab_size:
            raise BadInput(
                f"teacher {self._name} has logits of {theirs.vocab_size} tokens and the student of "
                f"{own.vocab_size}; say model.vocab_size = {theirs.vocab_size}"
            )

    def encode(self, table: pa.Table) -> Examples:
        """Encodes rows for the teacher.

        Raises:
          BadInput: on rows that it cannot read.
        """
        try:
            return self._trainable.encode_with(self._params, table)
        except BadInput as error:
            raise BadInput(f"teacher {self._name} cannot read a row: {error}") from error

    def __call__(self, batch: dict[str, jax.Array]) -> jax.Array:
        """Returns the logarithms of the probabilities of targets, float32 `[B, A, V]`.

        Args:
          batch: of `encode`'s examples, on a mesh's devices.
        """
        if self._placed is None:
            self._placed = meshes.place(batch["tokens"].sharding.mesh, self._params)
        return self._compiled(self._placed, batch)

    def _log_probabilities(self, params: Any, batch: dict[str, jax.Array]) -> jax.Array:
        logits_BxAxV = self._trainable.target_logits(params, batch)
        return jax.nn.log_softmax(logits_BxAxV / self._temperature, axis=-1)


def _passes(teacher: Teacher) -> tuple[TrainableTransformer | TrainableTransNar, Any]:
    """Returns what makes a teacher's passes, and its parameters."""
    model, name = teacher.model, teacher.record.spec
    if isinstance(model, TrainedModel) and isinstance(
        model.trainable, TrainableTransformer | TrainableTransNar
    ):
        return model.trainable, model.params
    raise BadInput(
        f"teacher {name} answers, but has no distributions over tokens, as transformer:RUN and "
        'transnar:RUN have; say distil.targets = "sequences"'
    )
