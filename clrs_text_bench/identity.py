"""Sample identity: the random stream of a sample, from `(seed, split, algorithm, length, index)`.

The whole identity is hashed into the key of a counter-based generator, so that any sample can be
made alone, in any order, anywhere, and neighbouring identities share nothing. (Adding `seed + i`,
as some generators do, makes seeds 0 and 1 share all samples but one.)
"""

import hashlib
from dataclasses import dataclass

import numpy as np

_DOMAIN = b"clrs-text-bench/sample/1"


@dataclass(frozen=True, slots=True)
class SampleId:
    """The identity of a sample.

    Attributes:
      seed: seed of the data set, any int64.
      split: name of the split, such as "train".
      algorithm: name of the task.
      length: length of the sample.
      index: place within (seed, split, algorithm, length), from 0.
    """

    seed: int
    split: str
    algorithm: str
    length: int
    index: int


def stream_key(sample: SampleId, purpose: str = "sample") -> int:
    """Returns a 128-bit key for a sample's random stream.

    Args:
      sample: whose stream.
      purpose: separates the streams of one sample; "sample" draws its inputs.
    """
    digest = hashlib.blake2b(_DOMAIN, digest_size=16)
    fields = (purpose, sample.seed, sample.split, sample.algorithm, sample.length, sample.index)
    for field in fields:
        encoded = str(field).encode()
        # The length before each field keeps ("ab", "c") and ("a", "bc") apart.
        digest.update(len(encoded).to_bytes(4, "little") + encoded)
    return int.from_bytes(digest.digest(), "little")


def bit_generator(sample: SampleId, purpose: str = "sample") -> np.random.Philox:
    """Returns the Philox4x64 generator (Salmon et al. 2011) of a sample."""
    return np.random.Philox(key=stream_key(sample, purpose))
