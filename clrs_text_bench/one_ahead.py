"""Items that a thread makes one ahead of who uses them."""

import contextlib
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_END = object()


def one_ahead(items: Generator[T], name: str) -> Generator[T]:
    """Yields items, while a thread makes the next one.

    Closing it waits for the item under way, and closes `items`.

    Args:
      items: makes each item when it is asked for; what it raises is raised in that item's place.
      name: of the thread.
    """
    with contextlib.closing(items), ThreadPoolExecutor(1, name) as thread:
        coming = thread.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = thread.submit(next, items, _END)
            yield item
