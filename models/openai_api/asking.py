"""Many requests at a time, and what they came to."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import httpx2

from clrs_text_bench.errors import RunFailed
from clrs_text_bench.protocols import Account, Usage

from .cache import Cache, Kept
from .client import Client, Failed

# So many requests given up in a row, and the server is taken to be gone.
_PATIENCE = 10


class Asked(NamedTuple):
    """What is asked: the key of its answer, and the body that is sent."""

    key: bytes
    body: dict[str, Any]


class Asking:
    """Asks, and keeps account; one for a model's life."""

    def __init__(self) -> None:
        self._asked = self._kept = Usage()
        self._retries = 0
        self._failures: Counter[str] = Counter()
        self._answered_by: dict[str, None] = {}
        self._in_a_row = 0

    def account(self) -> Account:
        """Returns what all of it came to."""
        by = tuple(name for name in self._answered_by if name)
        return Account(self._asked, self._kept, self._retries, dict(self._failures), by)

    async def answers(
        self,
        asked: list[Asked],
        client: Client,
        cache: Cache,
        concurrency: int,
        advance: Callable[[int], None],
    ) -> dict[bytes, Kept]:
        """Returns the answers by key; those that were given up are not among them.

        Args:
          asked: what is asked, in this order; the same key twice is asked once.
          client: asks.
          cache: holds what was answered, and is given what is.
          concurrency: requests under way at a time.
          advance: is told of every so many answers, and of what was given up.

        Raises:
          BadInput: if the server refuses everything, or the cache cannot be used.
          RunFailed: if the server no longer answers.
        """
        rows = Counter(one.key for one in asked)
        bodies = {one.key: one.body for one in asked}
        found: dict[bytes, Kept] = {}
        for key in rows:
            kept = cache.find(key)
            if kept is not None:
                found[key] = kept
                self._kept = self._count(self._kept, kept)
                advance(rows[key])
        left = iter([key for key in rows if key not in found])

        async def work(http: httpx2.AsyncClient, keys: Iterator[bytes]) -> None:
            for key in keys:
                kept = await self._one(client, http, bodies[key])
                if kept is not None:
                    cache.keep(key, kept)
                    found[key] = kept
                advance(rows[key])

        before = client.retries
        try:
            async with client.opened() as http, asyncio.TaskGroup() as group:
                for _ in range(min(concurrency, len(rows) - len(found))):
                    group.create_task(work(http, left))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            self._retries += client.retries - before
        return found

    async def _one(
        self, client: Client, http: httpx2.AsyncClient, body: dict[str, Any]
    ) -> Kept | None:
        try:
            kept = await client.reply(http, body)
        except Failed as error:
            self._give_up(error)
            return None
        self._in_a_row = 0
        self._asked = self._count(self._asked, kept)
        return kept

    def _give_up(self, error: Failed) -> None:
        self._failures[error.reason] += 1
        # A request that is refused, such as for its length, says nothing against the others; unless
        # not one was ever answered.
        if error.refused and self._answered_by:
            return
        self._in_a_row += 1
        if self._in_a_row >= _PATIENCE:
            raise RunFailed(
                f"the last {self._in_a_row} requests were given up, the last for: {error.reason}; "
                f"{self._asked.answers} answers that came are kept, and the same command asks for "
                "the others only"
            )

    def _count(self, usage: Usage, kept: Kept) -> Usage:
        self._answered_by[kept.reply.model] = None
        return replace(
            usage,
            answers=usage.answers + 1,
            prompt_tokens=usage.prompt_tokens + (kept.reply.prompt_tokens or 0),
            answer_tokens=usage.answer_tokens + (kept.reply.answer_tokens or 0),
        )
