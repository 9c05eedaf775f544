"""Key rings: one kind of key in many versions, kept in Secret Manager."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.vault.boxed import Secret
from shared.vault.errors import SecretMissing, SecretsUnavailable
from shared.vault.held import Clock, Held
from shared.vault.secrets import SecretStore, SecretValue

K = TypeVar("K")

LIVE_VERSIONS = 5
"""How many versions a ring considers when nothing names the version: the newest and those before it."""

_LOOK_AGAIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class KeyVersion(Generic[K]):
    """A key and its version number."""

    number: int
    key: K = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyKind(Generic[K]):
    """How keys of a ring are made and read. ``generate`` runs in a thread."""

    generate: Callable[[], Secret]
    read: Callable[[Secret], K]


class KeyRing(Generic[K]):
    """The versions of one secret. The newest enabled one is current; older ones still open and verify.

    Each version costs one access per process and ``max_age``. It is *accessed*, never listed, on the
    normal path: Secret Manager allows 90,000 accesses a minute but only 600 listings.
    """

    def __init__(
        self, secret: str, kind: KeyKind[K], store: SecretStore, *, max_age: float, clock: Clock
    ) -> None:
        """Keep what is loaded for ``max_age`` seconds: that long a new or disabled version may go unseen."""
        self._secret = secret
        self._kind = kind
        self._store = store
        self._max_age = max_age
        self._clock = clock
        self._current: Held[KeyVersion[K]] = Held(self._load_current, max_age, clock)
        self._older: dict[int, Held[KeyVersion[K] | None]] = {}
        self._may_look_again_at = float("-inf")

    async def current(self) -> KeyVersion[K]:
        """Return the newest enabled version.

        Raises:
            SecretMissing: there is none.
            SecretsUnavailable: it is not loaded yet and Secret Manager does not answer.
        """
        return await self._current.get()

    async def at(self, number: int) -> KeyVersion[K]:
        """Return one version.

        Raises:
            SecretMissing: there is no such version, or it is disabled or destroyed.
            SecretsUnavailable: it is not loaded yet and Secret Manager does not answer.
        """
        current = await self.current()
        if number > current.number and await self.look_again():
            current = await self.current()
        found = current if number == current.number else await self._older_version(number, current)
        if found is None:
            raise SecretMissing(self._secret, number)
        return found

    async def live(self) -> list[KeyVersion[K]]:
        """Return the usable ones among the newest ``LIVE_VERSIONS`` versions, newest first.

        Raises the same as :meth:`current`.
        """
        current = await self.current()
        numbers = range(current.number - 1, max(0, current.number - LIVE_VERSIONS), -1)
        older = [await self._older_version(number, current) for number in numbers]
        return [current, *(version for version in older if version is not None)]

    async def look_again(self) -> bool:
        """Load the current version again and return whether it is another one now.

        For what was made with a key this process has not seen yet. Anybody can send garbage that looks
        like that, so it happens at most every ten seconds and is ``False`` in between.
        """
        before = await self.current()
        if self._clock() < self._may_look_again_at:
            return False
        self._may_look_again_at = self._clock() + _LOOK_AGAIN_SECONDS
        return (await self._current.reload()).number != before.number

    async def rotate(self) -> int:
        """Add a new version, make it current in this process and return its number."""
        value = await asyncio.to_thread(self._kind.generate)
        number = await self._store.add(self._secret, value)
        await self._current.reload()
        return number

    async def retire(self) -> list[int]:
        """Disable every enabled version older than the current one; return their numbers."""
        newest = (await self._current.reload()).number
        old = [
            s.version for s in await self._store.versions(self._secret) if s.enabled and s.version < newest
        ]
        for number in old:
            await self._store.disable(self._secret, number)
            self._held(number).put(None)
        return old

    async def ensure(self) -> None:
        """Create the first version when there is none at all.

        Safe to repeat and to race: two processes that both find nothing add a version each, and either
        one opens and verifies what was made with the other.
        """
        if not await self._store.versions(self._secret):
            await self.rotate()

    async def _load_current(self) -> KeyVersion[K]:
        try:
            latest = await self._store.access(self._secret)
        except SecretMissing:
            latest = await self._store.access(self._secret, await self._newest_enabled())
        version = self._read(latest)
        self._held(version.number).put(version)
        return version

    def _read(self, found: SecretValue) -> KeyVersion[K]:
        try:
            return KeyVersion(found.version, self._kind.read(found.value))
        except ValueError:
            # A version somebody added by mistake must not take down processes that hold a good one.
            failure = SecretsUnavailable(f"{self._secret}, version {found.version} holds no key of this kind")
        raise failure

    async def _newest_enabled(self) -> int:
        states = await self._store.versions(self._secret)
        enabled = next((state.version for state in states if state.enabled), None)
        if enabled is None:
            raise SecretMissing(self._secret)
        return enabled

    async def _older_version(self, number: int, current: KeyVersion[K]) -> KeyVersion[K] | None:
        # Above the current number nothing is usable; not asking keeps forged numbers from costing calls.
        return await self._held(number).get() if 0 < number < current.number else None

    def _held(self, number: int) -> Held[KeyVersion[K] | None]:
        if number not in self._older:

            async def load() -> KeyVersion[K] | None:
                try:
                    return self._read(await self._store.access(self._secret, number))
                except SecretMissing:
                    return None

            self._older[number] = Held(load, self._max_age, self._clock)
        return self._older[number]
