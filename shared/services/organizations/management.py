"""Who may change what belongs to others (platform §5)."""

from __future__ import annotations

from shared.errors import Forbidden
from shared.model.apikey import ApiKey, KeyKind
from shared.model.organization import Role


def manages(caller: ApiKey, role: Role | None) -> bool:
    """Return whether a caller with that role acts for the organization; an administrator always does."""
    return caller.kind is KeyKind.ADMIN or (role is not None and role.manages)


def require_management(caller: ApiKey, role: Role | None, what: str) -> None:
    """Check that the caller acts for the organization; ``what`` completes "Only admins and owners can".

    Raises:
        Forbidden: a plain member.
    """
    if not manages(caller, role):
        raise Forbidden(f"Only admins and owners can {what}.")
