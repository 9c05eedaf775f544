"""Entries of the audit log, to be committed together with the change they tell of."""

from __future__ import annotations

from contextvars import ContextVar

from shared.model.apikey import ApiKey
from shared.model.audit import AuditAction, AuditEvent
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Create

REQUEST_ID: ContextVar[str | None] = ContextVar("audited_request_id", default=None)
"""The request that is being answered; its entries name it."""


def audited(
    platform: Platform,
    key: ApiKey | str,
    action: AuditAction,
    organization_id: str,
    target: str,
    **details: object,
) -> Create[AuditEvent]:
    """Return the entry that ``key``, or a user who has none yet, did something to ``target``.

    ``details`` are names and ids that explain the change; secrets do not belong there.
    """
    caller = key if isinstance(key, ApiKey) else None
    event = AuditEvent(
        event_id=platform.sources.uuid7(),
        organization_id=organization_id,
        action=action,
        actor_user_id=key.user_id if isinstance(key, ApiKey) else key,
        actor_key_id=caller.key_id if caller else None,
        actor_key_prefix=caller.key_prefix if caller else None,
        target=target,
        details={name: value for name, value in details.items() if value is not None},
        request_id=REQUEST_ID.get(),
        created_at=platform.sources.now(),
    )
    return Create(refs.audit_event(organization_id, event.event_id), event)
