"""Sending one request until it is answered or given up."""

import asyncio
import json
import os
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import tenacity

from clrs_text_bench.errors import BadInput

from . import body
from .cache import Kept
from .options import Served
from .pace import Pace

# Seconds that the first retry waits at most; the next ones twice as long each, up to the longest.
_BACKOFF = 1.0
_LONGEST_BACKOFF = 60.0
# A server that asks for a longer wait is given up.
_LONGEST_WAIT = 600.0
_LONGEST_CONNECT = 20.0
_MOST_BYTES = 64 << 20
_MOST_SHOWN = 200

_PASSING = (408, 409, 425, 429)


class Failed(Exception):
    """A request was given up.

    Attributes:
      reason: why, in a few words.
      refused: whether the server understood and refused it, so that another may fare better.
    """

    def __init__(self, reason: str, *, refused: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.refused = refused


class _Passing(Exception):
    """What may be over when the request is sent again, after so many seconds if the server says."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Client:
    """A server's endpoint.

    Attributes:
      retries: how many requests were sent again.
    """

    def __init__(self, served: Served, pace: Pace) -> None:
        """Reads the key from the environment.

        Raises:
          BadInput: if the variable that was named is not set, or holds what no header can.
        """
        self._served = served
        self._pace = pace
        self._key = _key(served)
        self.retries = 0

    def opened(self) -> httpx2.AsyncClient:
        """Returns the connections, a context manager."""
        options = self._served.options
        connect = min(_LONGEST_CONNECT, options.timeout)
        return httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            timeout=httpx2.Timeout(options.timeout, connect=connect),
            limits=httpx2.Limits(max_connections=options.concurrency),
        )

    async def reply(self, http: httpx2.AsyncClient, asked: dict[str, Any]) -> Kept:
        """Sends a body; returns the reply and the seconds that the last try took.

        Raises:
          Failed: if it was given up.
          BadInput: if the server would refuse every other one as well.
        """
        try:
            async for attempt in tenacity.AsyncRetrying(
                retry=tenacity.retry_if_exception_type(_Passing),
                stop=tenacity.stop_after_attempt(1 + self._served.options.retries),
                wait=_wait,
                before_sleep=self._again,
                reraise=True,
            ):
                with attempt:
                    return await self._try(http, asked)
        except _Passing as error:
            raise Failed(str(error)) from None
        raise AssertionError("tenacity returns or raises")

    def _again(self, state: tenacity.RetryCallState) -> None:
        self.retries += 1
        after = state.outcome.exception().after
        if after is not None:
            self._pace.hold(after)

    async def _try(self, http: httpx2.AsyncClient, asked: dict[str, Any]) -> Kept:
        await self._pace.turn()
        began = time.perf_counter()
        timeout = self._served.options.timeout
        try:
            # httpx bounds the time between two pieces of a reply; this bounds all of it.
            async with asyncio.timeout(timeout):
                response, data = await self._send(http, asked)
        except (TimeoutError, httpx2.TimeoutException):
            raise _Passing(f"no whole reply within {timeout:g} s") from None
        except httpx2.HTTPError as error:
            raise _Passing(f"the connection broke ({type(error).__name__})") from None
        seconds = time.perf_counter() - began
        self._check(response, data)
        try:
            return Kept(body.read(data, chat=self._served.options.asks_chat()), seconds)
        except body.Malformed as error:
            kind = response.headers.get("content-type", "no content type").partition(";")[0]
            raise _Passing(f"{error} ({_plain(kind, self._key)})") from None

    async def _send(
        self, http: httpx2.AsyncClient, asked: dict[str, Any]
    ) -> tuple[httpx2.Response, bytes]:
        data = bytearray()
        async with http.stream("POST", body.path(self._served), json=asked) as response:
            async for piece in response.aiter_bytes():
                data += piece
                if len(data) > _MOST_BYTES:
                    raise Failed(f"the reply is longer than {_MOST_BYTES >> 20} MiB", refused=True)
        return response, bytes(data)

    def _check(self, response: httpx2.Response, data: bytes) -> None:
        """Raises what a status calls for."""
        status, url = response.status_code, body.path(self._served)
        if status == 200:
            return
        if status in _PASSING or status >= 500:
            after = _retry_after(response.headers.get("retry-after"))
            if after is not None and after > _LONGEST_WAIT:
                raise Failed(f"HTTP {status}, and the server asks to wait {after:.0f} s")
            raise _Passing(f"HTTP {status}", after)
        if status in (401, 403):
            # What the server says is left out: some repeat the key.
            name = self._served.options.key
            wants = (
                f"it does not accept the key in {name}"
                if self._key
                else (f"it wants a key; put it in the environment variable {name}")
            )
            raise BadInput(f"{url} answers HTTP {status}: {wants}")
        said = _said(data, self._key)
        if status in (404, 405) or status < 400:
            raise BadInput(
                f"{url} answers HTTP {status}{said}: is the URL that of an API, such as "
                f"http://localhost:8000/v1, does it know the model {self._served.model!r}, and has "
                "it this endpoint (endpoint=chat or endpoint=completions)?"
            )
        raise Failed(f"HTTP {status}{said}", refused=True)


def _key(served: Served) -> str:
    name = served.options.key
    key = os.environ.get(name, "").strip()
    if not key and "key" in served.options.model_fields_set:
        raise BadInput(f"the environment variable {name}, which key={name} names, is not set")
    if not (key.isascii() and key.isprintable()):
        raise BadInput(f"the environment variable {name} holds what cannot be a key")
    return key


def _wait(state: tenacity.RetryCallState) -> float:
    """Returns the seconds before a retry: as the server says, else drawn, ever longer."""
    after = state.outcome.exception().after
    backoff = tenacity.wait_random_exponential(multiplier=_BACKOFF, max=_LONGEST_BACKOFF)
    return backoff(state) if after is None else after


def _retry_after(value: str | None) -> float | None:
    """Reads a header: seconds, or a date (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):  # neither; or a date without a zone
            return None
    return max(0.0, seconds) if seconds == seconds else None


def _said(data: bytes, key: str) -> str:
    """Returns what a server says of an error, made fit to print; "" if it says nothing."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    error = values.get("error", values) if isinstance(values, dict) else None
    message = error.get("message", error.get("detail")) if isinstance(error, dict) else error
    return f" ({_plain(message, key)})" if isinstance(message, str) and message else ""


def _plain(text: str, key: str) -> str:
    """Returns a server's words, on one line, short, printable and without the key."""
    text = text.replace(key, "***") if key else text
    text = "".join(c if c.isprintable() else " " for c in text[: 4 * _MOST_SHOWN])
    text = " ".join(text.split())
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
