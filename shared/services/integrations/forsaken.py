"""What becomes of a member's integrations when the membership ends (platform §5, §7).

They are unusable from the commit that ends it. What stands on them is switched off and they are deleted, in
n8n and here, at once or by a task that was booked before.
"""

from __future__ import annotations

import orjson

from shared.model.document import Document
from shared.model.integrations import ContextType, Holder, Integration
from shared.services.faults import point
from shared.services.integrations.ending import end, stop_dependants
from shared.services.integrations.oauth.queues import REFRESH_QUEUE
from shared.services.integrations.places import Place
from shared.services.platform import Platform
from shared.store import refs
from shared.store.errors import StoreConflict
from shared.store.query import below, find
from shared.store.store import Found, Patch, Write
from shared.tasks.spec import TaskSpec


class ForsakenOrder(Document):
    """The body of the task: whose membership ended, and who ended it."""

    organization_id: str
    user_id: str
    ended_by: str


async def book(platform: Platform, order: ForsakenOrder) -> None:
    """Have a task look after what a removal leaves. It comes when a request that dies has ended for sure."""
    task = TaskSpec(
        queue=REFRESH_QUEUE,
        path="/endintegrationsofmember",
        body=orjson.dumps(order.wire()),
        name=f"forsaken-{platform.sources.uuid7()}",
        schedule_time=platform.sources.now() + platform.settings.deploy_lease * 3,
    )
    await platform.queue.create(task)


async def held_by(platform: Platform, organization_id: str, user_id: str) -> list[Found[Integration]]:
    """Return the integrations of a member."""
    query = below(refs.organization(organization_id), "integrations", Integration)
    label = Holder(ContextType.MEMBER, organization_id, user_id).label
    return await find(platform.store, query.where("holder", "==", label))


def forsaking(found: Found[Integration]) -> Write:
    """Return what makes an integration unusable with the end of the membership."""
    return Patch(found.ref, {"has_valid_tokens": False, "forsaken": True}, found.update_time)


async def end_forsaken(platform: Platform, order: ForsakenOrder) -> int:
    """Return how many integrations were deleted. Safe to repeat.

    Who is a member again keeps what was connected since.

    Raises:
        Conflict: something that stands on one is being deployed or switched; to be repeated.
        UpstreamError: n8n refuses or is down; to be repeated.
    """
    holder = Holder(ContextType.MEMBER, order.organization_id, order.user_id)
    member = await platform.store.get(refs.member(order.organization_id, order.user_id))
    held = await held_by(platform, order.organization_id, order.user_id)
    if member is None:
        # One that was connected in the very moment of the removal.
        held = [await _marked(platform, found) for found in held]
    gone = [found for found in held if found.value.forsaken]
    for found in gone:
        await stop_dependants(platform, Place((holder,)), found.value.integration_id, order.ended_by)
        point("integration.forsaken")
        await end(platform, order.ended_by, holder, found)
    return len(gone)


async def _marked(platform: Platform, found: Found[Integration]) -> Found[Integration]:
    if found.value.forsaken:
        return found
    try:
        (written,) = await platform.store.commit(forsaking(found))
    except StoreConflict:
        # Somebody else saw to it, or will when the task comes again.
        return found
    marked = found.value.model_copy(update={"has_valid_tokens": False, "forsaken": True})
    return Found(found.ref, marked, written)
