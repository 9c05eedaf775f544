"""What ``up`` does once the processes run."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from infra.local.stack.addresses import Stack
from infra.local.stack.private_file import write_private
from shared.model.apikey import KeyKind
from shared.model.organization import Role
from shared.model.plans import Plan
from shared.model.scopes import ORGANIZATION_SCOPES, Scope
from shared.model.user import EmailClaim, User, address_digest
from shared.services.apikeys.create import create_organization_key
from shared.services.organizations.members import add_member
from shared.services.organizations.mint import mint_key
from shared.services.organizations.provision import provision_organization, register_backend
from shared.services.organizations.shards import offer_backend
from shared.services.platform import MAIL_SECRET, Platform, open_platform
from shared.services.queues import ensure_queues
from shared.settings import read_settings
from shared.store import refs
from shared.store.store import Create, Put
from shared.vault.boxed import Capability, Secret
from shared.vault.errors import SecretMissing

BACKEND = "local"

_SENDER = "Podium <podium@podium.local>"
_MAY_COMPARE = Capability("see whether mail is configured as it should be")


@asynccontextmanager
async def _platform(stack: Stack) -> AsyncIterator[Platform]:
    # The Google clients read their addresses from the environment themselves.
    os.environ.update(stack.environment())
    platform = open_platform(read_settings())
    try:
        yield platform
    finally:
        await platform.close()


async def prepare(stack: Stack) -> None:
    """Bring keys, queues, the n8n backend and mail up to date; safe at every start.

    Leaves ``functions.env`` in the state folder: the environment of a single function on this stack.
    """
    async with _platform(stack) as platform:
        await platform.vault.ensure_keys()
        await ensure_queues(platform.queue, platform.settings)
        await register_backend(platform, BACKEND, stack.n8n_url, stack.n8n_api_key)
        await offer_backend(platform, BACKEND)
        await _configure_mail(platform, stack)
    lines = [f"{name}={value}\n" for name, value in stack.environment().items()]
    write_private(stack.state / "functions.env", "".join(lines))


async def _configure_mail(platform: Platform, stack: Stack) -> None:
    host, _, port = stack.smtp.rpartition(":")
    config = {"kind": "smtp", "host": host, "port": int(port), "security": "none", "from": _SENDER}
    await configure_mail(platform, json.dumps(config))


async def configure_mail(platform: Platform, text: str) -> None:
    """Make ``text`` the configuration that mail is sent with, unless it is already."""
    with suppress(SecretMissing):
        found = await platform.secrets.access(MAIL_SECRET)
        if found.value.reveal(_MAY_COMPARE) == text:
            return
    await platform.secrets.add(MAIL_SECRET, Secret(text))


async def bootstrap(stack: Stack) -> dict[str, object]:
    """Create an administrator and two unrelated organizations; return the stack file's content.

    Raises:
        UpstreamError: n8n refuses.
    """
    async with _platform(stack) as platform:
        admin = await _key(platform, KeyKind.ADMIN, platform.sources.auto_id() + "Operator", "Operator")
        first = await _organization(platform, "Atelier Nord", "atelier-nord.example")
        second = await _organization(platform, "Bureau Süd", "bureau-sued.example")
    return {
        "baseUrl": stack.base_url,
        "publicKeyUrl": f"{stack.base_url}/encryption/public.pem",
        "n8nUrl": stack.n8n_url,
        "n8nApiKey": stack.n8n_api_key,
        "mailbox": str(stack.mailbox),
        "smtp": stack.smtp,
        "adminKey": admin,
        "organizations": [first, second],
        "demo": None,
    }


@dataclass(frozen=True, slots=True)
class _Person:
    user_id: str
    email: str
    role: Role


async def _organization(platform: Platform, name: str, domain: str) -> dict[str, object]:
    organization_id = platform.sources.auto_id()
    owner, member = [await _person(platform, role, domain) for role in (Role.OWNER, Role.MEMBER)]
    await provision_organization(
        platform,
        organization_id=organization_id,
        name=name,
        owner_user_id=owner.user_id,
        backend_id=BACKEND,
        plan=Plan.BUSINESS,
    )
    await add_member(platform, organization_id, member.user_id, Role.MEMBER)
    keys = [await _organization_key(platform, organization_id, name, user) for user in (owner, member)]
    scopes = (*ORGANIZATION_SCOPES, Scope.ORGANIZATIONS_CREATE)
    personal = await _key(platform, KeyKind.PERSONAL, owner.user_id, "Owner's personal key", scopes)
    return {
        "organizationId": organization_id,
        "name": name,
        "ownerUserId": owner.user_id,
        "ownerEmail": owner.email,
        "ownerKey": keys[0],
        "memberUserId": member.user_id,
        "memberEmail": member.email,
        "memberKey": keys[1],
        "personalKey": personal,
    }


async def _person(platform: Platform, role: Role, domain: str) -> _Person:
    """Record a user who can log in with an address of their own."""
    person = _Person(_user_id(platform), f"{role.value}@{domain}", role)
    user = User(user_id=person.user_id, email=person.email, created_at=platform.sources.now())
    # What a database left behind by a broken start claims is this stack's again.
    claim = Put(refs.email_claim(address_digest(person.email)), EmailClaim(user_id=person.user_id))
    await platform.store.commit(Create(refs.user(person.user_id), user), claim)
    return person


async def _organization_key(
    platform: Platform, organization_id: str, organization_name: str, user: _Person
) -> str:
    minted = await create_organization_key(
        platform,
        organization_id=organization_id,
        organization_name=organization_name,
        user_id=user.user_id,
        role=user.role,
        name=f"{user.role.value} key",
        scopes=[scope.value for scope in ORGANIZATION_SCOPES],
        actor=user.user_id,
    )
    return minted.raw


async def _key(
    platform: Platform, kind: KeyKind, user_id: str, name: str, scopes: tuple[Scope, ...] = tuple(Scope)
) -> str:
    minted = mint_key(platform, kind, user_id=user_id, name=name, scopes=scopes)
    await platform.store.commit(*minted.records)
    return minted.raw


def _user_id(platform: Platform) -> str:
    return (platform.sources.auto_id() + platform.sources.auto_id())[:28]
