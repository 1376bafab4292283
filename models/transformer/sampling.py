"""How the next token is chosen, and over how many draws of positions."""

from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from clrs_text_bench import identity

from .. import spec_options


class Sampling(BaseModel):
    """The part of a model spec after `?`: `transformer:runs/a?temperature=0.7&seed=1`.

    Attributes:
      temperature: of the softmax that tokens are drawn from; 0 takes the most likely one.
      seed: of the drawn tokens.
      draws: of randomised positions, whose probabilities are averaged (the mean of their logarithms
        is taken) before a token is chosen.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    temperature: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    draws: Annotated[int, Field(ge=1, le=64)] = 1

    def keys(self, samples: list[identity.SampleId]) -> np.ndarray:
        """Returns a key of JAX's generator for each sample, uint32 `[len(samples), 2]`."""
        purpose = f"decoding/{self.seed}"
        digests = [identity.stream_key(s, purpose).to_bytes(16, "little")[:8] for s in samples]
        return np.frombuffer(b"".join(digests), np.uint32).reshape(-1, 2)


def split(argument: str) -> tuple[str, Sampling]:
    """Splits what follows a model's name in a spec into a path and how to sample.

    >>> split("runs/a?draws=4")
    ('runs/a', Sampling(temperature=0.0, seed=0, draws=4))

    Raises:
      BadInput: see `spec_options.split`.
    """
    return spec_options.split(argument, Sampling, "temperature=0.7&seed=1")
