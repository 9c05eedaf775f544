"""The execution secret: a signed capability to report the outcome of exactly one run.

It carries the run's installation and the document version it may complete, authenticated by a MAC
over both and the run's id. So a callback needs no read: it writes on condition that the version is
still current, and only when that fails looks at what happened meanwhile. Nothing of it is stored.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.errors import Unauthorized
from shared.vault.mac import MacKey

PURPOSE = "execution-secret"
_PREFIX = "es1_"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Capability:
    """What an execution secret says: where its run lives and which version of it may be completed."""

    process_instance_id: str
    version: datetime


def _message(process_instance: bytes, version: bytes, execution_id: str) -> bytes:
    return process_instance + version + execution_id.encode()


def _text(decoded: bytes) -> str:
    return _PREFIX + urlsafe_b64encode(decoded).decode().rstrip("=")


def mint(key: MacKey, process_instance_id: str, execution_id: str, version: datetime) -> str:
    """Return the secret of a run whose document has the update time ``version``."""
    instance = UUID(process_instance_id).bytes
    stamp = ((version - _EPOCH) // _MICROSECOND).to_bytes(8, "big")
    return _text(instance + stamp + key.sign(_message(instance, stamp, execution_id)))


def read(key: MacKey, execution_id: str, secret: str) -> Capability:
    """Return what a secret grants.

    Raises:
        Unauthorized: it is not the secret of that run. Says nothing about whether the run exists.
    """
    try:
        body = secret.removeprefix(_PREFIX)
        decoded = urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        decoded = b""
    instance, stamp, tag = decoded[:16], decoded[16:24], decoded[24:]
    # base64 has several spellings for the same bytes; only the one we write is the secret.
    if _text(decoded) != secret or not key.verify(_message(instance, stamp, execution_id), tag):
        raise Unauthorized("The execution secret does not belong to this execution.", code="INVALID_SECRET")
    version = _EPOCH + int.from_bytes(stamp, "big") * _MICROSECOND
    return Capability(str(UUID(bytes=instance)), version)
