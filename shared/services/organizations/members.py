"""Membership (platform §3)."""

from __future__ import annotations

import hashlib

from shared.model.organization import Member, Role
from shared.services.platform import Platform
from shared.services.secrets import execution_auth, seal_text
from shared.store import refs
from shared.store.errors import AlreadyExists
from shared.store.store import Create


async def add_member(platform: Platform, organization_id: str, user_id: str, role: Role) -> None:
    """Add a user with an execution secret of their own; a user who is a member stays as they are."""
    secret = platform.sources.token()
    member = Member(
        organization_id=organization_id,
        user_id=user_id,
        role=role,
        created_at=platform.sources.now(),
        execution_auth=await seal_text(platform, secret, execution_auth(organization_id, user_id)),
        execution_auth_digest=hashlib.sha256(secret.encode()).hexdigest(),
    )
    try:
        await platform.store.commit(Create(refs.member(organization_id, user_id), member))
    except AlreadyExists:
        return
