"""The public keys that sign identity tokens, fetched rarely and kept."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import jwt

from shared.errors import Internal

log = logging.getLogger(__name__)

FRESH_SECONDS = 3600.0
# An unknown key id may be a new key, or an attacker's invention: look at most this often.
REFETCH_SECONDS = 10.0
RETRY_SECONDS = 1.0
FETCH_SECONDS = 5.0
MAX_BYTES = 256 * 1024


def fetch(url: str) -> bytes:
    """Return the document at an http(s) address; raises OSError when it cannot be had."""
    with urllib.request.urlopen(url, timeout=FETCH_SECONDS) as response:
        body: bytes = response.read(MAX_BYTES)
    return body


class SigningKeys:
    """The key set at an address (JWKS). A look-up costs no call except when keys are old or unknown."""

    def __init__(
        self,
        url: str,
        fetch: Callable[[str], bytes] = fetch,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._stale_at = 0.0
        self._next_fetch = float("-inf")
        self._fetching = asyncio.Lock()

    async def get(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key of that id, None when the set has none.

        Raises:
            Internal: no key set could be fetched yet.
        """
        if key_id not in self._keys or self._clock() >= self._stale_at:
            async with self._fetching:
                if self._clock() >= self._next_fetch:
                    await self._refresh()
        if not self._keys:
            raise Internal("The signing keys of the task queue cannot be fetched.")
        return self._keys.get(key_id)

    async def _refresh(self) -> None:
        try:
            document = await asyncio.to_thread(self._fetch, self._url)
            keys = jwt.PyJWKSet.from_dict(json.loads(document)).keys
        except (OSError, ValueError, AttributeError, jwt.PyJWTError) as error:
            # Old keys serve on: an outage of the key server must not stop every task.
            log.warning("signing keys could not be fetched: %s", type(error).__name__)
            self._next_fetch = self._clock() + RETRY_SECONDS
            return
        self._keys = {key.key_id: key for key in keys if key.key_id}
        self._stale_at = self._clock() + FRESH_SECONDS
        self._next_fetch = self._clock() + REFETCH_SECONDS
