"""Let an organization's installations say that its credits are used up, and that there are new ones.

Nothing is switched off in n8n: runs in flight go on, and what begins there is refused when it registers.
"""

from __future__ import annotations

import asyncio

from shared.model.account import Account, period_of
from shared.model.audit import AuditAction
from shared.model.instance import ProcessInstance
from shared.model.instance_events import Event, Standing, after, is_active_after
from shared.services.audit import audited
from shared.services.credits.queues import book, renewal_task
from shared.services.credits.settle import settle
from shared.services.faults import point
from shared.services.instances.switch import switch
from shared.services.instances.turn import turn_at
from shared.services.organizations.turns import until_undisturbed
from shared.services.platform import Platform
from shared.store import refs
from shared.store.query import DOCUMENT_NAME, find, owned_by
from shared.store.refs import Ref
from shared.store.store import Found, Patch

_PAGE = 50
_AT_ONCE = 4
_ACTOR = "platform"


async def flag(platform: Platform, organization_id: str) -> int:
    """Bring all installations to what the account says; return how many changed. Safe to repeat.

    Begins the month if it is due. While an organization is exhausted the task of its next month is booked.

    Raises:
        Conflict, UpstreamError: some could not be changed yet, all others are; to be repeated.
    """
    found = await platform.store.get(refs.account(organization_id))
    if found is not None and found.value.period != period_of(platform.sources.now()):
        await settle(platform, organization_id)
    total, failures = 0, list[BaseException]()
    exhausted, last = None, None
    while True:
        found = await platform.store.get(refs.account(organization_id))
        if found is None:
            return total
        if exhausted is not found.value.exhausted:
            exhausted, last, failures = found.value.exhausted, None, []
            if exhausted:
                # From the first one on there are some to take back.
                await _note(platform, found, flagged=True)
                await book(platform, renewal_task(organization_id, platform.sources.now()))
        page = await _those_to_change(platform, found.value, last)
        results = await _change(platform, page, exhausted=exhausted)
        failures += [result for result in results if isinstance(result, BaseException)]
        total += sum(result is True for result in results)
        if len(page) < _PAGE:
            break
        last = page[-1].ref
        point("credits.page_flagged")
    if failures:
        raise failures[0]
    if not exhausted:
        await _note(platform, found, flagged=False)
    return total


async def _those_to_change(
    platform: Platform, account: Account, last: Ref[ProcessInstance] | None
) -> list[Found[ProcessInstance]]:
    """Return the next page behind ``last``. By their names: one that stays as it is holds up no other."""
    query = owned_by("processInstances", ProcessInstance, "organization_id", account.organization_id)
    if account.exhausted:
        query = query.where("is_active", "==", True)
    else:
        query = query.where("inactive_reason", "==", Standing.CREDITS_EXHAUSTED.value)
    query = query.oldest_first(DOCUMENT_NAME)
    if last is not None:
        query = query.after(last)
    return await find(platform.store, query.at_most(_PAGE))


async def _change(
    platform: Platform, page: list[Found[ProcessInstance]], *, exhausted: bool
) -> list[bool | BaseException]:
    """Return of each whether it changed, or why it could not."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(found: Found[ProcessInstance]) -> bool:
        async with turns:
            if exhausted:
                return await _exhaust(platform, found)
            if not is_active_after(Event.CREDITS_REPLENISHED, found.value):
                # It is archived as well, and stays as it is.
                return False
            await switch(platform, found, Event.CREDITS_REPLENISHED, _ACTOR)
            return True

    return await asyncio.gather(*(one(found) for found in page), return_exceptions=True)


async def _exhaust(platform: Platform, found: Found[ProcessInstance]) -> bool:
    async with turn_at(platform, found.ref) as turn:
        present = await platform.store.get(found.ref)
        if present is None or not present.value.is_active:
            return False
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
        return True


async def _note(platform: Platform, found: Found[Account], *, flagged: bool) -> None:
    if found.value.flagged is flagged:
        return

    async def attempt() -> None:
        present = await platform.store.get(found.ref)
        if present is not None and present.value.exhausted is found.value.exhausted:
            await platform.store.commit(Patch(found.ref, {"flagged": flagged}, present.update_time))

    await until_undisturbed(attempt)
