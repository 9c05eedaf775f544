"""From request to caller: one batched read at most, none for a key that cannot exist (design §4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.errors import Forbidden, InsufficientScope, Unauthorized
from shared.http.access import Access, Keyed, TaskCall
from shared.model.apikey import ApiKey, KeyKind
from shared.model.scopes import INSTANCE_KEY_SCOPES, Scope
from shared.services.platform import Platform
from shared.store.refs import Ref, api_key
from shared.vault.apikeys import digest, is_well_formed

_HEADERS = ("x-api-key", "x-process-manager-key")


_KINDS = {kind.prefix: kind for kind in KeyKind}


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


async def authenticate(
    platform: Platform,
    access: Access,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    documents: tuple[Ref[Any], ...],
) -> tuple[ApiKey | None, tuple[Any, ...]]:
    """Return the caller's key, if the endpoint wants one, and the endpoint's own documents.

    Key and documents come from one batched read.

    Raises:
        Unauthorized: no key, or one that is malformed, unknown, expired or revoked.
        InsufficientScope: the key lacks the scope, which the message names.
        Forbidden: the key is of a kind this endpoint does not take, or its owner's role is too small.
    """
    if isinstance(access, TaskCall):
        await platform.verifier.verify(headers.get("authorization", ""))
    if not isinstance(access, Keyed):
        return None, await platform.store.fetch(*documents) if documents else ()
    presented = presented_key(headers, query)
    if presented is None:
        raise Unauthorized("No API key was sent. Send it in the X-API-Key or X-Process-Manager-Key header.")
    if kind_of(presented) is None:
        raise Unauthorized("Invalid API key: it does not have the form of a key of this platform.")
    found, *rest = await platform.store.fetch(api_key(digest(presented)), *documents)
    if found is None or not found.value.is_usable(platform.sources.now()):
        raise Unauthorized("Invalid API key: it is unknown, expired or revoked. Create a new one.")
    key: ApiKey = found.value
    _authorize(key, access)
    return key, tuple(rest)


def _authorize(key: ApiKey, access: Keyed) -> None:
    if key.kind not in access.kinds:
        raise Forbidden(_wrong_kind(key, access))
    if access.scopes and not any(_holds(key, scope) for scope in access.scopes):
        wanted = " or ".join(scope.value for scope in access.scopes)
        raise InsufficientScope(f"This API key lacks the scope {wanted}. Use a key that holds it.")
    if access.management and key.kind is KeyKind.ORGANIZATION and not (key.role and key.role.manages):
        raise Forbidden("Only admins and owners of the organization can do this.")


def _holds(key: ApiKey, scope: Scope) -> bool:
    if key.kind is KeyKind.INSTANCE:
        return scope in INSTANCE_KEY_SCOPES
    return key.holds(scope)


def _wrong_kind(key: ApiKey, access: Keyed) -> str:
    accepted = ", ".join(sorted(f"{kind.prefix}…" for kind in access.kinds))
    # A caller with the wrong kind of key learns the scope too, so that the right one can be made at once.
    scopes = " or ".join(scope.value for scope in access.scopes)
    needs = f" with the scope {scopes}" if scopes else ""
    return f"A key of type {key.kind.value} cannot be used here: it takes a key {accepted}{needs}."
