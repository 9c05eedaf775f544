"""Where a secret belongs, as bytes that its ciphertext is bound to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Context:
    """The place of one secret. A ciphertext opens only under the context it was sealed with."""

    organization_id: str
    scope: str
    """Kind of owner: ``organization``, ``member``, ``process_instance``, …"""
    owner: str
    """Id of that owner."""
    name: str
    """What the secret belongs to, such as an integration id."""
    field: str

    def encode(self) -> bytes:
        """Return bytes that no other context encodes to."""
        return length_prefixed((self.organization_id, self.scope, self.owner, self.name, self.field))


def length_prefixed(parts: Iterable[str]) -> bytes:
    """Return the parts as UTF-8, each after its length in four bytes, so that no two lists collide."""
    # surrogatepass keeps the encoding total: a malformed id must not turn into another error type.
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
