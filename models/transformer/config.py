"""What a Transformer is: the `[model]` table of a training config."""

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from clrs_text_bench import tokenizers

Count = Annotated[int, Field(ge=1, strict=True)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Positions(_Strict):
    """How tokens know their places.

    Attributes:
      kind: "plain" (0, 1, 2, ...), "randomised" (distinct draws, ascending), or "none".
      range: randomised positions are drawn from [0, range).
      base: base of the rotary frequencies.
      share: share of each head's width that is turned; the rest carries no position.
    """

    kind: Literal["plain", "randomised", "none"] = "plain"
    range: Count = 8192
    base: Annotated[float, Field(gt=1, strict=True)] = 10_000.0
    share: Annotated[float, Field(gt=0, le=1, strict=True)] = 1.0


class TransformerConfig(_Strict):
    """A decoder-only Transformer: our own by default, GPT-NeoX (as in Pythia) by other settings.

    Attributes:
      kind: tells it from other models.
      tokenizer: "char", "compact", or the path of a `tokenizer.json` or of the folder that holds
        it.
      split_digits: whether a `tokenizer.json` spells numbers digit by digit.
      vocab_size: rows of the embedding table; as many as the tokeniser has tokens if left out.
      init: where the initial parameters come from: a Hugging Face folder, or a run. Drawn if left
        out.
      hidden_dim: width of the residual stream, D.
      num_layers: number of blocks.
      num_heads: number of attention heads; `hidden_dim / num_heads` is even.
      expansion: width of the feed-forward layer, in hidden_dims.
      norm: "rms" (scale only) or "layer" (scale and bias).
      norm_epsilon: what a norm adds to the variance.
      activation: of the feed-forward layer; "gelu" is the exact one, "gelu_tanh" its approximation.
      bias: whether linear layers have biases.
      parallel_residual: whether both halves of a block read what came into it, instead of the
        feed-forward layer reading what attention left.
      tie_embeddings: whether logits are products with the embedding table, or with one of their
        own.
      scale_embeddings: whether embeddings are scaled by the root of hidden_dim.
      context: most tokens of a prompt and its answer together.
      max_answer: most tokens of an answer, in training as in decoding.
      numbers: how tokens of decimal numbers start: "ordered" (near each other where the numbers
        are, see `numbers`) or "random".
      dtype: what activations are computed in; parameters stay float32.
      remat: whether a training step computes each block's activations again instead of keeping
        them: less memory for more time. Changes no number but by rounding.
      index_hints: whether elements of sequences are preceded by their index, for the model alone:
        "none", "plain" (from 0 on) or "random" (from an offset on that is drawn for each sample);
        see `index_hints`.
      positions: see `Positions`.
    """

    kind: Literal["transformer"] = "transformer"
    tokenizer: Annotated[str, Field(strict=True)] = "compact"
    split_digits: Annotated[bool, Field(strict=True)] = False
    vocab_size: Count | None = None
    init: Annotated[str, Field(min_length=1, strict=True)] | None = None
    hidden_dim: Count = 128
    num_layers: Count = 4
    num_heads: Count = 4
    expansion: Count = 4
    norm: Literal["rms", "layer"] = "rms"
    norm_epsilon: Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)] = 1e-6
    activation: Literal["squared_relu", "gelu", "gelu_tanh"] = "squared_relu"
    bias: Annotated[bool, Field(strict=True)] = False
    parallel_residual: Annotated[bool, Field(strict=True)] = False
    tie_embeddings: Annotated[bool, Field(strict=True)] = True
    scale_embeddings: Annotated[bool, Field(strict=True)] = True
    context: Count = 2048
    max_answer: Count = 512
    numbers: Literal["ordered", "random"] = "ordered"
    dtype: Literal["float32", "bfloat16"] = "float32"
    remat: Annotated[bool, Field(strict=True)] = False
    index_hints: Literal["none", "plain", "random"] = "none"
    positions: Positions = Positions()

    @field_validator("tokenizer")
    @classmethod
    def _is_tokenizer(cls, name: str) -> str:
        tokenizers.check_name(name)
        return name

    @model_validator(mode="after")
    def _fits(self) -> "TransformerConfig":
        if self.hidden_dim % (2 * self.num_heads):
            raise ValueError(
                f"hidden_dim {self.hidden_dim} must be a multiple of twice num_heads "
                f"{self.num_heads}, so that each head has an even width"
            )
        if self.rotary_dim % 2 or not self.rotary_dim:
            raise ValueError(
                f"positions.share {self.positions.share} of a head's width {self.head_dim} is "
                f"{self.rotary_dim}; it must be an even number above 0"
            )
        if self.split_digits and self.tokenizer in tokenizers.names():
            raise ValueError(
                f"split_digits is for a tokenizer.json, and tokenizer is {self.tokenizer}; leave "
                "it out"
            )
        if self.positions.kind == "randomised" and self.positions.range < self.context:
            raise ValueError(
                f"positions.range {self.positions.range} is below context {self.context}; distinct "
                "positions need at least as many"
            )
        return self

    @property
    def head_dim(self) -> int:
        """Width of a head, K."""
        return self.hidden_dim // self.num_heads

    @property
    def rotary_dim(self) -> int:
        """How much of a head's width is turned by its position."""
        return int(self.head_dim * self.positions.share)

    @property
    def ffn_dim(self) -> int:
        """Width of the feed-forward layer, F."""
        return self.expansion * self.hidden_dim

    @property
    def residual_scale(self) -> float:
        """Initial scale of the layers that write to the residual stream (Radford et al. 2019)."""
        return 1 / math.sqrt(2 * self.num_layers)
