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
      hidden_dim: width of the residual stream, D.
      num_layers: number of blocks.
      num_heads: number of attention heads; `hidden_dim / num_heads` is even.
      expansion: width of the feed-forward layer, in hidden_dims.
      context: most tokens of a prompt and its answer together.
      max_answer: most tokens of an answer, in training as in decoding.
      numbers: how tokens of decimal numbers start: "ordered" (near each other where the numbers
        are, see `numbers`) or "random".
      dtype: what activations are computed in; parameters stay float32.
      positions: see `Positions`.
    """

    kind: Literal["transformer"] = "transformer"
    tokenizer: Literal["char", "compact"] = "compact"
    hidden_dim: Count = 128
    num_layers: Count = 4
    num_heads: Count = 4
    expansion: Count = 4
    context: Count = 2048
    max_answer: Count = 512
    numbers: Literal["ordered", "random"] = "ordered"
    dtype: Literal["float32", "bfloat16"] = "float32"
    positions: Positions = Positions()

    @model_validator(mode="after")
    def _fits(self) -> "TransformerConfig":
        if self.hidden_dim % (2 * self.num_heads):
            raise ValueError(
                f"hidden_dim {self.hidden_dim} must be a multiple of twice num_heads "
                f"{self.num_heads}, so that each head has an even width"
            )
        if self.positions.kind == "randomised" and self.positions.range < self.context:
            raise ValueError(
                f"positions.range {self.positions.range} is below context {self.context}; distinct "
                "positions need at least as many"
            )
        return self

    @property
    def ffn_dim(self) -> int:
        """Width of the feed-forward layer, F."""
        return self.expansion * self.hidden_dim

    @property
    def residual_scale(self) -> float:
        """Initial scale of the layers that write to the residual stream (Radford et al. 2019)."""
        return 1 / math.sqrt(2 * self.num_layers)
