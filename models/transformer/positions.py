"""Positions of tokens: plain, randomised, or none.

Randomised positions (Ruoss et al. 2023, arXiv 2305.16843; Bounsi et al. 2024): a sequence draws
distinct positions from [0, L) and uses them in ascending order, so that the distances between
tokens of a long sequence are among those that short ones were trained on.

The paper draws as many positions as the sequence has tokens, T. While an answer is being written
T is not known, and telling it would tell the answer's length. A sequence here draws as many as it
has room for, prompt + room for the answer, in training as in decoding, and uses the first T.
"""

import numpy as np

from clrs_text_bench import identity

_COUNTER_WORDS = 4


def stream_keys(samples: list[identity.SampleId], seed: int) -> np.ndarray:
    """Returns the keys of the samples' streams of positions, uint64 `[len(samples), 2]`.

    Args:
      samples: whose positions are drawn.
      seed: seed of the training run.
    """
    purpose = f"positions/{seed}"
    digests = [identity.stream_key(s, purpose).to_bytes(16, "little") for s in samples]
    return np.frombuffer(b"".join(digests), np.uint64).reshape(-1, 2)


def draw(key: np.ndarray, visit: int, count: int, limit: int) -> np.ndarray:
    """Draws distinct positions of one sequence, ascending.

    Args:
      key: the sample's stream, a row of `stream_keys`.
      visit: tells the draws of one sample apart; 0 in decoding.
      count: how many to draw.
      limit: they come from [0, limit); at least `count`.

    Returns:
      int32 `[count]`.
    """
    counter = np.zeros(_COUNTER_WORDS, np.uint64)
    counter[-1] = visit  # the low words count the draws
    generator = np.random.Generator(np.random.Philox(key=key, counter=counter))
    drawn = generator.choice(limit, count, replace=False, shuffle=False)
    return np.sort(drawn).astype(np.int32)
