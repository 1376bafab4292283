"""What it came to, to ask a model: said in sentences."""

from collections.abc import Iterator

from clrs_text_bench.protocols import Account, Usage

from .price import Price
from .rendering import clean

_MOST_REASONS = 5


def sentences(account: Account, price: Price | None) -> Iterator[str]:
    """Yields what is worth saying of an account."""
    asked, kept = account.asked, account.kept
    by = f", by {clean(', '.join(account.answered_by))}" if account.answered_by else ""
    yield (
        f"{asked.answers:,} answers were asked for now, {kept.answers:,} had been before{by}; "
        f"{account.retries:,} requests were sent again"
    )
    yield f"tokens now: {_tokens(asked, price)}"
    if kept.answers:
        both = Usage(
            asked.answers + kept.answers,
            asked.prompt_tokens + kept.prompt_tokens,
            asked.answer_tokens + kept.answer_tokens,
        )
        yield f"tokens in all: {_tokens(both, price)}"
    if account.failures:
        yield _given_up(account.failures)


def _tokens(usage: Usage, price: Price | None) -> str:
    cost = ""
    if price:
        cost = f", about ${price.of(usage.prompt_tokens, usage.answer_tokens):,.4f}"
    return f"{usage.prompt_tokens:,} of prompts, {usage.answer_tokens:,} of answers{cost}"


def _given_up(failures: dict[str, int]) -> str:
    common = sorted(failures.items(), key=lambda item: -item[1])
    reasons = [f"{count:,} x {clean(reason)}" for reason, count in common[:_MOST_REASONS]]
    rest = sum(count for _, count in common[_MOST_REASONS:])
    reasons += [f"{rest:,} for other reasons"] if rest else []
    return (
        f"{sum(failures.values()):,} requests were given up and score 0 ({'; '.join(reasons)}); "
        "the same command asks for these only"
    )
