"""Organizations, users and keys, made by the platform's own services."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from shared.model.apikey import KeyKind
from shared.model.organization import Organization, Role, WebhookAuth
from shared.model.scopes import ORGANIZATION_SCOPES, Scope
from shared.services.credits.opening import opening
from shared.services.organizations.members import add_member
from shared.services.organizations.mint import mint_key
from shared.services.platform import Platform
from shared.services.runs.lanes import ensure_lane
from shared.services.secrets import execution_auth, open_text, seal_text, webhook_secret
from shared.store import refs
from shared.store.store import Put
from tests.integration.world.n8n import ScriptedN8n


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organization with an owner, an admin and two members."""

    platform: Platform = field(repr=False)
    organization_id: str
    name: str
    webhook_secret: str = field(repr=False)
    users: dict[str, str]
    """user id by role; a second member is called ``guest``"""
    keys: dict[str, str] = field(repr=False)
    """a key with every scope, by user as in ``users``"""
    keys_of_none: dict[KeyKind, str] = field(repr=False)
    """the owner's personal key, and an administrator's, with every scope"""

    def key_among(self, kinds: Iterable[KeyKind]) -> str:
        """The owner's key if such keys are among the kinds, or one that is."""
        if KeyKind.ORGANIZATION in kinds:
            return self.keys["owner"]
        return next(key for kind, key in self.keys_of_none.items() if kind in kinds)

    async def member_secret(self, user: str) -> str:
        """The secret that a user's own runs are registered with."""
        user_id = self.users[user]
        found = await self.platform.store.get(refs.member(self.organization_id, user_id))
        assert found is not None
        context = execution_auth(self.organization_id, user_id)
        return await open_text(self.platform, found.value.execution_auth, context)

    async def key(
        self,
        user: str = "owner",
        *,
        kind: KeyKind = KeyKind.ORGANIZATION,
        scopes: Iterable[Scope] = ORGANIZATION_SCOPES,
        expires_in: timedelta | None = None,
        revoked: bool = False,
        process_instance_id: str | None = None,
    ) -> str:
        """Return a new key of a user."""
        now = self.platform.sources.now()
        of_organization = kind is KeyKind.ORGANIZATION
        minted = mint_key(
            self.platform,
            kind,
            user_id=self.users[user],
            name=f"{user} key",
            scopes=scopes,
            organization_id=self.organization_id if of_organization else None,
            organization_name=self.name if of_organization else None,
            role=ROLES[user] if of_organization else None,
            process_instance_id=process_instance_id,
            expires_at=now + expires_in if expires_in is not None else None,
        )
        if revoked:
            minted.key.revoked_at = minted.key.active_until = now
        await self.platform.store.commit(*minted.records)
        return minted.raw


ROLES = {"owner": Role.OWNER, "admin": Role.ADMIN, "member": Role.MEMBER, "guest": Role.MEMBER}


async def create_tenant(platform: Platform, name: str, n8n: ScriptedN8n) -> Tenant:
    """Create an organization on the backend of that n8n."""
    organization_id = platform.sources.auto_id()
    secret = platform.sources.token()
    users = {role: platform.sources.auto_id() for role in ROLES}
    organization = Organization(
        name=name,
        created_by=users["owner"],
        created_at=platform.sources.now(),
        backend_id=str(n8n.port),
        n8n_base_url=n8n.url,
        webhook_auth=WebhookAuth(
            credential_id="wh1",
            credential_name="Webhook auth",
            secret=await seal_text(platform, secret, webhook_secret(organization_id)),
            secret_digest=hashlib.sha256(secret.encode()).hexdigest(),
        ),
        error_workflow_id="error1",
    )
    await platform.store.commit(
        Put(refs.organization(organization_id), organization),
        *opening(platform, organization_id, organization.plan),
    )
    await ensure_lane(platform, organization_id, organization)
    for user, user_id in users.items():
        await add_member(platform, organization_id, user_id, ROLES[user])
    tenant = Tenant(platform, organization_id, name, secret, users, {}, {})
    for user in users:
        tenant.keys[user] = await tenant.key(user)
    for kind in (KeyKind.PERSONAL, KeyKind.ADMIN):
        tenant.keys_of_none[kind] = await tenant.key(kind=kind, scopes=tuple(Scope))
    return tenant
