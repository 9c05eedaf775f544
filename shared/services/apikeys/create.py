"""Create a key of an organization (api §5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.errors import Forbidden, RateLimited
from shared.model.apikey import MAX_ACTIVE_KEYS, ApiKey, KeyKind
from shared.model.audit import AuditAction
from shared.model.organization import Role
from shared.model.scopes import Scope
from shared.model.turn import TurnOf
from shared.services.apikeys import rules
from shared.services.apikeys.active import active_keys
from shared.services.audit import audited
from shared.services.organizations.mint import MintedKey, mint_key
from shared.services.organizations.turns import take, until_undisturbed
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import tally
from shared.store.store import Write


async def create_organization_key(
    platform: Platform,
    *,
    organization_id: str,
    organization_name: str,
    user_id: str,
    role: Role,
    name: str,
    scopes: Sequence[str],
    description: str = "",
    expires_in_days: object = None,
    actor: ApiKey | str,
) -> MintedKey:
    """Store a new key of ``user_id`` and return it; ``actor`` is the key, or the user, who makes it.

    A member's key gets the role the member has at that moment. ``role`` is for somebody who is no member,
    which only an administrator may be.

    Raises:
        InvalidRequest: ``INVALID_SCOPE``, ``INVALID_EXPIRES_IN_DAYS``, or name or description do not fit.
        RateLimited (``MAX_API_KEYS_REACHED``): the organization has twenty active keys.
        Forbidden: the user is not, or no longer, a member.
    """
    granted = rules.granted_scopes(scopes)
    name, description = rules.key_name(name), rules.key_description(description)
    now = platform.sources.now()
    ends = None if expires_in_days is None else rules.end_of_life(now, expires_in_days)

    async def attempt() -> MintedKey:
        minted, writes = await new_organization_key(
            platform,
            organization_id=organization_id,
            organization_name=organization_name,
            user_id=user_id,
            role=role,
            name=name,
            scopes=granted,
            description=description,
            expires_at=ends,
            actor=actor,
        )
        await platform.store.commit(*writes)
        return minted

    return await until_undisturbed(attempt)


async def new_organization_key(
    platform: Platform,
    *,
    organization_id: str,
    organization_name: str,
    user_id: str,
    role: Role,
    name: str,
    scopes: Sequence[Scope],
    description: str = "",
    expires_at: datetime | None = None,
    actor: ApiKey | str,
) -> tuple[MintedKey, tuple[Write, ...]]:
    """Return a key and what stores it: for one commit, which fails if another key was made meanwhile.

    Raises:
        RateLimited (``MAX_API_KEYS_REACHED``), Forbidden: as :func:`create_organization_key`.
    """
    turn = refs.turn(organization_id, TurnOf.API_KEYS)
    taken, member = await platform.store.fetch(turn, refs.member(organization_id, user_id))
    if member is None and not _is_administrator(actor):
        raise Forbidden("You are not a member of this organization.")
    await require_room(platform, organization_id)
    minted = mint_key(
        platform,
        KeyKind.ORGANIZATION,
        user_id=user_id,
        name=name,
        description=description,
        scopes=scopes,
        organization_id=organization_id,
        organization_name=organization_name,
        role=member.value.role if member else role,
        expires_at=expires_at,
    )
    key_id = minted.key.key_id
    entry = audited(platform, actor, AuditAction.API_KEY_CREATED, organization_id, key_id, name=name)
    return minted, (*minted.records, entry, take(turn, taken, platform.sources.now()))


def _is_administrator(actor: ApiKey | str) -> bool:
    return isinstance(actor, ApiKey) and actor.kind is KeyKind.ADMIN


async def require_room(platform: Platform, organization_id: str) -> None:
    """Check that an organization may have one more key.

    Raises:
        RateLimited (``MAX_API_KEYS_REACHED``): it has twenty active ones.
    """
    query = active_keys(organization_id, platform.sources.now()).at_most(MAX_ACTIVE_KEYS)
    if await tally(platform.store, query) >= MAX_ACTIVE_KEYS:
        raise RateLimited(
            f"The organization has {MAX_ACTIVE_KEYS} active API keys, which is the limit. Revoke one first.",
            code="MAX_API_KEYS_REACHED",
        )
