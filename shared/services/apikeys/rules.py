"""What a key may be given: values in, values out (api §5.3, platform §5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from shared.errors import Forbidden, InvalidRequest
from shared.model.apikey import ApiKey, KeyKind
from shared.model.scopes import LEGACY_SCOPES, ORGANIZATION_SCOPES, Scope

LONGEST_NAME = 100
LONGEST_DESCRIPTION = 1000
LONGEST_LIFE_DAYS = 365

_GRANTABLE = {scope.value: scope for scope in ORGANIZATION_SCOPES} | LEGACY_SCOPES


def granted_scopes(wanted: Sequence[str]) -> list[Scope]:
    """Return the scopes to store, in the order given, each once; a legacy scope counts as its successor.

    Raises:
        InvalidRequest (``INVALID_SCOPE``): there is none, or one that no organization key can hold.
    """
    if not wanted:
        raise InvalidRequest(f"Name at least one scope. {_offer()}", code="INVALID_SCOPE", field="scopes")
    for index, name in enumerate(wanted):
        if name not in _GRANTABLE:
            raise InvalidRequest(
                f"Invalid scope: {name[:100]}. {_offer()}", code="INVALID_SCOPE", field="scopes", index=index
            )
    return list(dict.fromkeys(_GRANTABLE[name] for name in wanted))


def require_held(caller: ApiKey, scopes: Iterable[Scope]) -> None:
    """Check that an organization's key grants nothing it does not hold itself.

    Personal and administrators' keys are not bound: with them an organization gets its first key.

    Raises:
        Forbidden (``SCOPE_ESCALATION``): it lacks some of the scopes, which the message names.
    """
    if caller.kind is not KeyKind.ORGANIZATION:
        return
    missing = [scope.value for scope in scopes if not caller.holds(scope)]
    if missing:
        raise Forbidden(
            f"You cannot grant scopes you don't have: {', '.join(missing)}. Use a key that holds them.",
            code="SCOPE_ESCALATION",
        )


def key_name(name: str) -> str:
    """Return the trimmed name.

    Raises:
        InvalidRequest: it has not 1 to 100 characters.
    """
    trimmed = name.strip()
    if not 1 <= len(trimmed) <= LONGEST_NAME:
        raise InvalidRequest(f"name must have 1 to {LONGEST_NAME} characters.", field="name")
    return trimmed


def key_description(description: str) -> str:
    """Return the trimmed description, which may be empty.

    Raises:
        InvalidRequest: it has more than 1,000 characters.
    """
    trimmed = description.strip()
    if len(trimmed) > LONGEST_DESCRIPTION:
        raise InvalidRequest(
            f"description must have at most {LONGEST_DESCRIPTION} characters.", field="description"
        )
    return trimmed


def end_of_life(now: datetime, days: object) -> datetime:
    """Return when a key ends that lives so many days.

    Raises:
        InvalidRequest (``INVALID_EXPIRES_IN_DAYS``): not a whole number from 1 to 365.
    """
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= LONGEST_LIFE_DAYS:
        raise InvalidRequest(
            f"expiresInDays must be a whole number from 1 to {LONGEST_LIFE_DAYS}; "
            "leave it out for a key that never expires.",
            code="INVALID_EXPIRES_IN_DAYS",
            field="expiresInDays",
        )
    return now + timedelta(days=days)


def _offer() -> str:
    return f"Valid scopes: {', '.join(scope.value for scope in ORGANIZATION_SCOPES)}."
