"""How a student learns from its teacher: the `[distil]` table of a training config."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)]


class DistilConfig(BaseModel):
    """What of the teacher is learnt.

    Attributes:
      targets: "sequences": the teacher's own answers, in place of the truth (sequence-level
        distillation, Kim and Rush 2016, arXiv 1606.07947, section 3.2). "distributions": what the
        teacher holds likely to follow each token of the true answer (word-level, section 3.1;
        Hinton et al. 2015, arXiv 1503.02531). "both": the teacher's answers, and what it holds
        likely to follow each token of them.
      temperature: of both softmaxes that distributions are compared at, T of Hinton et al.
      sequence_weight: of the cross-entropy on the teacher's answers, beside distributions.
      distribution_weight: of the divergence from the teacher's distributions, beside sequences.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    targets: Literal["sequences", "distributions", "both"] = "sequences"
    temperature: Positive = 1.0
    sequence_weight: Positive = 1.0
    distribution_weight: Positive = 1.0

    @model_validator(mode="after")
    def _agrees(self) -> "DistilConfig":
        if not self.has_distributions and self.temperature != 1:
            raise ValueError(
                f"temperature {self.temperature} is of distributions, and targets is "
                f'{self.targets}; leave it out, or say targets = "both"'
            )
        for name in ("sequence_weight", "distribution_weight"):
            if self.targets != "both" and getattr(self, name) != 1:
                raise ValueError(
                    f"{name} {getattr(self, name)} weighs one target against another, and targets "
                    f'is {self.targets}; leave it out, or say targets = "both"'
                )
        return self

    @property
    def has_sequences(self) -> bool:
        """Whether the teacher's answers are learnt."""
        return self.targets != "distributions"

    @property
    def has_distributions(self) -> bool:
        """Whether the teacher's distributions are learnt."""
        return self.targets != "sequences"
