"""How well a Transformer predicts any text.

Bits per byte are the text's bits, by the model's own probabilities, over its UTF-8 bytes, so that
models with different tokenisers compare. Every token counts: before the first stands the end of an
answer, a blank line, which is neither scored nor counted.

Legend: N tokens of the text, B windows of a batch, T tokens of a window.
"""

import math
from dataclasses import dataclass

import jax
import numpy as np

from clrs_text_bench import identity, progress, storage
from clrs_text_bench.errors import BadInput
from clrs_text_bench.tokenizers import Tokenizer

from ..training.buckets import size_for
from . import positions
from .trainable import TrainableTransformer
from .windows import Window, default_stride, windows

# In nats a token, beyond which a perplexity is no float.
_LARGEST = 700


@dataclass(frozen=True, slots=True)
class Perplexity:
    """What a text costs a model.

    Attributes:
      tokens: of the text.
      bytes: of its UTF-8.
      nats: the sum of its tokens' cross-entropies.
    """

    tokens: int
    bytes: int
    nats: float

    @property
    def bits_per_byte(self) -> float:
        """Bits of the text over its bytes."""
        return self.nats / math.log(2) / self.bytes

    @property
    def bits_per_token(self) -> float:
        """Bits of the text over its tokens."""
        return self.nats / math.log(2) / self.tokens

    @property
    def perplexity(self) -> float:
        """The exponential of a token's mean cross-entropy."""
        return math.exp(self.nats / self.tokens)


def perplexity(
    trainable: TrainableTransformer,
    params: dict,
    text: str,
    *,
    stride: int | None = None,
    batch: int = 8,
    show: bool = False,
) -> Perplexity:
    """Measures a text.

    Args:
      trainable: the model.
      params: its parameters.
      text: at least one character.
      stride: see `windows`; half of the context if left out.
      batch: windows that are read together; changes no number but by rounding.
      show: whether to show progress.

    Raises:
      BadInput: if the text is empty, the tokeniser does not give it back, the stride is no number
        from 1 to the context, or the model gives no finite cross-entropy.
    """
    context = trainable.config.context
    stride = default_stride(context) if stride is None else stride
    if not 1 <= stride <= context:
        raise BadInput(f"stride {stride} must be from 1 to the model's context, {context}")
    tokens_N = spelt(trainable.tokenizer, text)
    nats_N = token_nats(
        trainable,
        params,
        tokens_N,
        windows(len(tokens_N), context, stride),
        batch=batch,
        text=storage.sha256(text.encode()),
        show=show,
    )
    if not nats_N.mean() < _LARGEST:
        raise BadInput(
            f"the model gives the text {nats_N.mean()} nats a token; its training has diverged"
        )
    return Perplexity(len(tokens_N), len(text.encode()), float(nats_N.sum()))


def spelt(tokenizer: Tokenizer, text: str) -> np.ndarray:
    """Returns a text's token ids, int32 `[N]`.

    Raises:
      BadInput: if there is no text, or its tokens do not say which text it was: their
        probabilities would be of other texts, too.
    """
    if not text:
        raise BadInput("an empty text has no perplexity")
    tokens_N = tokenizer.encode(text)
    back = tokenizer.decode(tokens_N.tolist())
    if back != text:
        alike = (a == b for a, b in zip(text, back, strict=False))
        place = next((i for i, same in enumerate(alike) if not same), min(len(text), len(back)))
        raise BadInput(
            f"tokeniser {tokenizer.name} cannot spell the text: it gives character {place + 1}, "
            f"{text[place : place + 1]!r}, back as {back[place : place + 1]!r}, so that its tokens "
            "do not say which text it was; take a model whose tokeniser does, such as char"
        )
    return tokens_N


def token_nats(
    trainable: TrainableTransformer,
    params: dict,
    tokens_N: np.ndarray,
    cut: list[Window],
    *,
    batch: int,
    text: str,
    show: bool,
) -> np.ndarray:
    """Returns every token's cross-entropy in nats, float64 `[N]`.

    Args:
      trainable: the model.
      params: its parameters.
      tokens_N: the text.
      cut: windows over it.
      batch: windows that are read together; all programs are of this number.
      text: names the text, for randomised positions.
      show: whether to show progress.
    """
    sequence = np.concatenate([[trainable.tokenizer.end_id], tokens_N]).astype(np.int32)
    T = min(size_for(max(w.stop - w.start for w in cut)), trainable.config.context)
    params = jax.device_put(params)
    found_N = np.zeros(len(tokens_N))
    with progress.bar("tokens", show=show) as bar:
        task = bar.add_task("perplexity", total=len(tokens_N))
        for i in range(0, len(cut), batch):
            part = cut[i : i + batch]
            arrays = _arrays(trainable, sequence, part, (batch, T), text)
            nats_BxT = np.asarray(trainable.nats(params, *arrays))
            for b, window in enumerate(part):
                scored = slice(window.first - window.start, window.stop - window.start)
                found_N[window.first : window.stop] = nats_BxT[b, scored]
                bar.advance(task, window.stop - window.first)
    return found_N


def _arrays(
    trainable: TrainableTransformer,
    sequence: np.ndarray,
    part: list[Window],
    shape: tuple[int, int],
    text: str,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the tokens of windows, their positions and what follows them, int32 `[B, T]` each."""
    tokens_BxT = np.full(shape, trainable.tokenizer.pad_id, np.int32)
    targets_BxT = np.zeros(shape, np.int32)
    positions_BxT = np.tile(np.arange(shape[1], dtype=np.int32), (shape[0], 1))
    for b, (start, stop, _) in enumerate(part):
        tokens_BxT[b, : stop - start] = sequence[start:stop]
        targets_BxT[b, : stop - start] = sequence[start + 1 : stop + 1]
        if trainable.config.positions.kind == "randomised":
            positions_BxT[b] = _drawn(trainable, text, start)[: shape[1]]
    return tokens_BxT, positions_BxT, targets_BxT


def _drawn(trainable: TrainableTransformer, text: str, start: int) -> np.ndarray:
    """Draws the positions of a window that has the whole context's room; one seed for all runs."""
    config = trainable.config
    window = identity.SampleId(0, "text", text, config.context, start)
    (key,) = positions.stream_keys([window], seed=0)
    return positions.draw(key, 0, config.context, config.positions.range)
