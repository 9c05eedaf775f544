"""Rate limits in the memory of a process: one bucket of tokens per caller (decision 0009)."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from shared.services.recent import Recent
from shared.settings import Settings

WINDOW = 60
"""Seconds in which an empty bucket fills."""

_CAPACITY = 20_000
"""Buckets kept. The one that was left alone for longest is forgotten, which fills it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands with one limit. Seconds are rounded up."""

    name: str
    quota: int
    remaining: int
    resets_in: int
    """Seconds until the whole quota is there again."""
    retry_in: int
    """Seconds until one more request is taken; 0 when this one was."""

    @property
    def is_exceeded(self) -> bool:
        """Whether this request is one too many."""
        return self.retry_in > 0


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """``quota`` requests a minute for each holder, all of them at once if they like; 0 limits nobody."""

    def __init__(
        self,
        name: str,
        quota: int,
        *,
        capacity: int = _CAPACITY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.quota = quota
        self._capacity = capacity
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, holder: str) -> Standing | None:
        """Count a request of ``holder`` if it may be made; return how it stands, ``None`` without a limit."""
        if self.quota <= 0:
            return None
        bucket = self._filled(holder)
        taken = bucket.tokens >= 1
        if taken:
            bucket.tokens -= 1
        return self._standing(bucket, 0.0 if taken else 1 - bucket.tokens)

    def give_back(self, holder: str) -> None:
        """Take back the count of a request."""
        if (bucket := self._buckets.get(holder)) is not None:
            bucket.tokens = min(self.quota, bucket.tokens + 1)

    def __len__(self) -> int:
        return len(self._buckets)

    def _filled(self, holder: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.setdefault(holder, _Bucket(self.quota, now))
        self._buckets.move_to_end(holder)
        if len(self._buckets) > self._capacity:
            self._buckets.popitem(last=False)
        bucket.tokens = min(self.quota, bucket.tokens + (now - bucket.at) * self.quota / WINDOW)
        bucket.at = now
        return bucket

    def _standing(self, bucket: _Bucket, missing: float) -> Standing:
        per_token = WINDOW / self.quota
        return Standing(
            name=self.name,
            quota=self.quota,
            remaining=int(bucket.tokens),
            resets_in=math.ceil((self.quota - bucket.tokens) * per_token),
            retry_in=math.ceil(missing * per_token),
        )


class RateLimits:
    """The limits of one process."""

    def __init__(self, settings: Settings) -> None:
        self.keys = RateLimit("key", settings.rate_limit_key)
        self.organizations = RateLimit("organization", settings.rate_limit_organization)
        self.endpoints = RateLimit("endpoint", settings.rate_limit_key)
        """Of calls that are signed, which have no key."""
        self.addresses = RateLimit("address", settings.rate_limit_address)
        self.known_keys = Recent(3600, _CAPACITY)
        """Digests of keys that exist: presenting one is no guess."""
        self.known_senders = Recent(3600, _CAPACITY)
        """Addresses that sent a validly signed call, together with the endpoint they sent it to."""
