"""Payloads at rest: AES-256-GCM under a master key that lives in a file of its own.

A copy of the database alone reveals no payload. The name of the version is bound into the ciphertext, so
one moved to another row does not open.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12


class WrongMasterKey(Exception):
    """A stored payload does not open: another key, or a changed row."""


class Seal:
    """Seals and opens payloads; holds the master key and shows it to nobody."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def load(cls, path: Path, *, first_time: bool) -> Seal:
        """Return the seal of the key in the file; the first time, a new key is written there (0600).

        Raises :class:`WrongMasterKey` when the file is missing later, or holds no 32 bytes.
        """
        if not path.exists():
            if not first_time:
                raise WrongMasterKey(f"{path.name} is missing; put the key of this data folder back")
            _write(path, os.urandom(KEY_BYTES))
        key = path.read_bytes()
        if len(key) != KEY_BYTES:
            raise WrongMasterKey(f"{path.name} must hold {KEY_BYTES} bytes")
        path.chmod(0o600)
        return cls(key)

    def close(self, name: str, payload: bytes) -> bytes:
        """Return nonce and ciphertext of a payload."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, payload, name.encode())

    def open(self, name: str, sealed: bytes) -> bytes:
        """Return the payload; raises :class:`WrongMasterKey` when it does not open under this name."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name.encode())
        except InvalidTag:
            raise WrongMasterKey(f"{name} does not open with this master key") from None


def _write(path: Path, key: bytes) -> None:
    # Written aside, forced to disk and moved into place: without this key every payload is lost.
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(descriptor)
    draft.rename(path)
