"""The stored format: hybrid encryption whose every part is bound to one place.

The binding names format, ring, key version and context. It is the OAEP label of the wrapped data key
and the associated data of the payload, so neither half can be moved or combined with another one.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass

from shared.vault.boxed import Sealed, Secret
from shared.vault.context import Context, length_prefixed
from shared.vault.datakey import Cipher, fresh_data_key
from shared.vault.errors import CannotOpen
from shared.vault.keyring import KeyVersion
from shared.vault.rsakey import RsaKey

_FORMAT = "v1"
_BASE64 = "([A-Za-z0-9+/]+={0,2})"
_SEALED = re.compile(
    rf"{_FORMAT}\.([a-z]{{1,32}})\.([1-9][0-9]{{0,8}})\.{_BASE64}\.{_BASE64}\.{_BASE64}", re.ASCII
)


@dataclass(frozen=True, slots=True, repr=False)
class Parts:
    """A stored ciphertext, taken apart."""

    ring: str
    version: int
    wrapped: bytes
    iv: bytes
    ciphertext: bytes


def take_apart(sealed: Sealed) -> Parts:
    """Return the parts of a stored ciphertext.

    Raises:
        CannotOpen: it is malformed, or spelled in another way than :func:`seal` spells it.
    """
    match = _SEALED.fullmatch(sealed.text)
    if match is None:
        raise CannotOpen
    ring, version, wrapped, iv, ciphertext = match.groups()
    return Parts(ring, int(version), _canonical(wrapped), _canonical(iv), _canonical(ciphertext))


def binding(ring: str, version: int, context: Context) -> bytes:
    """Return the bytes that both halves of a ciphertext are bound to."""
    return length_prefixed(("podium vault", _FORMAT, ring, str(version))) + context.encode()


def seal(ring: str, version: KeyVersion[RsaKey], plaintext: Secret, context: Context) -> Sealed:
    """Return the plaintext under a fresh data key, wrapped for ``version``."""
    bound = binding(ring, version.number, context)
    data_key = fresh_data_key()
    wrapped = version.key.wrap(data_key, bound)
    iv, ciphertext = Cipher(data_key).encrypt(plaintext, bound)
    encoded = ".".join(b2a_base64(part, newline=False).decode() for part in (wrapped, iv, ciphertext))
    return Sealed(f"{_FORMAT}.{ring}.{version.number}.{encoded}")


@dataclass(frozen=True, slots=True, repr=False)
class Opening:
    """A stored ciphertext, the place it must belong to, and the key that its version names."""

    parts: Parts
    context: Context
    key: RsaKey


def reseal(ring: str, version: KeyVersion[RsaKey], openings: Sequence[Opening]) -> list[Sealed | None]:
    """Return each secret sealed for ``version``, ``None`` for one that does not open. For a thread."""
    return [_resealed(ring, version, opening) for opening in openings]


def _resealed(ring: str, version: KeyVersion[RsaKey], opening: Opening) -> Sealed | None:
    parts = opening.parts
    bound = binding(ring, parts.version, opening.context)
    cipher = Cipher.of(opening.key.unwrap(parts.wrapped, bound))
    plaintext = cipher and cipher.decrypt(parts.iv, parts.ciphertext, bound)
    return None if plaintext is None else seal(ring, version, plaintext, opening.context)


def _canonical(text: str) -> bytes:
    try:
        data = a2b_base64(text)
    except Error:
        raise CannotOpen from None
    # Base64 ignores the unused bits of a last character: without this, altered text could still open.
    if b2a_base64(data, newline=False) != text.encode():
        raise CannotOpen
    return data
