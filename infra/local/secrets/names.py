"""Resource names of Secret Manager, global and regional."""

from __future__ import annotations

import re

from infra.local.tasks.rpc import invalid

_PROJECT = r"projects/[A-Za-z0-9.:-]{1,100}(?:/locations/[A-Za-z0-9-]{1,100})?"
_PARENT = re.compile(_PROJECT)
_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_SECRET = re.compile(rf"{_PROJECT}/secrets/[A-Za-z0-9_-]{{1,255}}")
_VERSION = re.compile(rf"({_PROJECT}/secrets/[A-Za-z0-9_-]{{1,255}})/versions/([A-Za-z0-9_-]{{1,63}})")
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")

LATEST = "latest"
_RESERVED_ALIASES = {LATEST, "NEW"}


def parent(name: str) -> str:
    """Return a valid ``projects/P[/locations/L]``; raises :class:`Refusal` for anything else."""
    if not _PARENT.fullmatch(name):
        raise invalid("Invalid parent; expected projects/PROJECT_ID.")
    return name


def new_secret(parent_name: str, secret_id: str) -> str:
    """Return the name of a secret to be made; raises :class:`Refusal` for an invalid id."""
    if not _ID.fullmatch(secret_id):
        raise invalid("Invalid secret id; expected [A-Za-z0-9_-]{1,255}.")
    return f"{parent(parent_name)}/secrets/{secret_id}"


def secret(name: str) -> str:
    """Return a valid secret name; raises :class:`Refusal` for anything else."""
    if not _SECRET.fullmatch(name):
        raise invalid("Invalid secret name; expected projects/PROJECT_ID/secrets/SECRET_ID.")
    return name


def version(name: str) -> tuple[str, str]:
    """Return secret name and version id (number, alias or ``latest``); raises :class:`Refusal`."""
    match = _VERSION.fullmatch(name)
    if match is None:
        raise invalid("Invalid version name; expected projects/P/secrets/S/versions/V.")
    return match[1], match[2]


def alias(name: str) -> str:
    """Return a valid version alias; raises :class:`Refusal` for anything else."""
    if not _ALIAS.fullmatch(name) or name in _RESERVED_ALIASES:
        raise invalid("Invalid version alias; expected a letter, then [A-Za-z0-9_-]{0,62}, not 'latest'.")
    return name
