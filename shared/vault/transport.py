"""What clients encrypt on their side (api §6, platform §7)."""

from __future__ import annotations

from binascii import a2b_base64
from contextlib import suppress
from dataclasses import dataclass

import orjson

from shared.vault.boxed import Capability, Secret
from shared.vault.datakey import Cipher
from shared.vault.errors import DecryptionFailed
from shared.vault.rsakey import RsaKey

_MAY_CHECK = Capability("check that a client's plaintext is text")


@dataclass(frozen=True, slots=True, repr=False)
class Envelope:
    """One encrypted value: a wrapped AES-256 key, an initialisation vector, ciphertext and tag."""

    encrypted_key: bytes
    iv: bytes
    encrypted_data: bytes


def read_envelope(text: str) -> Envelope:
    """Return the envelope of a JSON text ``{encryptedKey, encryptedData, iv}`` in standard base64.

    Raises:
        DecryptionFailed: the text is anything else.
    """
    document = _json_object(text)
    encrypted_key, iv, encrypted_data = (
        _base64(document.get(name)) for name in ("encryptedKey", "iv", "encryptedData")
    )
    if encrypted_key is None or iv is None or encrypted_data is None:
        raise DecryptionFailed
    return Envelope(encrypted_key, iv, encrypted_data)


def open_envelope(envelope: Envelope, key: RsaKey) -> Secret | None:
    """Return the UTF-8 plaintext, or ``None`` when the envelope is not for this key or was altered."""
    cipher = Cipher.of(key.unwrap(envelope.encrypted_key))
    plaintext = cipher and cipher.decrypt(envelope.iv, envelope.encrypted_data)
    return plaintext if plaintext is not None and _is_text(plaintext) else None


def _is_text(plaintext: Secret) -> bool:
    try:
        plaintext.reveal(_MAY_CHECK)
    except ValueError:
        return False
    return True


def _json_object(text: str) -> dict[object, object]:
    document: object = None
    # Refused outside: a decoding error carries the text, which may be a secret nobody encrypted.
    with suppress(ValueError):
        document = orjson.loads(text)
    if not isinstance(document, dict):
        raise DecryptionFailed
    return document


def _base64(value: object) -> bytes | None:
    if not isinstance(value, str):
        return None
    try:
        return a2b_base64(value, strict_mode=True)
    except ValueError:
        return None
