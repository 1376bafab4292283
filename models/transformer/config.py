"""What a Transformer is: the `[model]` table of a training config."""

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int, Field(ge=1, strict=True)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Positions(_Strict):
    """How tokens know their places.

    Attributes:
      kind: "plain" (0, 1, 2, ...), "randomised" (distinct draws, ascending), or "none".
      range: randomised positions are drawn from [0, range).
      base: base of the rotary frequencies.
    """

    kind: Literal["plain", "randomised", "none"] = "plain"
    range: Count = 8192
    base: Annotated[float, Field(gt=1, strict=True)] = 10_000.0


class TransformerConfig(_Strict):
    """A decoder-only Transformer.

    Attributes:
      kind: tells it from other models.
      tokenizer: "char" or "compact".
      width: width of the residual stream, D.
      layers: number of blocks.
      heads: number of attention heads; `width / heads` is even.
      expansion: width of the feed-forward layer, in widths.
      context: most tokens of a prompt and its answer together.
      max_answer: most tokens of an answer, in training as in decoding.
      numbers: how tokens of decimal numbers start: "ordered" (near each other where the numbers
        are, see `numbers`) or "random".
      dtype: what activations are computed in; parameters stay float32.
      positions: see `Positions`.
    """

    kind: Literal["transformer"] = "transformer"
    tokenizer: Literal["char", "compact"] = "compact"
    width: Count = 128
    layers: Count = 4
    heads: Count = 4
    expansion: Count = 4
    context: Count = 2048
    max_answer: Count = 512
    numbers: Literal["ordered", "random"] = "ordered"
    dtype: Literal["float32", "bfloat16"] = "float32"
    positions: Positions = Positions()

    @model_validator(mode="after")
    def _fits(self) -> "TransformerConfig":
        if self.width % (2 * self.heads):
            raise ValueError(
                f"width {self.width} must be a multiple of twice heads {self.heads}, so that each "
                "head has an even width"
            )
        if self.positions.kind == "randomised" and self.positions.range < self.context:
            raise ValueError(
                f"positions.range {self.positions.range} is below context {self.context}; distinct "
                "positions need at least as many"
            )
        return self

    @property
    def hidden_width(self) -> int:
        """Width of the feed-forward layer, F."""
        return self.expansion * self.width

    @property
    def residual_scale(self) -> float:
        """Initial scale of the layers that write to the residual stream (Radford et al. 2019)."""
        return 1 / math.sqrt(2 * self.layers)
