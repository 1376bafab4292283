"""How many steps a reasoner makes: a setting that every result is recorded with.

trace    as many as the algorithm did, as upstream evaluates; for some tasks that number tells of
         the answer (a string search ends where the match is)
bound    a number that the algorithm and the size alone give
learned  until the halting head says so, at most the bound
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from clrs_text_bench import tasks

Setting = Literal["trace", "bound", "learned"]

DEFAULT: Setting = "learned"


class Options(BaseModel):
    """The part of a model spec after `?`: `nar:runs/a?steps=trace`.

    Attributes:
      steps: see above.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: Setting = DEFAULT


def bound(algorithm: str, n: int) -> int:
    """Returns the most steps that an algorithm's trace has on n nodes, from point to point."""
    return max(1, tasks.get(algorithm).longest_trace(n) - 1)
