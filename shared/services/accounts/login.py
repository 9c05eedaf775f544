"""Complete a login: a right code gets a new key (api §5.32)."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import RateLimited
from shared.model.audit import AuditAction
from shared.model.organization import Role
from shared.model.otp import Purpose
from shared.model.scopes import ORGANIZATION_SCOPES
from shared.services.accounts import refusals
from shared.services.accounts.keyoptions import KeyOptions
from shared.services.accounts.person import Person
from shared.services.accounts.prove import Proof, keeping, prove
from shared.services.accounts.request import require_eligible
from shared.services.apikeys.create import new_organization_key
from shared.services.audit import audited
from shared.services.organizations.mint import MintedKey
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Write


@dataclass(frozen=True, slots=True)
class Granted:
    """A new key and the organization it is for."""

    organization_id: str
    organization_name: str
    key: MintedKey


async def complete_login(
    platform: Platform, address: str, guess: str, organization_id: str | None, options: KeyOptions
) -> Granted:
    """Use up the code and return a new key with the ten scopes; earlier keys stay as they are.

    Raises:
        PlatformError: everything of :func:`prove`; and, leaving the code usable, ``USER_NOT_FOUND``,
            ``USER_HAS_NO_ORGANIZATION``, ``MULTIPLE_ORGANIZATIONS``, ``ORGANIZATION_NOT_MEMBER`` and
            ``MAX_API_KEYS_REACHED``.
    """

    async def attempt() -> Granted:
        proof = await prove(platform, Purpose.LOGIN, address, guess)
        async with keeping(platform, proof):
            granted, writes = await _granted(platform, proof, organization_id, options)
        await platform.store.commit(proof.used(platform), *writes)
        return granted

    return await until_undisturbed(attempt)


async def _granted(
    platform: Platform, proof: Proof, wanted: str | None, options: KeyOptions
) -> tuple[Granted, tuple[Write, ...]]:
    require_eligible(Purpose.LOGIN, proof.person)
    chosen, name = await _chosen(platform, proof.person, wanted)
    user_id = proof.person.user.value.user_id if proof.person.user else ""
    try:
        key, writes = await new_organization_key(
            platform,
            organization_id=chosen,
            organization_name=name,
            user_id=user_id,
            role=Role.MEMBER,
            name=options.name,
            scopes=ORGANIZATION_SCOPES,
            expires_at=options.ends(platform.sources.now()),
            actor=user_id,
        )
    except RateLimited as error:
        raise refusals.no_room_for_a_key(error.message) from None
    entry = audited(
        platform, user_id, AuditAction.USER_LOGGED_IN, chosen, user_id, key_prefix=key.key.key_prefix
    )
    return Granted(chosen, name, key), (*writes, entry)


async def _chosen(platform: Platform, person: Person, wanted: str | None) -> tuple[str, str]:
    ids = person.organization_ids
    found = await platform.store.fetch(*(refs.organization(known) for known in ids))
    choice = [(known, org.value.name) for known, org in zip(ids, found, strict=True) if org is not None]
    if not choice:
        raise refusals.no_organization()
    if wanted is not None:
        for known, name in choice:
            if known == wanted:
                return known, name
        raise refusals.not_a_member(choice)
    if len(choice) > 1:
        raise refusals.several_organizations(choice)
    return choice[0]
