"""Let an organization's installations say that its credits are used up, and that there are new ones.

Nothing is switched off in n8n: runs in flight go on, and what begins there is refused when it registers.
"""

from __future__ import annotations

import asyncio

from shared.model.account import Account
from shared.model.audit import AuditAction
from shared.model.instance import ProcessInstance
from shared.model.instance_events import Event, Standing, after
from shared.services.audit import audited
from shared.services.faults import point
from shared.services.instances.switch import switch
from shared.services.instances.turn import turn_at
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import find, owned_by
from shared.store.store import Found, Patch

_PAGE = 50
_AT_ONCE = 4
_ACTOR = "platform"


async def flag(platform: Platform, organization_id: str) -> int:
    """Bring all installations to what the account says; return how many changed. Safe to repeat.

    Raises:
        Conflict, UpstreamError: some could not be changed yet; to be repeated.
    """
    total, seen = 0, set[tuple[str, bool]]()
    while True:
        found = await platform.store.get(refs.account(organization_id))
        if found is None:
            return total
        exhausted = found.value.exhausted
        if exhausted:
            # From the first one on there are some to take back.
            await _note(platform, found, flagged=True)
        page = await _those_to_change(platform, found.value)
        if not [one for one in page if (one.ref.path, exhausted) not in seen]:
            if not exhausted:
                await _note(platform, found, flagged=False)
            return total
        seen.update((one.ref.path, exhausted) for one in page)
        total += await _change(platform, page, exhausted=exhausted)
        point("credits.page_flagged")


async def _those_to_change(platform: Platform, account: Account) -> list[Found[ProcessInstance]]:
    query = owned_by("processInstances", ProcessInstance, "organization_id", account.organization_id)
    if account.exhausted:
        query = query.where("is_active", "==", True)
    else:
        query = query.where("inactive_reason", "==", Standing.CREDITS_EXHAUSTED.value)
    return await find(platform.store, query.at_most(_PAGE))


async def _change(platform: Platform, page: list[Found[ProcessInstance]], *, exhausted: bool) -> int:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(found: Found[ProcessInstance]) -> None:
        async with turns:
            if exhausted:
                await _exhaust(platform, found)
            else:
                await switch(platform, found, Event.CREDITS_REPLENISHED, _ACTOR)

    results = await asyncio.gather(*(one(found) for found in page), return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    if failures:
        raise failures[0]
    return len(page)


async def _exhaust(platform: Platform, found: Found[ProcessInstance]) -> None:
    async with turn_at(platform, found.ref) as turn:
        present = await platform.store.get(found.ref)
        if present is None or not present.value.is_active:
            return
        instance_id = found.ref.path.rpartition("/")[2]
        entry = audited(
            platform,
            _ACTOR,
            AuditAction.INSTANCE_DEACTIVATED,
            present.value.organization_id,
            instance_id,
            reason=Standing.CREDITS_EXHAUSTED.value,
        )
        await turn.end(after(Event.CREDITS_EXHAUSTED, present.value), entry)


async def _note(platform: Platform, found: Found[Account], *, flagged: bool) -> None:
    if found.value.flagged is flagged:
        return

    async def attempt() -> None:
        present = await platform.store.get(found.ref)
        if present is not None and present.value.exhausted is found.value.exhausted:
            await platform.store.commit(Patch(found.ref, {"flagged": flagged}, present.update_time))

    await until_undisturbed(attempt)
