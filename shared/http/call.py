"""What a handler is given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from shared.model.apikey import ApiKey
from shared.model.signing import Signer
from shared.services.platform import Platform

B = TypeVar("B")


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


@dataclass(slots=True)
class Call(Generic[B]):
    """One authenticated request: parsed body, parameters, caller, and the platform to act on."""

    platform: Platform
    request_id: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: B
    raw: bytes
    key: ApiKey | None = None
    signer: Signer | None = None
    """Who signed the call, which then has no key."""
    address: str = ""
    """Where the request comes from: an IP address, as far as it can be believed."""
    key_digest: str = ""
    """The SHA-256 the caller's key is stored under."""
    prefetched: tuple[Any, ...] = ()
    notes: dict[str, object] = field(default_factory=dict)
    """Fields a handler adds to the request's log line."""
    answer_headers: dict[str, str] = field(default_factory=dict)
    """Headers a handler adds to the answer."""
    pieces: AsyncIterator[bytes] = field(default_factory=_nothing)
    """The body as it arrives, for an endpoint that ``streams``; ends with BodyTooLarge over its limit."""

    @property
    def caller(self) -> ApiKey:
        """The key of the caller; only endpoints with keyed access may ask."""
        if self.key is None:
            raise LookupError("this endpoint has no keyed access")
        return self.key

    @property
    def deliveries(self) -> int:
        """How often the task that this call delivers was delivered before."""
        return int(self.headers.get("x-cloudtasks-taskretrycount", "0"))
