"""Posting to an address that a tenant named: once, without redirects, and reading little of the answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from shared.outbound.pinned import PublicOnly
from shared.outbound.reach import Reach

SECONDS = 15.0
"""How long a receiver may take to answer."""
_EXCERPT = 512
"""Bytes of an answer that are kept."""
_AGENT = "Podium-Events/1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call. ``latency`` is in milliseconds; without a ``status`` there is an ``error``."""

    latency: int
    status: int | None = None
    error: str | None = None
    excerpt: str | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver took the message: it answered 2xx."""
        return self.status is not None and 200 <= self.status < 300


class Poster:
    """Posts to any number of receivers. No proxy of the environment is used, and no cookie is kept."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=20, keepalive_expiry=5.0)
        self._trusted = httpx.AsyncHTTPTransport(limits=limits, trust_env=False)
        self._public = PublicOnly(httpx.AsyncHTTPTransport(limits=limits, trust_env=False))

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body and return what came of it; never raises."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(SECONDS):
                status, excerpt = await self._sent(url, body, headers)
        except TimeoutError:
            return Answer(_since(began), error=f"no answer within {SECONDS:.0f} s")
        # ValueError: an address that cannot be written down.
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError, OSError) as error:
            return Answer(_since(began), error=_words(error))
        return Answer(_since(began), status, excerpt=excerpt)

    async def close(self) -> None:
        """Close every connection."""
        await self._trusted.aclose()
        await self._public.aclose()

    async def _sent(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str | None]:
        given = {"content-type": "application/json", "user-agent": _AGENT, **headers}
        request = httpx.Request("POST", url, content=body, headers=given)
        trusted = self.reach.trusts(request.url.host)
        answer = await (self._trusted if trusted else self._public).handle_async_request(request)
        try:
            return answer.status_code, await _beginning(answer)
        finally:
            await answer.aclose()


async def _beginning(answer: httpx.Response) -> str | None:
    read = bytearray()
    # Whatever encoding it claims: what is kept is a few bytes to look at, and nothing is unpacked for it.
    async for chunk in answer.aiter_raw():
        read += chunk
        if len(read) >= _EXCERPT:
            break
    text = bytes(read[:_EXCERPT]).decode(errors="replace")
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t").strip() or None


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


def _words(error: Exception) -> str:
    if isinstance(error, httpx.ConnectError):
        return "no connection: the address is unknown, not public, or refuses"
    return f"the connection broke: {type(error).__name__}"
