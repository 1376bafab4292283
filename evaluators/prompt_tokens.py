"""How many tokens texts come to: counted with a tokeniser, or estimated without one.

The estimate cuts as tokenisers do that keep words whole and take up to three digits at once
(cl100k, o200k, Llama 3): each piece is a token at least, and each run of digits exactly one. A
tokeniser with a token for each digit (Qwen, Llama 2) makes more of it.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np

from clrs_text_bench import tokenizers

Count = Callable[[Sequence[str]], np.ndarray]

_PIECES = re.compile(r"[^\W\d_]+|\d{1,3}|[^\w\s]+|_+|\s+")


def estimate(texts: Sequence[str]) -> np.ndarray:
    """Returns about how many tokens each text has, int64 `[len(texts)]`.

    >>> estimate(["key: [0.15 0.9], min:"]).tolist()
    [15]
    """
    return np.array([len(_PIECES.findall(text)) for text in texts], np.int64)


def counter(tokenizer: str | None) -> Count:
    """Returns what counts: a tokeniser's own lengths, or the estimate where there is none.

    Raises:
      BadInput: if there is no such tokeniser.
    """
    return estimate if tokenizer is None else tokenizers.get(tokenizer).lengths
