"""Whether a known key may call an endpoint; what it may do with which object is the service's to check."""

from __future__ import annotations

from datetime import datetime

from shared.errors import Forbidden, InsufficientScope, Unauthorized
from shared.http.access import Keyed
from shared.model.apikey import ApiKey, KeyKind
from shared.model.scopes import INSTANCE_KEY_SCOPES, Scope


def authorize(key: ApiKey, access: Keyed, now: datetime) -> None:
    """Let a key through, or say why not.

    Raises:
        Unauthorized: the key is expired or revoked.
        InsufficientScope: the key lacks the scope, which the message names.
        Forbidden: the key is of a kind this endpoint does not take, or its owner's role is too small.
    """
    if not key.is_usable(now):
        # To its holder the same as a key that never was.
        raise unknown()
    if key.kind not in access.kinds:
        raise Forbidden(_wrong_kind(key, access))
    if access.scopes and not any(_holds(key, scope) for scope in access.scopes):
        wanted = " or ".join(scope.value for scope in access.scopes)
        raise InsufficientScope(f"This API key lacks the scope {wanted}. Use a key that holds it.")
    if access.management and key.kind is KeyKind.ORGANIZATION and not (key.role and key.role.manages):
        raise Forbidden("Only admins and owners of the organization can do this.")


def unknown() -> Unauthorized:
    """Return the refusal of a key that does not authenticate."""
    return Unauthorized("Invalid API key: it is unknown, expired or revoked. Create a new one.")


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
