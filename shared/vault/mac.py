"""Message authentication: HMAC-SHA256 under a key of its own for every purpose."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from os import urandom
from typing import final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.vault.boxed import Capability, Secret

_LENGTH = 32
_MAY_USE = Capability("derive authentication keys")


def generate_root() -> Secret:
    """Return 32 random bytes to derive from."""
    return Secret(urandom(_LENGTH))


def read_root(value: Secret) -> Secret:
    """Return the root as it is stored.

    Raises:
        ValueError: it does not have 32 bytes.
    """
    if len(value.reveal_bytes(_MAY_USE)) != _LENGTH:
        raise ValueError("an authentication key has 32 bytes")
    return value


@final
class MacKey:
    """Signs for one purpose with the newest key, verifies with all. Takes microseconds, no I/O."""

    __slots__ = ("_newest", "_older")

    def __init__(self, purpose: str, roots: Iterable[Secret]) -> None:
        """Derive the purpose's keys from ``roots``, newest first, at least one."""
        self._newest, *self._older = [_derived(root, purpose) for root in roots]

    def sign(self, message: bytes) -> bytes:
        """Return the 32 byte tag of the message."""
        return _tag(self._newest, message)

    def verify(self, message: bytes, tag: bytes) -> bool:
        """Return whether the tag was made for this message and purpose, in constant time per key.

        A key that became current elsewhere a moment ago is not known yet; ``Vault.verify_mac`` looks for it.
        """
        if hmac.compare_digest(_tag(self._newest, message), tag):
            return True
        return any(hmac.compare_digest(_tag(key, message), tag) for key in self._older)


def _tag(key: Secret, message: bytes) -> bytes:
    return hmac.digest(key.reveal_bytes(_MAY_USE), message, "sha256")


def _derived(root: Secret, purpose: str) -> Secret:
    info = b"podium mac v1 " + purpose.encode()
    hkdf = HKDF(algorithm=hashes.SHA256(), length=_LENGTH, salt=None, info=info)
    return Secret(hkdf.derive(root.reveal_bytes(_MAY_USE)))
