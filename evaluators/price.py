"""What tokens cost."""

from typing import NamedTuple

from clrs_text_bench.errors import BadInput

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
