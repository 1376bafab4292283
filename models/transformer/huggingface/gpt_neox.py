"""The config and the tensors of GPT-NeoX (Black et al. 2022, arXiv 2204.06745), as Pythia is one.

Legend: L layers, D width, F width of the feed-forward layer, H heads, K width of a head, V
vocabulary. Hugging Face writes a linear layer as `[out, in]`, we as `[in, out]`; it fuses queries,
keys and values as `[H, 3, K]`, we as `[3, H, K]`.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from clrs_text_bench import validation
from clrs_text_bench.errors import BadInput

from ..config import TransformerConfig

MODEL_TYPE = "gpt_neox"
ARCHITECTURE = "GPTNeoXForCausalLM"

# Buffers that old folders hold besides the parameters: all follow from the config.
_BUFFERS = re.compile(
    r"gpt_neox\.layers\.\d+\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)"
    r"|gpt_neox\.rotary_emb\.inv_freq"
)
_ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu2": "squared_relu",
}
_WRITTEN = {"gelu": "gelu", "gelu_tanh": "gelu_new", "squared_relu": "relu2"}
# What every GPT-NeoX is.
_FIXED = {"norm": "layer", "bias": True, "scale_embeddings": False}
_LONGEST_ANSWER = 512


class _Config(BaseModel):
    """The keys of `config.json` that numbers follow from, with the defaults of transformers."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    vocab_size: int = 50432
    hidden_size: int = 6144
    num_hidden_layers: int = 44
    num_attention_heads: int = 64
    intermediate_size: int = 24576
    hidden_act: str = "gelu"
    max_position_embeddings: int = 2048
    layer_norm_eps: float = 1e-5
    tie_word_embeddings: bool = False
    use_parallel_residual: bool = True
    attention_bias: bool = True
    rotary_pct: float = 0.25
    rotary_emb_base: float = 10_000.0
    rope_parameters: dict[str, Any] | None = None
    rope_scaling: dict[str, Any] | None = None

    @property
    def rope(self) -> dict[str, Any]:
        """The rotary settings, as transformers 5 makes them of old keys and new ones."""
        given = self.rope_scaling or self.rope_parameters or {}
        kind = given.get("rope_type", given.get("type", "default"))
        return {
            "rope_theta": self.rotary_emb_base,
            "partial_rotary_factor": self.rotary_pct,
            **given,
            "rope_type": kind,
        }


def read_config(values: dict, where: str) -> dict:
    """Returns the settings of a `TransformerConfig` that a `config.json` gives.

    Args:
      values: what `config.json` holds.
      where: names it in an error.

    Raises:
      BadInput: if it asks for something that this Transformer does not do.
    """
    found = validation.build(_Config, values, where)
    rope = found.rope
    for key, value, known in (
        ("hidden_act", found.hidden_act, tuple(_ACTIVATIONS)),
        ("attention_bias", found.attention_bias, (True,)),
        ("rope_parameters.rope_type", rope["rope_type"], ("default",)),
        ("quantization_config", values.get("quantization_config"), (None,)),
    ):
        if value not in known:
            raise BadInput(f"{where}: {key} is {value!r}; known: {', '.join(map(str, known))}")
    if found.intermediate_size % found.hidden_size:
        raise BadInput(
            f"{where}: intermediate_size {found.intermediate_size} is no multiple of hidden_size "
            f"{found.hidden_size}"
        )
    return {
        "hidden_dim": found.hidden_size,
        "num_layers": found.num_hidden_layers,
        "num_heads": found.num_attention_heads,
        "expansion": found.intermediate_size // found.hidden_size,
        "vocab_size": found.vocab_size,
        "context": found.max_position_embeddings,
        "max_answer": min(_LONGEST_ANSWER, found.max_position_embeddings),
        "norm_epsilon": found.layer_norm_eps,
        "activation": _ACTIVATIONS[found.hidden_act],
        "parallel_residual": found.use_parallel_residual,
        "tie_embeddings": found.tie_word_embeddings,
        "positions": {
            "base": float(rope["rope_theta"]),
            "share": float(rope["partial_rotary_factor"]),
        },
        **_FIXED,
    }


