"""What tokens cost."""

from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from clrs_text_bench import schema
from clrs_text_bench.errors import BadInput

from .answers import answered

_MILLION = 1_000_000


class Price(NamedTuple):
    """Dollars for a million tokens, of prompts and of answers."""

    prompt: float
    answer: float

    def of(self, prompt_tokens: int, answer_tokens: int) -> float:
        """Returns what so many tokens cost, in dollars.

        >>> Price(0.5, 2.0).of(3_000_000, 1_000_000)
        3.5
        """
        return (prompt_tokens * self.prompt + answer_tokens * self.answer) / _MILLION


def parse(text: str) -> Price:
    """Reads `IN,OUT`; raises `BadInput` if it is not two numbers that are no less than 0."""
    try:
        price = Price(*map(float, text.split(",")))
    except (ValueError, TypeError):
        price = None
    if price is None or not all(0 <= part < float("inf") for part in price):
        raise BadInput(
            f"--price {text} is not IN,OUT: dollars for a million tokens of prompts and answers, "
            "such as 0.15,0.60"
        )
    return price


def spent(answers: pa.Table, price: Price | None) -> dict[str, Any]:
    """Returns what answers came to, asked now or before: prompt_tokens, and dollars.

    Either is None if not known, as of an answer whose tokens nobody counted. Requests that were
    given up are left out. Of a model that is sent no prompts there is neither.

    Args:
      answers: with the columns of `schema.PREDICTIONS`, and maybe `schema.PROMPT_TOKENS`.
      price: of a token; None if not known.
    """
    name = schema.PROMPT_TOKENS.name
    if name not in answers.column_names:
        return {}
    counted = answers.filter(answered(answers))
    sums = [
        None if counted[n].null_count else pc.sum(counted[n], min_count=0).as_py()
        for n in (name, "n_tokens")
    ]
    known = price is not None and None not in sums
    return {name: sums[0], "dollars": price.of(*sums) if known else None}
