"""AES-256-GCM under a data key that encrypts one value."""

from __future__ import annotations

from os import urandom
from typing import final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.vault.boxed import Capability, Secret

KEY_LENGTH = 32
IV_LENGTH = 12
TAG_LENGTH = 16

_MAY_USE = Capability("encrypt and decrypt with a data key")


def fresh_data_key() -> Secret:
    """Return 256 random bits."""
    return Secret(urandom(KEY_LENGTH))


@final
class Cipher:
    """A data key ready for use; it cannot be read back."""

    __slots__ = ("_aes",)

    def __init__(self, data_key: Secret) -> None:
        self._aes = AESGCM(data_key.reveal_bytes(_MAY_USE))

    @classmethod
    def of(cls, data_key: Secret | None) -> Cipher | None:
        """Return the cipher of a data key that was unwrapped; ``None`` for none, or one not of 256 bits."""
        if data_key is None or len(data_key.reveal_bytes(_MAY_USE)) != KEY_LENGTH:
            return None
        return cls(data_key)

    def encrypt(self, plaintext: Secret, associated: bytes) -> tuple[bytes, bytes]:
        """Return a random initialisation vector and the ciphertext with its tag appended."""
        iv = urandom(IV_LENGTH)
        return iv, self._aes.encrypt(iv, plaintext.reveal_bytes(_MAY_USE), associated)

    def decrypt(self, iv: bytes, ciphertext: bytes, associated: bytes | None = None) -> Secret | None:
        """Return the plaintext, or ``None`` when anything about it was altered."""
        if len(iv) != IV_LENGTH or len(ciphertext) < TAG_LENGTH:
            return None
        try:
            return Secret(self._aes.decrypt(iv, ciphertext, associated))
        except InvalidTag:
            return None
