"""Open an organization's account: with the organization, or when it is first needed."""

from __future__ import annotations

from shared.errors import NotFound
from shared.model.account import Account
from shared.model.balance import opened
from shared.model.plans import Plan
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Create, Found, Write


def opening(platform: Platform, organization_id: str, plan: Plan) -> list[Write]:
    """Return the writes of a new account with its first grant."""
    account, entries = opened(organization_id, plan, platform.sources.now())
    grants = [Create(refs.ledger_entry(organization_id, entry.entry_id), entry) for entry in entries]
    return [Create(refs.account(organization_id), account), *grants]


async def account_of(platform: Platform, organization_id: str) -> Found[Account]:
    """Return an organization's account. One from before there were accounts gets its own now.

    Raises:
        NotFound (``ORGANIZATION_NOT_FOUND``): there is no such organization.
        StoreConflict: it is being opened by somebody else at this moment.
    """
    reference = refs.account(organization_id)
    found, organization = await platform.store.fetch(reference, refs.organization(organization_id))
    if found is not None:
        kept: Found[Account] = found
        return kept
    if organization is None:
        raise NotFound(f"Organization {organization_id} not found.", code="ORGANIZATION_NOT_FOUND")
    writes = opening(platform, organization_id, organization.value.plan)
    times = await platform.store.commit(*writes)
    return Found(reference, writes[0].value, times[0])  # type: ignore[union-attr]  # it is a Create
