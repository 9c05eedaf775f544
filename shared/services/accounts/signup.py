"""Complete a sign-up: a right code gets a user, an organization and its first key (api §5.30, platform §5).

What is made in n8n comes first and takes seconds, so the code is marked as busy meanwhile, together with the
ids that are being used. Then one commit makes everything visible and uses up the code. If n8n fails, nothing
is visible and the code is free again; if the process dies, it is after a minute, and the repeat goes on with
the same ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime

from shared.errors import PlatformError
from shared.model.apikey import KeyKind
from shared.model.audit import AuditAction
from shared.model.organization import Organization, Role
from shared.model.otp import Purpose, SignupAttempt
from shared.model.scopes import ORGANIZATION_SCOPES
from shared.n8n.client import N8nClient
from shared.services import faults
from shared.services.accounts import refusals
from shared.services.accounts.company import Company
from shared.services.accounts.keyoptions import KeyOptions
from shared.services.accounts.lifecycle import COMPLETION
from shared.services.accounts.login import Granted
from shared.services.accounts.person import new_user_id
from shared.services.accounts.prove import Proof, keeping, prove
from shared.services.accounts.request import require_eligible
from shared.services.audit import audited
from shared.services.credits.opening import opening
from shared.services.organizations.members import membership
from shared.services.organizations.mint import MintedKey, mint_key
from shared.services.organizations.provision import clear, furnish
from shared.services.organizations.shards import place
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.services.runs.backend import n8n_client
from shared.services.runs.lanes import ensure_lane
from shared.store import refs
from shared.store.errors import StoreConflict
from shared.store.store import Create, Found, Patch, Write

_N8N_PATIENCE = 40.0
"""Seconds; with the next less than a code is busy for."""
_CLEARING_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class SignedUp(Granted):
    """What a sign-up led to."""

    is_new_user: bool


async def complete_signup(
    platform: Platform, address: str, guess: str, company: Company, options: KeyOptions
) -> SignedUp:
    """Use up the code and return the first key of a new organization, with the ten scopes.

    Raises:
        PlatformError: everything of :func:`prove`; and, leaving the code usable,
            ``USER_ALREADY_HAS_ORGANIZATION`` and ``ORGANIZATION_CREATION_FAILED``.
    """

    async def attempt() -> SignedUp:
        begun = await until_undisturbed(lambda: _begin(platform, address, guess))
        async with _freeing(platform, begun):
            organization = await _in_n8n(platform, begun, company)
            faults.point("signup.furnished")
            return await _finish(platform, begun, organization, options)

    return await until_undisturbed(attempt)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A proof that is busy until ``busy.ends_at``, as the code was written then."""

    proof: Proof
    busy: SignupAttempt

    @property
    def is_new_user(self) -> bool:
        return self.proof.person.user is None


async def _begin(platform: Platform, address: str, guess: str) -> _Begun:
    proof = await prove(platform, Purpose.SIGNUP, address, guess)
    async with keeping(platform, proof):
        require_eligible(Purpose.SIGNUP, proof.person)
    before, claim = proof.code.value.attempt, proof.person.claim
    busy = SignupAttempt(
        organization_id=before.organization_id if before else platform.sources.auto_id(),
        user_id=claim.value.user_id if claim else before.user_id if before else new_user_id(platform),
        ends_at=platform.sources.now() + COMPLETION,
    )
    (written,) = await platform.store.commit(Patch(proof.code.ref, {"attempt": busy}, proof.code.update_time))
    faults.point("signup.begun")
    return _Begun(replace(proof, code=Found(proof.code.ref, proof.code.value, written)), busy)


@asynccontextmanager
async def _freeing(platform: Platform, begun: _Begun) -> AsyncIterator[None]:
    """Make the code usable again when what follows fails."""
    try:
        yield
    except BaseException:
        freed = begun.busy.model_copy(update={"ends_at": platform.sources.now()})
        code = begun.proof.code
        # Whoever took over after a minute, or used the code, keeps it.
        with suppress(StoreConflict):
            await platform.store.commit(Patch(code.ref, {"attempt": freed}, code.update_time))
        raise


async def _cleared(client: N8nClient, organization_id: str) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_CLEARING_PATIENCE):
            await clear(client, organization_id)


async def _in_n8n(platform: Platform, begun: _Begun, company: Company) -> Organization:
    organization_id = begun.busy.organization_id
    try:
        backend_id = await place(platform, organization_id)
        client = await n8n_client(platform, backend_id)
        try:
            async with asyncio.timeout(_N8N_PATIENCE):
                auth, workflow_id = await furnish(platform, client, organization_id, None)
        except (PlatformError, TimeoutError):
            await _cleared(client, organization_id)
            raise
    except (PlatformError, TimeoutError) as error:
        raise refusals.not_created() from error
    return Organization(
        name=company.name,
        description=company.description,
        created_by=begun.busy.user_id,
        created_at=platform.sources.now(),
        backend_id=backend_id,
        n8n_base_url=client.base_url,
        webhook_auth=auth,
        error_workflow_id=workflow_id,
    )


async def _finish(
    platform: Platform, begun: _Begun, organization: Organization, options: KeyOptions
) -> SignedUp:
    organization_id, user_id = begun.busy.organization_id, begun.busy.user_id
    key = _first_key(platform, begun, organization, options.name, options.ends(platform.sources.now()))
    prefix = key.key.key_prefix
    entries: tuple[Write, ...] = (
        audited(platform, user_id, AuditAction.ORGANIZATION_CREATED, organization_id, organization_id),
        audited(platform, user_id, AuditAction.USER_SIGNED_UP, organization_id, user_id, key_prefix=prefix),
    )
    await platform.store.commit(
        begun.proof.used(platform),
        Create(refs.organization(organization_id), organization),
        *opening(platform, organization_id, organization.plan),
        await membership(platform, organization_id, user_id, Role.OWNER),
        *begun.proof.person.joining(platform, user_id, organization_id),
        *key.records,
        *entries,
    )
    await ensure_lane(platform, organization_id, organization)
    return SignedUp(organization_id, organization.name, key, begun.is_new_user)


def _first_key(
    platform: Platform, begun: _Begun, organization: Organization, name: str, ends: datetime | None
) -> MintedKey:
    return mint_key(
        platform,
        KeyKind.ORGANIZATION,
        user_id=begun.busy.user_id,
        name=name,
        scopes=ORGANIZATION_SCOPES,
        organization_id=begun.busy.organization_id,
        organization_name=organization.name,
        role=Role.OWNER,
        expires_at=ends,
    )
