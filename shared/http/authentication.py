"""From request to caller: one batched read at most, none for a key that cannot exist (design §4).

Whether the caller may go on is :mod:`shared.http.authorization`'s to say: a refused caller is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import Unauthorized
from shared.http.authorization import unknown
from shared.model.apikey import ApiKey, KeyKind
from shared.services.platform import Platform
from shared.store.refs import Ref, api_key
from shared.vault.apikeys import digest, is_well_formed

_HEADERS = ("x-api-key", "x-process-manager-key")


_KINDS = {kind.prefix: kind for kind in KeyKind}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a key that exists, usable or not. ``digest`` is the SHA-256 it is stored under."""

    digest: str
    key: ApiKey


def kind_of(key: str) -> KeyKind | None:
    """Return the kind of a key that could be one of ours, by its prefix alone."""
    prefix = is_well_formed(key)
    return None if prefix is None else _KINDS[prefix.value]


def presented_key(headers: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    """Return the key of a request, from whichever place it was sent in (decision: where a key may be sent).

    The query string is read for instance keys alone.
    """
    for name in _HEADERS:
        if value := headers.get(name):
            return value.strip()
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    in_query = query.get("api_key")
    if in_query and kind_of(in_query) is KeyKind.INSTANCE:
        return in_query
    return None


def presented_digest(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """Return the digest of the key of a request; nothing is read.

    Raises:
        Unauthorized: there is no key, or one that cannot be ours.
    """
    presented = presented_key(headers, query)
    if presented is None:
        raise Unauthorized("No API key was sent. Send it in the X-API-Key or X-Process-Manager-Key header.")
    if kind_of(presented) is None:
        raise Unauthorized("Invalid API key: it does not have the form of a key of this platform.")
    return digest(presented)


async def identify(
    platform: Platform, key_digest: str, documents: tuple[Ref[Any], ...]
) -> tuple[Caller, tuple[Any, ...]]:
    """Return the caller and the endpoint's own documents, from one batched read.

    Raises:
        Unauthorized: nobody has that key.
    """
    found, *rest = await platform.store.fetch(api_key(key_digest), *documents)
    if found is None:
        raise unknown()
    return Caller(key_digest, found.value), tuple(rest)
