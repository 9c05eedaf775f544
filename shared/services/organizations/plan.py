"""Put an organization on a plan (platform §17)."""

from __future__ import annotations

from shared.errors import NotFound
from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction
from shared.model.organization import Organization
from shared.model.plans import Plan
from shared.services.audit import audited
from shared.services.credits.change import on_plan
from shared.services.credits.opening import account_of
from shared.services.credits.settle import follow
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.services.runs.lanes import ensure_lane
from shared.store import refs
from shared.store.store import Patch


async def set_plan(
    platform: Platform, caller: ApiKey | str, organization_id: str, plan: Plan, extra_seats: int
) -> Organization:
    """Return the organization on its plan. Members beyond a smaller plan's seats stay; no more can join.

    Raises:
        NotFound (``ORGANIZATION_NOT_FOUND``): there is none with that id.
    """

    async def attempt() -> Organization:
        found = await platform.store.get(refs.organization(organization_id))
        if found is None:
            raise NotFound(f"Organization {organization_id} not found.", code="ORGANIZATION_NOT_FOUND")
        changes: dict[str, object] = {"plan": plan.value, "extra_seats": extra_seats}
        action = AuditAction.ORGANIZATION_UPDATED
        account = await account_of(platform, organization_id)
        credited, writes = on_plan(platform, caller, account, plan)
        await platform.store.commit(
            Patch(found.ref, changes, found.update_time),
            *writes,
            audited(platform, caller, action, organization_id, organization_id, **changes),
        )
        await follow(platform, credited)
        return found.value.model_copy(update={"plan": plan, "extra_seats": extra_seats})

    organization = await until_undisturbed(attempt)
    await ensure_lane(platform, organization_id, organization)
    return organization
