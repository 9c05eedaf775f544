"""Membership (platform §3)."""

from __future__ import annotations

import hashlib

from shared.model.organization import Member, Role
from shared.model.user import User
from shared.services.platform import Platform
from shared.services.secrets import execution_auth, seal_text
from shared.store import refs
from shared.store.errors import AlreadyExists, Changed
from shared.store.store import Create, Patch, Write


async def add_member(platform: Platform, organization_id: str, user_id: str, role: Role) -> None:
    """Add a user with an execution secret of their own; a user who is a member stays as they are.

    A user nobody has heard of yet is recorded, without an address.
    """
    created = await membership(platform, organization_id, user_id, role)
    while True:
        member, user = await platform.store.fetch(refs.member(organization_id, user_id), refs.user(user_id))
        if member is not None:
            return
        joining: Write
        if user is None:
            new = User(user_id=user_id, created_at=platform.sources.now(), organization_ids=[organization_id])
            joining = Create(refs.user(user_id), new)
        else:
            ids = [*user.value.organization_ids, organization_id]
            joining = Patch(user.ref, {"organization_ids": ids}, user.update_time)
        try:
            await platform.store.commit(created, joining)
            return
        except (AlreadyExists, Changed):
            continue


async def membership(platform: Platform, organization_id: str, user_id: str, role: Role) -> Create[Member]:
    """Return what makes a user a member; the user's own document has to name the organization too."""
    secret = platform.sources.token()
    member = Member(
        organization_id=organization_id,
        user_id=user_id,
        role=role,
        created_at=platform.sources.now(),
        execution_auth=await seal_text(platform, secret, execution_auth(organization_id, user_id)),
        execution_auth_digest=hashlib.sha256(secret.encode()).hexdigest(),
    )
    return Create(refs.member(organization_id, user_id), member)
