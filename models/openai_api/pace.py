"""When the next request may begin."""

import asyncio
import time


class Pace:
    """Spaces requests out, and holds all of them back when a server asks for it."""

    def __init__(self, per_minute: float | None) -> None:
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._next = 0.0

    async def turn(self) -> None:
        """Waits until a request may begin."""
        while True:
            now = time.monotonic()
            if self._next <= now:
                self._next = now + self._gap
                return
            await asyncio.sleep(self._next - now)

    def hold(self, seconds: float) -> None:
        """Lets no request begin for so long."""
        self._next = max(self._next, time.monotonic() + seconds)
