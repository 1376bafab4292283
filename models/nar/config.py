"""What a neural algorithmic reasoner is: the `[model]` table of a training config."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from clrs_text_bench import tasks

Count = Annotated[int, Field(ge=1, strict=True)]


class NarConfig(BaseModel):
    """A reasoner that encodes a graph, processes it step by step, and decodes it.

    Attributes:
      kind: tells it from other models.
      algorithms: those it has encoders and decoders for; left out, the thirty of CLRS-30.
      hidden_dim: width of node and edge latents, H.
      processor: name of the processor's plug-in.
      triplet_dim: features of a message among three nodes.
      penalty_weight: of the processor's penalty in the loss, if it has one.
      teacher_forcing: in training, the probability that a step reads the true hints, not its own.
      halting: whether it learns when to stop, as one loss more.
      max_steps: steps that a trace is cut off at, in training.
      mixed_batches: whether a batch of training mixes algorithms; if not, it is of one, as
        upstream's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["nar"] = "nar"
    algorithms: tuple[str, ...] = Field(
        default_factory=lambda: tasks.by_plugin()["clrs30"], min_length=1
    )
    hidden_dim: Count = 128
    processor: Annotated[str, Field(strict=True)] = "triplet-gmpnn"
    triplet_dim: Count = 8
    penalty_weight: Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)] = 0.01
    teacher_forcing: Annotated[float, Field(ge=0, le=1, strict=True)] = 0.0
    halting: Annotated[bool, Field(strict=True)] = True
    max_steps: Count = 256
    mixed_batches: Annotated[bool, Field(strict=True)] = False

    @field_validator("algorithms")
    @classmethod
    def _are_known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            tasks.get(name)
        if len(set(names)) < len(names):
            raise ValueError(f"algorithms {', '.join(names)} holds a name twice")
        return names
