"""The execution secret: a signed capability to report the outcome of exactly one run.

It carries the run's organization and installation, authenticated by a MAC over both and the run's id. So
a callback knows every document it needs without a look, reads them at once and writes once (decisions
0004, 0023). Nothing of it is stored.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from uuid import UUID

from shared.errors import Unauthorized
from shared.vault.mac import MacKey

PURPOSE = "execution-secret"
_PREFIX = "es2_"
_FORMER = "es1_"
"""Secrets of runs that began before secrets named the organization: 8 bytes of a version in its place."""
_VERSION = 8
_TAG = 32
_LONGEST_ORGANIZATION = 44
"""Bytes that fit into a secret of 128 characters; a longer id is left out, and read from the run."""


@dataclass(frozen=True, slots=True)
class Capability:
    """What an execution secret says: where its run lives, and whose it is if the secret knows that."""

    process_instance_id: str
    organization_id: str | None


def _text(prefix: str, decoded: bytes) -> str:
    return prefix + urlsafe_b64encode(decoded).decode().rstrip("=")


def _message(instance: bytes, organization: bytes, execution_id: str) -> bytes:
    # The mark keeps these apart from the former messages: no id of a run has a zero byte in its text.
    return instance + b"\0\2" + bytes([len(organization)]) + organization + execution_id.encode()


def mint(key: MacKey, organization_id: str, process_instance_id: str, execution_id: str) -> str:
    """Return the secret of a run."""
    instance = UUID(process_instance_id).bytes
    organization = organization_id.encode()
    if len(organization) > _LONGEST_ORGANIZATION:
        organization = b""
    tag = key.sign(_message(instance, organization, execution_id))
    return _text(_PREFIX, instance + tag + organization)


def read(key: MacKey, execution_id: str, secret: str) -> Capability:
    """Return what a secret grants.

    Raises:
        Unauthorized: it is not the secret of that run. Says nothing about whether the run exists.
    """
    prefix = secret[: len(_PREFIX)]
    try:
        body = secret[len(_PREFIX) :]
        decoded = urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        decoded = b""
    instance, rest = decoded[:16], decoded[16:]
    if prefix == _FORMER:
        stamp, tag, organization = rest[:_VERSION], rest[_VERSION:], b""
        message = instance + stamp + execution_id.encode()
    else:
        tag, organization = rest[:_TAG], rest[_TAG:][: _LONGEST_ORGANIZATION + 1]
        message = _message(instance, organization, execution_id)
    known = prefix in (_PREFIX, _FORMER) and "\0" not in execution_id
    # base64 has several spellings for the same bytes; only the one we write is the secret.
    if not known or _text(prefix, decoded) != secret or not key.verify(message, tag):
        raise Unauthorized("The execution secret does not belong to this execution.", code="INVALID_SECRET")
    return Capability(str(UUID(bytes=instance)), organization.decode() or None)
