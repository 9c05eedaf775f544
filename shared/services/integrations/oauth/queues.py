"""The tasks of connections that were authorized."""

from __future__ import annotations

from datetime import datetime

import orjson

from shared.model.document import Document
from shared.model.integrations import ContextType, Holder
from shared.tasks.spec import TaskSpec

REFRESH_QUEUE = "refresh"


class TokenOrder(Document):
    """The body of both tasks: the tokens of which connection, and which tokens."""

    organization_id: str
    context_type: ContextType
    owner: str
    integration_id: str
    token_version: str

    @property
    def holder(self) -> Holder:
        """Whose connection it is."""
        return Holder(self.context_type, self.organization_id, self.owner)


def order_for(holder: Holder, integration_id: str, token_version: str) -> TokenOrder:
    """Return the order for the tokens of a version."""
    return TokenOrder(
        organization_id=holder.organization_id,
        context_type=holder.context_type,
        owner=holder.owner,
        integration_id=integration_id,
        token_version=token_version,
    )


def refresh_task(order: TokenOrder, at: datetime) -> TaskSpec:
    """Return the task that exchanges tokens for new ones. Its name makes a second one impossible."""
    return _task("/refreshintegration", f"refresh-{order.token_version}", order, at)


def resume_task(order: TokenOrder, name: str, at: datetime) -> TaskSpec:
    """Return the task that deploys again what waited for the connection."""
    return _task("/resumedependants", f"resume-{order.token_version}-{name}", order, at)


def _task(path: str, name: str, order: TokenOrder, at: datetime) -> TaskSpec:
    body = orjson.dumps(order.wire())
    return TaskSpec(queue=REFRESH_QUEUE, path=path, body=body, name=name, schedule_time=at)
