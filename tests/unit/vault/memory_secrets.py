"""A secret store in memory. It passes the same contract test as the adapter for Secret Manager."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from shared.vault.boxed import Secret
from shared.vault.errors import SecretMissing, SecretsUnavailable
from shared.vault.secrets import SecretValue, VersionState


@dataclass
class MemorySecretStore:
    """Versions by secret name: ``None`` once destroyed. ``down`` makes every call fail.

    ``accesses`` counts what was asked for by secret and version, whether it was there or not.
    """

    values: dict[str, list[Secret | None]] = field(default_factory=dict)
    disabled: set[tuple[str, int]] = field(default_factory=set)
    down: bool = False
    accesses: Counter[tuple[str, int]] = field(default_factory=Counter)
    listings: int = 0

    async def access(self, secret: str, version: int | None = None) -> SecretValue:
        await asyncio.sleep(0)  # as a real one, it lets others run meanwhile
        number = len(self._known(secret)) if version is None else version
        self.accesses[secret, number] += 1
        value = self._usable(secret, number)
        if (secret, number) in self.disabled:
            raise SecretMissing(secret, number)
        return SecretValue(number, value)

    async def versions(self, secret: str) -> list[VersionState]:
        self.listings += 1
        known = self._known(secret)
        states = [
            VersionState(number, value is not None and (secret, number) not in self.disabled)
            for number, value in enumerate(known, 1)
        ]
        return states[::-1]

    async def add(self, secret: str, value: Secret) -> int:
        self._known(secret)
        self.values.setdefault(secret, []).append(value)
        return len(self.values[secret])

    async def disable(self, secret: str, version: int) -> None:
        self._usable(secret, version)
        self.disabled.add((secret, version))

    async def destroy(self, secret: str, version: int) -> None:
        self._usable(secret, version)
        self.values[secret][version - 1] = None

    def _known(self, secret: str) -> list[Secret | None]:
        if self.down:
            raise SecretsUnavailable("down")
        return self.values.get(secret, [])

    def _usable(self, secret: str, version: int) -> Secret:
        known = self._known(secret)
        value = known[version - 1] if 0 < version <= len(known) else None
        if value is None:
            raise SecretMissing(secret, version)
        return value
