"""What a dispatch task says, and how it is booked."""

from __future__ import annotations

from datetime import datetime

from shared.errors import UpstreamError
from shared.model.document import Document
from shared.model.endpoint import Endpoint, TriggerTarget
from shared.services.platform import Platform
from shared.services.runs.lanes import book
from shared.services.runs.queues import dispatch_task


class DispatchOrder(Document):
    """The body of a dispatch task."""

    process_instance_id: str
    execution_id: str
    organization_id: str
    process_id: str
    workflow_id: str
    user_id: str
    url: str
    method: str
    webhook_secret: str
    payload: dict[str, object] | None = None
    payload_blob: str | None = None
    recorded: bool = False
    """Whether the payload is the one that was recorded with the run; then the order carries none."""
    hint: bool = False
    """Whether another task brings the run here as well, so that this one need not be repeated."""


def address_of(endpoint: Endpoint, target: TriggerTarget | None) -> dict[str, object]:
    """Return what every dispatch task of a workflow says.

    One that lost its trigger has no address; its runs are failed when they are to be sent.
    """
    return {
        "organizationId": endpoint.organization_id,
        "processId": endpoint.process_id,
        "workflowId": endpoint.workflow_id,
        "userId": endpoint.user_id,
        "url": target.url if target else "",
        "method": target.method if target else "POST",
        "webhookSecret": endpoint.webhook_secret,
    }


class TryLater(UpstreamError):
    """The task must be delivered again later; the queue's back-off decides when."""

    status = 503
    default_code = "TRY_LATER"


def readdressed(order: DispatchOrder, endpoint: Endpoint) -> DispatchOrder:
    """Return the order for where the workflow is now: it may have been deployed anew since the trigger."""
    if endpoint.target is None:
        return order
    target, secret = endpoint.target, endpoint.webhook_secret
    return order.model_copy(update={"url": target.url, "method": target.method, "webhook_secret": secret})


async def book_again(
    platform: Platform, order: DispatchOrder, at: datetime | None = None, **changes: object
) -> None:
    """Book a task for the run of an order, now or at a moment; its payload is the recorded one.

    Raises:
        Internal: the queue fails.
    """
    again = order.model_copy(update={"payload": None, "payload_blob": None, "recorded": True, **changes})
    task = dispatch_task(again.process_instance_id, again.execution_id, again.wire(), at)
    await book(platform, again.organization_id, task)
