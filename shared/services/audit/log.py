"""Reading an organization's audit log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from shared.errors import Forbidden
from shared.model.apikey import ApiKey, KeyKind
from shared.model.audit import AuditAction, AuditEvent
from shared.services.access import chosen_organization
from shared.services.platform import Platform
from shared.services.secrets import PLATFORM
from shared.store import refs
from shared.store.query import Query, below, find

MOST = 100
"""Entries of a page."""

_PAGE = 500
"""Entries an export holds in memory."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, newest first. ``following`` is where the next page starts, unless this is the last."""

    events: list[AuditEvent]
    following: str | None


async def readable_log(platform: Platform, key: ApiKey, organization_id: str | None) -> str:
    """Return the organization whose log the caller may read.

    Administrators may also name the platform itself, whose log tells of keys that belong to no organization.

    Raises:
        Forbidden: the caller is neither owner nor admin of it.
        NotFound, InvalidRequest: as in :func:`chosen_organization`.
    """
    if key.kind is KeyKind.ADMIN and organization_id == PLATFORM:
        return PLATFORM
    chosen, role = await chosen_organization(platform, key, organization_id)
    if key.kind is not KeyKind.ADMIN and not (role and role.manages):
        raise Forbidden("Only admins and owners of the organization can read its audit log.")
    return chosen


async def page(
    platform: Platform,
    organization_id: str,
    *,
    action: AuditAction | None = None,
    actor: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """Return a page of a log. ``after`` is the ``following`` of the page before."""
    size = min(limit, MOST)
    query = _entries(organization_id).newest_first("event_id")
    if action is not None:
        query = query.where("action", "==", action.value)
    if actor is not None:
        query = query.where("actor_user_id", "==", actor)
    if after is not None:
        query = query.after(after)
    # One more than asked for tells whether there is a next page.
    found = await find(platform.store, query.at_most(size + 1))
    events = [event.value for event in found]
    return Page(events[:size], events[size - 1].event_id if len(events) > size else None)


async def everything(platform: Platform, organization_id: str) -> AsyncIterator[list[AuditEvent]]:
    """Yield all entries of a log, oldest first, a few hundred at a time."""
    after: str | None = None
    while True:
        query = _entries(organization_id).oldest_first("event_id").at_most(_PAGE)
        found = await find(platform.store, query if after is None else query.after(after))
        if found:
            yield [event.value for event in found]
        if len(found) < _PAGE:
            return
        after = found[-1].value.event_id


def _entries(organization_id: str) -> Query[AuditEvent]:
    # An entry's id is a UUIDv7: its order is the order of time, and no two entries share it.
    return below(refs.organization(organization_id), "auditEvents", AuditEvent)
