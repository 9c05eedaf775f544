"""Whom a publisher may name: members and teams of the organization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.errors import InvalidRequest
from shared.services.platform import Platform
from shared.services.publishing.audience import Audience
from shared.store import refs
from shared.store.refs import Ref

MOST_NAMED = 100
"""Teams or users that a process is shown to one by one."""


async def require_named(platform: Platform, organization_id: str, audience: Audience) -> None:
    """Check that the teams and users a process is to be shown to are the organization's.

    Raises:
        InvalidRequest: some are not, and the message names them; or they are more than a hundred.
    """
    teams = [refs.team(organization_id, team_id) for team_id in audience.team_ids]
    await _require(platform, "visibilityTeamIds", "teams", audience.team_ids, teams)
    await require_members(platform, organization_id, audience.user_ids, "visibilityUserIds")


async def require_members(
    platform: Platform, organization_id: str, user_ids: Sequence[str], field: str
) -> None:
    """Check that users are members of the organization.

    Raises:
        InvalidRequest: some are not, and the message names them; or they are more than a hundred.
    """
    members = [refs.member(organization_id, user_id) for user_id in user_ids]
    await _require(platform, field, "members", user_ids, members)


async def _require(
    platform: Platform, field: str, what: str, ids: Sequence[str], references: Sequence[Ref[Any]]
) -> None:
    if len(ids) > MOST_NAMED:
        raise InvalidRequest(f"{field} names more than {MOST_NAMED}.", field=field, reason="is too long")
    found = await platform.store.fetch(*references) if references else ()
    strangers = [named for named, document in zip(ids, found, strict=True) if document is None]
    if strangers:
        listed = ", ".join(stranger[:100] for stranger in strangers)
        raise InvalidRequest(
            f"{field} names some who are no {what} of the organization: {listed}.",
            field=field,
            reason=f"must be {what} of the organization",
        )