def write_config(config: TransformerConfig, vocab_size: int) -> dict:
    """Returns a `config.json` for a model.

    Raises:
      BadInput: if the model is no GPT-NeoX.
    """
    for key, value in _FIXED.items():
        if (found := getattr(config, key)) != value:
            raise BadInput(
                f"only a GPT-NeoX can be written, with model.{key} {_toml(value)}, and this model "
                f"has {_toml(found)}"
            )
    if config.positions.kind == "none":
        raise BadInput(
            "only a GPT-NeoX can be written, with rotary positions, and this model has "
            "model.positions.kind none"
        )
    rope = {"rope_theta": config.positions.base, "partial_rotary_factor": config.positions.share}
    return {
        "architectures": [ARCHITECTURE],
        "model_type": MODEL_TYPE,
        "vocab_size": vocab_size,
        "hidden_size": config.hidden_dim,
        "num_hidden_layers": config.num_layers,
        "num_attention_heads": config.num_heads,
        "intermediate_size": config.ffn_dim,
        "hidden_act": _WRITTEN[config.activation],
        "max_position_embeddings": config.context,
        "layer_norm_eps": config.norm_epsilon,
        "tie_word_embeddings": config.tie_embeddings,
        "use_parallel_residual": config.parallel_residual,
        "attention_bias": True,
        # By new names and by old ones: transformers reads the former from version 5 on.
        "rope_parameters": {**rope, "rope_type": "default"},
        "rotary_emb_base": config.positions.base,
        "rotary_pct": config.positions.share,
        "attention_dropout": 0.0,
        "hidden_dropout": 0.0,
        "dtype": "float32",
    }


def _toml(value: str | bool) -> str:
    return str(value).lower()


class Tensor(NamedTuple):
    """A tensor on both sides.

    Attributes:
      name: Hugging Face's.
      shape: Hugging Face's.
      path: where in our tree of parameters it is.
      to_ours: makes our array of Hugging Face's.
      to_theirs: the inverse.
    """

    name: str
    shape: tuple[int, ...]
    path: tuple[str | int, ...]
    to_ours: Callable[[np.ndarray], np.ndarray]
    to_theirs: Callable[[np.ndarray], np.ndarray]


def tensors(config: TransformerConfig, vocab_size: int) -> Iterator[Tensor]:
    """Yields all tensors of a model."""
    D, F, V = config.hidden_dim, config.ffn_dim, vocab_size
    yield _same("gpt_neox.embed_in.weight", (V, D), ("embedding", "embedding"))
    for place in range(config.num_layers):
        theirs, ours = f"gpt_neox.layers.{place}", ("blocks", place)
        yield from _norm(f"{theirs}.input_layernorm", D, (*ours, "attention_norm"))
        yield from _norm(f"{theirs}.post_attention_layernorm", D, (*ours, "feed_forward_norm"))
        yield from _fused(
            f"{theirs}.attention.query_key_value", config, (*ours, "attention", "qkv")
        )
        yield from _linear(f"{theirs}.attention.dense", D, D, (*ours, "attention", "out"))
        yield from _linear(f"{theirs}.mlp.dense_h_to_4h", D, F, (*ours, "feed_forward", "up"))
        yield from _linear(f"{theirs}.mlp.dense_4h_to_h", F, D, (*ours, "feed_forward", "down"))
    yield from _norm("gpt_neox.final_layer_norm", D, ("norm",))
    if not config.tie_embeddings:
        yield Tensor(
            "embed_out.weight", (V, D), ("unembedding", "kernel"), np.transpose, np.transpose
        )


def is_buffer(name: str) -> bool:
    """Returns whether a tensor is no parameter, but follows from the config."""
    return _BUFFERS.fullmatch(name) is not None


def _as_it_is(x: np.ndarray) -> np.ndarray:
    return x


def _same(name: str, shape: tuple[int, ...], path: tuple) -> Tensor:
    return Tensor(name, shape, path, _as_it_is, _as_it_is)


def _norm(name: str, D: int, path: tuple) -> Iterator[Tensor]:
    yield _same(f"{name}.weight", (D,), (*path, "scale"))
    yield _same(f"{name}.bias", (D,), (*path, "bias"))


def _linear(name: str, n_in: int, n_out: int, path: tuple) -> Iterator[Tensor]:
    yield Tensor(f"{name}.weight", (n_out, n_in), (*path, "kernel"), np.transpose, np.transpose)
    yield _same(f"{name}.bias", (n_out,), (*path, "bias"))


def _fused(name: str, config: TransformerConfig, path: tuple) -> Iterator[Tensor]:
    D, H, K = config.hidden_dim, config.num_heads, config.head_dim

    def to_ours(x_3DxE: np.ndarray) -> np.ndarray:
        x_3xHxKxE = x_3DxE.reshape(H, 3, K, -1).swapaxes(0, 1)
        return x_3xHxKxE.reshape(x_3DxE.shape).T

    def to_theirs(x_Ex3D: np.ndarray) -> np.ndarray:
        x_Hx3xKxE = x_Ex3D.T.reshape(3, H, K, -1).swapaxes(0, 1)
        return x_Hx3xKxE.reshape(x_Ex3D.T.shape)

    # A bias is a vector: to turn it round changes nothing.
    yield Tensor(f"{name}.weight", (3 * D, D), (*path, "kernel"), to_ours, to_theirs)
    yield Tensor(f"{name}.bias", (3 * D,), (*path, "bias"), to_ours, to_theirs)
